// SPDX-License-Identifier: BSL-1.0
//
// Only one of them would be told.
// expect: hawser: a circuit breaker has at most one
#include <hawser/hawser.hpp>

struct sink {
    void on(hawser::breaker_changed const&) noexcept {}
};

int main() {
#ifdef HAWSER_ACCEPT
    hawser::basic_circuit_breaker const breaker{hawser::circuit_breaker_options{},
                                                hawser::told_to{sink{}}};
#else
    hawser::basic_circuit_breaker const breaker{hawser::circuit_breaker_options{},
                                                hawser::told_to{sink{}}, hawser::told_to{sink{}}};
#endif
    return breaker.state() == hawser::breaker_state::closed ? 0 : 1;
}
