// SPDX-License-Identifier: BSL-1.0
//
// Time as tokens: which token falls due when, for a rate of `tokens` per `period`, without drift.
//
// A limiter that keeps the time of its next token has to round the time from one token to the next,
// and a rounded interval loses the rate: at 7 million a second, one of 142.86 ns becomes 143. Kept
// is the number of the token instead. Token number x falls due at the instant x * period / tokens;
// that is computed anew from the origin each time, so that no rounding ever adds up.
//
//     time    origin --------------- now ----------------------->
//     units   0 --------------- floor | ceil -------------------->   a token is so many units
//
// A unit is a part of a token, at least one nanosecond long, so that the centuries on either side
// of the epoch fit in 63 bits, and less than two. Where a token takes a whole number of
// nanoseconds, a unit is one nanosecond exactly.
#ifndef HAWSER_RATE_TOKEN_SCALE_HPP
#define HAWSER_RATE_TOKEN_SCALE_HPP

#include <hawser/base/contract.hpp>
#include <hawser/base/saturating.hpp>
#include <hawser/base/time.hpp>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdint>
#include <numeric>

namespace hawser::inline v0 {

/// An instant in units of a scale: it lies between two whole ones, or on one.
struct token_instant {
    std::uint64_t floor = 0;  ///< The last unit that is due.
    std::uint64_t rest = 0;   ///< How far past it, in parts of a unit; zero if exactly on it.

    [[nodiscard]] constexpr std::uint64_t ceil() const noexcept {
        return floor + (rest != 0 ? 1 : 0);
    }
};

/// The line of units of one rate. Immutable.
///
/// Guarantee: exact. Between two instants lie as many units as the rate says, to the unit, for a
///            century on either side of the clock's epoch.
/// Cost:      `at` is one subtraction where a unit is a nanosecond, else three multiplications.
class token_scale {
public:
    /// Instants further from the epoch are taken for these.
    static constexpr duration horizon = std::chrono::hours{24 * 36525};

    /// No bucket holds, owes or reserves more units than these.
    static constexpr std::uint64_t units_max = std::uint64_t{1} << 60U;

    /// The numbers that a scale consists of, for who keeps them in a form of their own.
    struct parts {
        std::uint64_t token = 1;
        std::uint64_t units = 1;  ///< So many units are due in `span` nanoseconds.
        std::uint64_t span = 1;
        std::uint64_t inverse = 0;  ///< units / span, in parts of 2^-64.
    };

    /// A token a nanosecond.
    constexpr token_scale() = default;

    /// Requires that they are the parts of a scale, if its answers are to mean anything.
    explicit constexpr token_scale(parts const& kept) noexcept
        : token_{kept.token}, units_{kept.units}, span_{kept.span}, inverse_{kept.inverse} {}

    /// Requires `tokens > 0`, `period > 0`, not more than a token a nanosecond, and that `burst`
    /// tokens take no more than `units_max` nanoseconds, which are 36 years.
    constexpr token_scale(std::uint64_t tokens, duration period, std::uint64_t burst) noexcept {
        auto const length = static_cast<std::uint64_t>(period.count());
        HAWSER_ASSERT(tokens > 0 && period > duration::zero() && tokens <= length && burst > 0);
        HAWSER_ASSERT(detail::wide_uint{length} * burst / tokens <= units_max);
        auto const common = std::gcd(tokens, length);
        auto const reduced = tokens / common, per = length / common;
        if (reduced == 1) {
            token_ = per;  // A unit is a nanosecond.
        } else {
            token_ = std::uint64_t{1} << parts_of(reduced, per, burst);
            auto const again = std::gcd(reduced * token_, per);
            units_ = reduced * token_ / again;
            span_ = per / again;
        }
        // Rounded up, so that the quotient it gives is never too small, and too large by one at
        // most, which the remainder tells.
        if (span_ != 1)
            inverse_ = static_cast<std::uint64_t>(((detail::wide_uint{units_} << 64U) + span_ - 1) /
                                                  span_);
    }

    friend constexpr bool operator==(token_scale const&, token_scale const&) = default;

    [[nodiscard]] constexpr parts as_parts() const noexcept {
        return {.token = token_, .units = units_, .span = span_, .inverse = inverse_};
    }

    /// Units in a token.
    [[nodiscard]] constexpr std::uint64_t token() const noexcept { return token_; }

    /// Where the line has come to by `now`. Zero a century before the epoch, and before that.
    [[nodiscard, gnu::always_inline]] constexpr token_instant at(time_point now) const noexcept {
        auto const elapsed = since_origin(now);
        if (span_ == 1) [[likely]]
            return {elapsed, 0};
        auto quotient = static_cast<std::uint64_t>((detail::wide_uint{elapsed} * inverse_) >> 64U);
        // The remainder fits, whatever of the products does not.
        auto rest = static_cast<std::int64_t>(elapsed * units_ - quotient * span_);
        if (rest < 0) {
            --quotient;
            rest += static_cast<std::int64_t>(span_);
        }
        return {quotient, static_cast<std::uint64_t>(rest)};
    }

    /// The floor of `at`, or one more: what one multiplication tells, for who is not that near.
    [[nodiscard, gnu::always_inline]] constexpr std::uint64_t nearly_at(
        time_point now) const noexcept {
        auto const elapsed = since_origin(now);
        if (span_ == 1) [[likely]]
            return elapsed;
        return static_cast<std::uint64_t>((detail::wide_uint{elapsed} * inverse_) >> 64U);
    }

    /// How long after `now` so many `more` units are due: exact, rounded up to the nanosecond.
    /// Never `never`, which is said of what never comes.
    [[nodiscard, gnu::always_inline]] constexpr duration until(token_instant const& now,
                                                               std::uint64_t more) const noexcept {
        if (span_ == 1) [[likely]]
            return capped(more);
        return more == 0 ? duration::zero() : length_of(more, now.rest, units_, span_);
    }

    /// How many units are due within `length`, rounded down.
    [[nodiscard]] constexpr std::uint64_t within(duration length) const noexcept {
        if (length <= duration::zero()) return 0;
        auto const exact =
            detail::wide_uint{static_cast<std::uint64_t>(length.count())} * units_ / span_;
        return exact > units_max ? units_max : static_cast<std::uint64_t>(exact);
    }

private:
    /// The binary digits behind the point: as many as keep a unit from being shorter than a
    /// nanosecond, and `burst` tokens within `units_max`.
    static constexpr unsigned parts_of(std::uint64_t tokens, std::uint64_t per,
                                       std::uint64_t burst) noexcept {
        auto const by_time = static_cast<unsigned>(std::bit_width(per / tokens)) - 1;
        auto const by_burst = 60U - static_cast<unsigned>(std::bit_width(burst - 1));
        return std::min(by_time, by_burst);
    }

    // By values: of `std::clamp`, g++ makes a choice between addresses, and the time goes by way of
    // the stack.
    [[gnu::always_inline]] static constexpr std::uint64_t since_origin(time_point now) noexcept {
        constexpr auto century = horizon.count();
        auto since = now.time_since_epoch().count();
        since = since < -century ? -century : since;
        since = since > century ? century : since;
        return static_cast<std::uint64_t>(since + century);
    }

    /// Of so many `more` units, less a `rest` that is past. Not a member, for who inlines its
    /// caller then need not keep a scale in memory.
    static constexpr duration length_of(std::uint64_t more, std::uint64_t rest, std::uint64_t units,
                                        std::uint64_t span) noexcept {
        // The parts of a unit that are still to come; their number mostly fits 64 bits.
        auto const ahead = detail::wide_uint{more} * span - rest + (units - 1);
        if ((ahead >> 64U) == 0) return capped(static_cast<std::uint64_t>(ahead) / units);
        return capped(ahead / units);
    }

    static constexpr duration capped(detail::wide_uint length) noexcept {
        constexpr auto longest = static_cast<detail::wide_uint>(never.count()) - 1;
        return duration{static_cast<duration::rep>(std::min(length, longest))};
    }

    // The fields of `parts`.
    std::uint64_t token_ = 1;
    std::uint64_t units_ = 1;
    std::uint64_t span_ = 1;
    std::uint64_t inverse_ = 0;
};

}  // namespace hawser::inline v0
#endif  // HAWSER_RATE_TOKEN_SCALE_HPP
