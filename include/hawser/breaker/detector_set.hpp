// SPDX-License-Identifier: BSL-1.0
//
// The detectors of all rules of one breaker, spoken to as if they were one.
#ifndef HAWSER_BREAKER_DETECTOR_SET_HPP
#define HAWSER_BREAKER_DETECTOR_SET_HPP

#include <hawser/base/time.hpp>
#include <hawser/breaker/trip_rules.hpp>
#include <hawser/breaker/vote.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <utility>

namespace hawser::inline v0::detail {

/// Thread safety: none of its own. Cost: the sum of the rules'.
template <trip_rule... Rules>
class detector_set {
public:
    /// May throw what a rule out of range throws.
    explicit detector_set(Rules const&... rules) : detectors_{rules...} {}

    /// Shows one call to every rule, whatever the others say. True if any trips: `why` then tells
    /// what the first of those saw.
    bool record(breaker_sample const& call, rule_reading& why) noexcept {
        bool tripped = false;
        each([&](auto& rule) {
            if (!rule.record(call) || std::exchange(tripped, true)) return;
            why = rule.reading(call.position, call.now);
        });
        return tripped;
    }

    /// From when on one of the rules wants to see good calls.
    [[nodiscard]] time_point watch_from(std::uint64_t position, time_point now) const noexcept {
        auto from = time_point::max();
        each([&](auto const& rule) { from = std::min(from, rule.watch_from(position, now)); });
        return from;
    }

    /// The least time that one of the rules calls slow; `never` if none does.
    [[nodiscard]] duration slow_after() const noexcept {
        auto least = never;
        each([&](auto const& rule) { least = std::min(least, rule.slow_after()); });
        return least;
    }

    [[nodiscard]] std::array<rule_reading, sizeof...(Rules)> readings(
        std::uint64_t position, time_point now) const noexcept {
        return std::apply(
            [&](auto const&... rule) { return std::array{rule.reading(position, now)...}; },
            detectors_);
    }

    /// Begins every rule anew after the call at `position`.
    void clear(std::uint64_t position, time_point now) noexcept {
        each([&](auto& rule) { rule.clear(position, now); });
    }

    /// Takes the numbers of `fresh`, and keeps what is known as far as they allow.
    void adopt(detector_set& fresh, std::uint64_t position) noexcept {
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            (std::get<I>(detectors_).adopt(std::get<I>(fresh.detectors_), position), ...);
        }
        (std::index_sequence_for<Rules...>{});
    }

private:
    template <class Action>
    void each(Action&& action) noexcept {
        std::apply([&](auto&... rule) { (action(rule), ...); }, detectors_);
    }
    template <class Action>
    void each(Action&& action) const noexcept {
        std::apply([&](auto const&... rule) { (action(rule), ...); }, detectors_);
    }

    std::tuple<typename Rules::detector...> detectors_;
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_BREAKER_DETECTOR_SET_HPP
