// SPDX-License-Identifier: BSL-1.0
//
// Rate and burst in whole microseconds and exact parts of one: what a server-side script counts in.
//
// The numbers of a Redis script are doubles, exact up to 2^53, and its clock counts microseconds:
// 1.8e15 of them by now, half of what there is room for. So an instant is kept as two integers, the
// microsecond and the parts past it. A token takes per/parts microseconds, in lowest terms, and no
// rate is rounded: seven a second is a token every 142857 and 1/7 microseconds.
#ifndef HAWSER_ADAPT_REDIS_QUOTA_HPP
#define HAWSER_ADAPT_REDIS_QUOTA_HPP

#include <hawser/base/saturating.hpp>
#include <hawser/base/time.hpp>
#include <hawser/rate/bucket_shape.hpp>

#include <chrono>
#include <cstdint>
#include <numeric>
#include <stdexcept>

namespace hawser::inline v0 {

/// A length of time in microseconds, exact.
struct redis_span {
    std::uint64_t whole = 0;
    std::uint64_t part = 0;  ///< Past it, in parts of a microsecond: `redis_quota::parts` are one.

    friend constexpr bool operator==(redis_span const&, redis_span const&) = default;
};

/// A checked rate and burst. Immutable.
class redis_quota {
public:
    /// Numbers from here on are not all doubles.
    static constexpr std::uint64_t exact_max = std::uint64_t{1} << 53U;

    /// Throws `std::invalid_argument`, naming the field, if an option is out of range: as those of
    /// a `token_bucket` are.
    explicit constexpr redis_quota(token_bucket_options const& options)
        : burst_{checked(options).burst} {
        constexpr std::uint64_t thousand = 1000;  // Nanoseconds in a microsecond.
        auto const length = static_cast<std::uint64_t>(options.period.count());
        auto const tokens = thousand * options.rate;
        auto const common = std::gcd(length, tokens);
        per_ = length / common;
        parts_ = tokens / common;
        // Less than a token bucket's thirty years, so that a share of it is one, rounded or not.
        constexpr std::chrono::microseconds refill_max = std::chrono::hours{24 * 365 * 25};
        // With the clock's own 2^51, that lasts until the year 2041, every sum stays below 2^53.
        static_assert(refill_max.count() < std::int64_t{1} << 50U);
        auto const refill = detail::wide_uint{per_} * burst_ / parts_;
        if (refill >= static_cast<std::uint64_t>(refill_max.count()))
            throw std::invalid_argument{"redis_rate_limiter: burst takes over 25 years to refill"};
    }

    [[nodiscard]] constexpr std::uint32_t burst() const noexcept { return burst_; }

    /// Parts that make a microsecond.
    [[nodiscard]] constexpr std::uint64_t parts() const noexcept { return parts_; }

    /// The time in which so many tokens come back. Requires `count <= burst`.
    [[nodiscard]] constexpr redis_span cost(std::uint32_t count) const noexcept {
        auto const exact = detail::wide_uint{per_} * count;
        return {static_cast<std::uint64_t>(exact / parts_),
                static_cast<std::uint64_t>(exact % parts_)};
    }

    /// Whole tokens in a bucket that is full again after `owed`.
    [[nodiscard]] constexpr std::uint32_t available(redis_span const& owed) const noexcept {
        auto const full = detail::wide_uint{per_} * burst_;
        auto const lacking = detail::wide_uint{owed.whole} * parts_ + owed.part;
        return lacking >= full ? 0 : static_cast<std::uint32_t>((full - lacking) / per_);
    }

private:
    static constexpr token_bucket_options const& checked(token_bucket_options const& options) {
        if (options.rate == 0) throw std::invalid_argument{"redis_rate_limiter: rate is zero"};
        if (options.burst == 0) throw std::invalid_argument{"redis_rate_limiter: burst is zero"};
        if (options.period <= duration::zero())
            throw std::invalid_argument{"redis_rate_limiter: period is not positive"};
        if (options.rate > static_cast<std::uint64_t>(options.period.count()))
            throw std::invalid_argument{"redis_rate_limiter: rate is more than one a nanosecond"};
        return options;
    }

    std::uint32_t burst_;
    std::uint64_t per_ = 1;
    std::uint64_t parts_ = 1;
};

}  // namespace hawser::inline v0
#endif  // HAWSER_ADAPT_REDIS_QUOTA_HPP
