// SPDX-License-Identifier: BSL-1.0
//
// What tests/trace/null_sink.sh compiles: calls through policies, and channels, that have events to
// tell. With
// HAWSER_OBSERVED somebody listens.
#include <hawser/hawser.hpp>
#include <hawser/policy/bulkhead.hpp>
#include <hawser/run/buffered_channel.hpp>
#include <hawser/run/channel.hpp>

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
using environment_type = decltype(hawser::observed_by(sink));
#else
template <class... Policies>
static auto make_line(Policies&&... policies) {
    return hawser::compose(std::forward<Policies>(policies)...);
}
using breaker_type = hawser::circuit_breaker;
using limit_type = hawser::bulkhead<>;
using environment_type = hawser::environment<>;
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

template <class Channel>
static bool pass_on(Channel& channel, hawser::time_point until, std::stop_token const& stop) {
    auto got = channel.receive_until(until, stop);
    if (!got) channel.close();
    return got && channel.send_until(until, *got, stop);
}

bool pass_on(hawser::channel<int, environment_type>& channel, hawser::time_point until,
             std::stop_token const& stop) {
    return pass_on<>(channel, until, stop);
}

bool pass_on(hawser::buffered_channel<int, hawser::overflow::drop_oldest, hawser::unit_weight,
                                      hawser::no_watch, environment_type>& channel,
             hawser::time_point until, std::stop_token const& stop) {
    return pass_on<>(channel, until, stop);
}
