// SPDX-License-Identifier: BSL-1.0
//
// Who waits has to have taken his place: a limiter that only says when to ask again keeps none.
// expect: hawser: wait_up_to needs a limiter with reserve and cancel
#include <hawser/hawser.hpp>
#include <hawser/policy/rate_limit.hpp>
#include <hawser/rate/fixed_window.hpp>
#include <hawser/rate/joint_limit.hpp>

#include <chrono>

int main() {
    hawser::fixed_window window{{.limit = 10}};
#ifdef HAWSER_ACCEPT
    hawser::rate_limit limit{hawser::borrow(window), hawser::wait_up_to{std::chrono::seconds{1}}};
#else
    hawser::joint_limit both{window};
    hawser::rate_limit limit{hawser::borrow(both), hawser::wait_up_to{std::chrono::seconds{1}}};
#endif
    return hawser::execute(hawser::compose(hawser::borrow(limit)), [] { return 0; });
}
