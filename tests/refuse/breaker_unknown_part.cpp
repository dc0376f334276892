// SPDX-License-Identifier: BSL-1.0
//
// A part that no place knows would be ignored in silence.
// expect: hawser: a part of a circuit breaker is a trip rule, votes_by(classifier) or
#include <hawser/hawser.hpp>

int main() {
#ifdef HAWSER_ACCEPT
    hawser::basic_circuit_breaker const breaker{hawser::circuit_breaker_options{},
                                                hawser::trip::consecutive_failures{5}};
#else
    hawser::basic_circuit_breaker const breaker{hawser::circuit_breaker_options{}, 5};
#endif
    return breaker.state() == hawser::breaker_state::closed ? 0 : 1;
}
