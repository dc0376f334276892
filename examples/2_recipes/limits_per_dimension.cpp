// SPDX-License-Identifier: BSL-1.0
//
// How do I limit each address, each user and the whole service, in a pipeline?
//
// Output:
//     ann from 192.0.2.1: 3 of 4 let in, rate limited: again in 20000 ms
//     bob from 192.0.2.1: 2 of 3 let in, rate limited: again in 100 ms
//     eve from 192.0.2.7: 3 of 3 let in
//     the service has 42 of 50 left, eve's address 2 of 5
#include <hawser/hawser.hpp>
#include <hawser/rate/fixed_window.hpp>
#include <hawser/rate/joint_limit.hpp>
#include <hawser/rate/keyed.hpp>
#include <hawser/testing/manual_environment.hpp>

#include <chrono>
#include <cstdio>
#include <string_view>

namespace {

using namespace std::chrono_literals;

// [limits]
struct caller {
    std::string_view address, user;
};

hawser::keyed<hawser::token_bucket> per_address{{.rate = 10, .burst = 5}, {.keys = 100'000}};
hawser::keyed<hawser::fixed_window> per_user{{.limit = 3, .window = 1min}, {.keys = 100'000}};
hawser::token_bucket service{{.rate = 1'000, .burst = 50}};

hawser::joint_limit all_limits{hawser::keyed_by{per_address, &caller::address},
                               hawser::keyed_by{per_user, &caller::user}, service};
hawser::rate_limit limit{hawser::borrow(all_limits)};
// [/limits]

/// So many calls of one user at once, and what became of them.
template <class Line>
int call(Line const& line, caller const& who, int calls) {
    int let_in = 0;
    hawser::refusal refused;
    for (int i = 0; i != calls; ++i) {
        // [call]
        hawser::call_facts<caller> const facts{.key = who};
        auto const reply = hawser::try_execute(line, facts, [] { return 200; });
        // [/call]
        if (reply.has_value()) ++let_in;
        if (reply.why() != nullptr) refused = *reply.why();
    }
    std::printf("%s from %s: %d of %d let in", who.user.data(), who.address.data(), let_in, calls);
    if (refused.code != hawser::errc{})
        std::printf(", %s: again in %d ms", to_string(refused.code),
                    static_cast<int>(refused.retry_after / 1ms));
    std::printf("\n");
    return let_in;
}

}  // namespace

int main() {
    hawser::manual_time time{hawser::time_point{1h + 40s}};
    auto const line =
        hawser::compose_in(hawser::testing::manual_environment{time}, hawser::borrow(limit));
    auto const let_in = call(line, {"192.0.2.1", "ann"}, 4) + call(line, {"192.0.2.1", "bob"}, 3) +
                        call(line, {"192.0.2.7", "eve"}, 3);

    // What one limit refused, no other was charged for.
    auto const now = time.now();
    auto const left = service.available(now);
    auto const eves = per_address.available("192.0.2.7", now);
    std::printf("the service has %u of 50 left, eve's address %u of 5\n", left, eves);
    return let_in == 8 && left == 42 && eves == 2 ? 0 : 1;
}
