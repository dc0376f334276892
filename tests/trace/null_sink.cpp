// SPDX-License-Identifier: BSL-1.0
//
// What tests/trace/null_sink.sh compiles: calls through policies that have events to tell. With
// HAWSER_OBSERVED somebody listens.
#include <hawser/hawser.hpp>
#include <hawser/policy/bulkhead.hpp>

#include <chrono>
#include <stop_token>
#include <utility>

using namespace std::chrono_literals;

#ifdef HAWSER_OBSERVED
struct listener {
    template <class Event>
    void on(Event const& event) noexcept {
        last = event.origin.at;
    }
    hawser::time_point last{};
};
listener sink;
template <class... Policies>
static auto make_line(Policies&&... policies) {
    return hawser::compose_in(hawser::observed_by(sink), std::forward<Policies>(policies)...);
}
using breaker_type =
    hawser::basic_circuit_breaker<decltype(hawser::told_by_reference(std::declval<listener&>()))>;
using limit_type = hawser::bulkhead<hawser::semaphore,
                                    decltype(hawser::told_by_reference(std::declval<listener&>()))>;
#else
template <class... Policies>
static auto make_line(Policies&&... policies) {
    return hawser::compose(std::forward<Policies>(policies)...);
}
using breaker_type = hawser::circuit_breaker;
using limit_type = hawser::bulkhead<>;
#endif

double ask_price();

double price(breaker_type& breaker) {
    auto const line = make_line(hawser::fallback{0.0}, hawser::retry{{.max_attempts = 4}},
                                hawser::borrow(breaker), hawser::attempt_timeout{250ms});
    return hawser::execute(line, [] { return ask_price(); });
}

double price_by(breaker_type& breaker, hawser::time_point deadline, std::stop_token stop) {
    auto const line = make_line(hawser::total_timeout{2s},
                                hawser::retry{{}, hawser::retry_if{[](auto const& out) {
                                                  return out.code() != hawser::errc{};
                                              }}},
                                hawser::borrow(breaker));
    auto const out =
        hawser::try_execute(line, {.deadline = deadline, .stop = stop}, [] { return ask_price(); });
    return out ? out.value() : -1.0;
}

double price_within(limit_type& limit, hawser::time_point now) {
    auto const line = make_line(hawser::borrow(limit));
    limit.resize(20, now);
    return hawser::execute(line, [] { return ask_price(); });
}
