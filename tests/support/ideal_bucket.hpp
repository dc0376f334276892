// SPDX-License-Identifier: BSL-1.0
//
// What a token bucket should do, in rational numbers: the independent model of the tests of rate/.
#ifndef HAWSER_TESTS_SUPPORT_IDEAL_BUCKET_HPP
#define HAWSER_TESTS_SUPPORT_IDEAL_BUCKET_HPP

#include <hawser/base/saturating.hpp>
#include <hawser/base/time.hpp>
#include <hawser/rate/bucket_shape.hpp>

#include <algorithm>
#include <cstdint>
#include <random>

namespace support {

/// Parts of a token; how many there are in one is the period in nanoseconds. A nanosecond earns
/// `rate` of them, so that every instant is a whole number of parts and nothing is rounded.
using token_parts = hawser::detail::wide_int;

inline token_parts parts_at(hawser::token_bucket_options const& of, hawser::time_point now) {
    return token_parts{now.time_since_epoch().count()} * of.rate;
}

/// A bucket that is told what was granted, and says what it would have done.
class ideal_bucket {
public:
    explicit ideal_bucket(hawser::token_bucket_options const& options) : of_{options} {}

    [[nodiscard]] bool would_grant(hawser::time_point now, std::uint32_t count) const {
        return raised(now, count) - parts_at(of_, now) <= whole(of_.burst);
    }
    void grant(hawser::time_point now, std::uint32_t count) { full_at_ = raised(now, count); }

private:
    [[nodiscard]] token_parts whole(std::uint32_t tokens) const {
        return token_parts{tokens} * of_.period.count();
    }
    [[nodiscard]] token_parts raised(hawser::time_point now, std::uint32_t count) const {
        return std::max(full_at_, parts_at(of_, now)) + whole(count);
    }

    hawser::token_bucket_options of_;
    token_parts full_at_ = -(token_parts{1} << 120);
};

/// Whether in each window that ends with a grant, there was granted at most
/// burst + floor(rate * (window + slack) / period). Told the grants in order of their true times.
class window_bound {
public:
    explicit window_bound(hawser::token_bucket_options const& options, hawser::duration slack = {})
        : of_{options}, slack_{token_parts{slack.count()} * options.rate} {}

    /// Granted, all windows that begin with an earlier grant stay within the bound.
    [[nodiscard]] bool holds_with(hawser::time_point now, std::uint32_t count) {
        // For a window from grant i to this one, with S what was granted up to a grant and t its
        // time: S - S(i - 1) <= burst + (t - t(i) + slack) * rate, so the smallest of
        // S(i - 1) - t(i) * rate decides for all of them.
        auto const period = token_parts{of_.period.count()};
        least_ = std::min(least_, granted_ * period - parts_at(of_, now));
        granted_ += count;
        return granted_ * period - parts_at(of_, now) - least_ <= of_.burst * period + slack_;
    }

private:
    hawser::token_bucket_options of_;
    token_parts slack_;
    token_parts granted_ = 0;
    token_parts least_ = token_parts{1} << 120;
};

/// Rates from one an hour to one a nanosecond; whole numbers of nanoseconds a token, and others.
inline hawser::token_bucket_options random_bucket(std::mt19937_64& random) {
    using namespace std::chrono_literals;
    auto const burst = static_cast<std::uint32_t>(1 + random() % 20);
    auto const up_to = [&random](std::uint64_t most) {
        return static_cast<std::uint32_t>(1 + random() % most);
    };
    switch (random() % 10) {
        case 0: return {.rate = 7'000'000, .burst = burst};
        case 1: return {.rate = 400'000'000, .burst = burst};
        case 2: return {.rate = 1, .period = 3s, .burst = burst};
        case 3: return {.rate = 3'000'007, .burst = burst};
        case 4: return {.rate = 100, .burst = burst};
        case 5: return {.rate = 999'999'937, .burst = burst};
        case 6: return {.rate = 3, .period = 7ns, .burst = burst};
        case 7: return {.rate = up_to(3'600), .period = 1h, .burst = burst};
        case 8: return {.rate = up_to(1'000'000'000), .burst = burst};
        default:
            return {.rate = up_to(1'000),
                    .period = hawser::duration{1'000 + up_to(100'000)},
                    .burst = burst};
    }
}

/// A step of time for a bucket: mostly a few tokens' worth, seldom a long rest.
inline hawser::duration random_step(std::mt19937_64& random,
                                    hawser::token_bucket_options const& of) {
    auto const token = static_cast<std::uint64_t>(of.period.count()) / of.rate + 1;
    auto const most = random() % 50 == 0 ? token * of.burst * 3 : token * (1 + random() % 3);
    return hawser::duration{static_cast<std::int64_t>(random() % (most + 1))};
}

/// Anywhere within ninety years of the epoch; often near it.
inline hawser::time_point random_start(std::mt19937_64& random) {
    auto const ninety_years = std::chrono::hours{24 * 365 * 90};
    auto const any = static_cast<std::uint64_t>(hawser::duration{ninety_years}.count());
    auto const since = hawser::duration{static_cast<std::int64_t>(random() % any)};
    switch (random() % 3) {
        case 0: return hawser::time_point{since % std::chrono::hours{1}};
        case 1: return hawser::time_point{since};
        default: return hawser::time_point{-since};
    }
}

}  // namespace support

#endif  // HAWSER_TESTS_SUPPORT_IDEAL_BUCKET_HPP
