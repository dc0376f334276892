// SPDX-License-Identifier: BSL-1.0
//
// What one node may admit while nobody can say what the others do: its share of the rate.
//
// While the server answers, it hands each node a share that all shares together keep within the
// rate, for some time; the node writes down what each bucket had. Once the server is away, the node
// decides by buckets of its own, of its share of rate and burst, that begin with its share of what
// was there. When the lease ends it is left with the least share, which is safe for ever.
//
//      answers     away         lease ends            answers again
//     ----|---------|================|-------------------|----
//         share ----------> share           least share
#ifndef HAWSER_ADAPT_REDIS_LEASE_HPP
#define HAWSER_ADAPT_REDIS_LEASE_HPP

#include <hawser/base/contract.hpp>
#include <hawser/base/saturating.hpp>
#include <hawser/base/time.hpp>
#include <hawser/rate/admission.hpp>
#include <hawser/rate/bucket_shape.hpp>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace hawser::inline v0 {

/// Buckets of a share of several limits, each for any number of keys, in fixed memory.
///
/// Starts with the least share and full buckets. A key has its bucket by its hash, and those that
/// meet in one share it: a key may be refused for what another took, never granted for it.
///
/// Guarantee:     within any span d of one lease, grants a key at most its share of burst and
///                d * rate / period, both of them rounded down, but of the burst one at least.
/// Thread safety: none; its owner locks.
/// Cost:          8 bytes a bucket. `decide` and `learn` are O(limits); another share is
///                O(buckets), and comes with the number of nodes.
class redis_lease {
public:
    /// A share is a number of these parts of the whole rate.
    static constexpr std::uint32_t whole = 1'000'000;

    /// `least` is the share without a lease, in [1, whole]; `buckets` for each limit are rounded up
    /// to a power of two. Throws `std::invalid_argument` if the least share of a limit gives no
    /// token in 25 years.
    redis_lease(std::span<token_bucket_options const> limits, std::uint32_t least,
                std::uint32_t buckets)
        : least_{least}, share_{least}, limits_(limits.begin(), limits.end()) {
        HAWSER_ASSERT(least > 0 && least <= whole && buckets > 0);
        mask_ = std::bit_ceil(std::size_t{buckets}) - 1;
        for (auto const& limit : limits_) {
            constexpr duration token_max = std::chrono::hours{24 * 365 * 25};
            if (multiply_divide(limit.period.count(), whole, least) == never.count() ||
                multiply_divide(limit.period.count() / limit.rate, whole, least) >
                    token_max.count())
                throw std::invalid_argument{
                    "redis_rate_limiter: max_nodes leaves a node no token in 25 years"};
            shapes_.emplace_back(part_of(limit, least));
            marks_.emplace_back(mask_ + 1, 0U);
        }
    }

    /// Takes a lease of `share`, which ends at `until`. What the buckets have stays theirs.
    void renew(std::uint32_t share, time_point until, time_point now) {
        until_ = until;
        take_share(std::clamp(share, least_, whole), now);
    }

    /// The share that holds at `now`, in parts of `whole`.
    [[nodiscard]] std::uint32_t share(time_point now) const noexcept {
        return now < until_ ? share_ : least_;
    }

    /// Writes down that the key has `available` tokens for all nodes together.
    void learn(std::size_t limit, std::string_view key, std::uint32_t available, time_point now) {
        auto const& shape = shapes_[limit];
        auto const mine = std::uint64_t{available} * share_ / whole;
        auto const spent = shape.burst() - std::min(mine, shape.burst());
        // A full one says nothing, for the time that passes cannot make it fuller.
        bucket(limit, key) = available == limits_[limit].burst
                                 ? 0
                                 : shape.scale().at(now).ceil() + spent * shape.scale().token();
    }

    /// Takes `count` tokens of each key, one for each limit, or none of any.
    admission decide(std::span<std::string_view const> keys, std::uint32_t count, time_point now) {
        HAWSER_ASSERT(keys.size() == limits_.size());
        if (now >= until_) take_share(least_, now);
        duration wait{};
        for (std::size_t i = 0; i != keys.size(); ++i) {
            auto const& shape = shapes_[i];
            auto const asked = shape.ask(now, bucket(i, keys[i]), count);
            if (count > shape.burst())
                wait = never;
            else if (asked.lacking != 0)
                wait = std::max(wait, shape.scale().until(asked.now, asked.lacking));
        }
        if (wait != duration::zero()) return {.granted = false, .retry_after = wait};
        for (std::size_t i = 0; i != keys.size(); ++i) {
            auto& mark = bucket(i, keys[i]);
            mark = shapes_[i].ask(now, mark, count).mark;
        }
        return {.granted = true, .retry_after = {}};
    }

    /// The part of a limit that a share is. The rate is exact: it is the period that is longer.
    [[nodiscard]] static token_bucket_options part_of(token_bucket_options const& limit,
                                                      std::uint32_t share) {
        auto const burst = std::uint64_t{limit.burst} * share / whole;
        auto const longer = multiply_divide(limit.period.count(), whole, share);
        auto const cut = multiply_divide(longer, share, whole) != limit.period.count();
        return {.rate = limit.rate,
                .period = add_saturating(duration{longer}, duration{cut ? 1 : 0}),
                .burst = static_cast<std::uint32_t>(std::max<std::uint64_t>(burst, 1))};
    }

private:
    std::uint64_t& bucket(std::size_t limit, std::string_view key) noexcept {
        // Finished once more: the low bits of some hashes are no better than the key's.
        auto const hash = std::hash<std::string_view>{}(key)*0x9e3779b97f4a7c15U;
        return marks_[limit][(hash >> 32U) & mask_];
    }

    void take_share(std::uint32_t share, time_point now) {
        if (share == share_) return;
        share_ = share;
        for (std::size_t i = 0; i != limits_.size(); ++i) {
            detail::bucket_shape const changed{part_of(limits_[i], share)};
            for (auto& mark : marks_[i])
                if (mark != 0) mark = changed.take_over(shapes_[i], mark, now);
            shapes_[i] = changed;
        }
    }

    std::uint32_t least_;
    std::uint32_t share_;
    time_point until_ = time_point::min();
    std::vector<token_bucket_options> limits_;
    std::vector<detail::bucket_shape> shapes_;
    std::vector<std::vector<std::uint64_t>> marks_;  ///< By limit and bucket. Zero: full.
    std::size_t mask_ = 0;
};

}  // namespace hawser::inline v0
#endif  // HAWSER_ADAPT_REDIS_LEASE_HPP
