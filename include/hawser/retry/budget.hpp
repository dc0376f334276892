// SPDX-License-Identifier: BSL-1.0
//
// How many retries a client may add to the load of what it calls, so that retries do not turn a
// brown-out into an outage.
//
//      deposit: one for each call that succeeds            reserve: one token for each retry
//      at once, a count in the thread's own stripe
//                     |  x ratio                                       ^
//                     v                                                |
//               +-----------------------------------------------------------+
//      floor -> |  tokens, at most `capacity`, in exact fractions           |
//      in time  +-----------------------------------------------------------+
//
// Nothing flows when a deposit is made: whoever reserves next folds in all deposits since the last
// time, and the floor for the time that passed. That is the same as filling the bucket at once and
// spilling at its rim. Between two reservations nothing is taken out; for what only adds,
// min(c, min(c, t + a) + b) = min(c, t + a + b), in any order.
// Source: the retry budget of Twitter's Finagle (ratio and floor); refill on success alone as the
// AWS SDKs and gRPC (proposal A6) do it.
#ifndef HAWSER_RETRY_BUDGET_HPP
#define HAWSER_RETRY_BUDGET_HPP

#include <hawser/base/contract.hpp>
#include <hawser/base/saturating.hpp>
#include <hawser/base/time.hpp>
#include <hawser/stats/striped_counter.hpp>

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <utility>

namespace hawser::inline v0 {

/// How much a `retry_budget` allows.
struct retry_budget_options {
    /// Tokens earned by a call that succeeds at its first attempt: the extra load in the steady
    /// state. In [0, 1], held to a billionth. Zero leaves the floor alone.
    double ratio = 0.2;

    /// Tokens that come by themselves in each `per`, so that a client with few calls, or none that
    /// succeed, can still try again. Zero leaves the ratio alone; both cannot be zero.
    std::uint32_t floor = 10;

    /// The time in which the floor comes, spread evenly. From 1 ns to an hour.
    duration per = std::chrono::seconds{1};

    /// The most tokens that are saved up: the burst of retries after a quiet time. From 1 to a
    /// million.
    std::uint32_t capacity = 100;
};

/// A store of tokens, one of which pays for one retry.
///
/// Starts with what the floor gives in one `per`, and at least one token: a new process can try
/// again from its first call on, and one that restarts over and over has no full store each time.
/// The floor flows from the first reservation on, which is when the budget is first told the time.
///
/// A retry reserves its token before it waits, so that of several callers who see the last token
/// one waits for its retry and the others are refused at once. It spends the token when its attempt
/// starts; a wait that ends otherwise gives it back.
///
/// Who deposits: a call that succeeds at its first attempt; one that needed a retry does not.
/// Refusals of our own policies and cancelled calls neither deposit nor reserve.
///
/// Guarantee:     within any span d in which n deposits are made, the reservations less those given
///                back are at most capacity + ratio * n + floor * d / per. Fractions are exact: a
///                third of a token a second is one every three seconds, for ever.
/// Time:          that runs backwards refills nothing and loses nothing.
/// Thread safety: all members but the move constructor may be called concurrently. Reservations
///                are linearizable: they happen one after the other.
/// Cost:          `deposit` is an add to the thread's own cache line (`striped_counter`); `reserve`
///                a short critical section. About 1.2 KiB; nothing is allocated.
class retry_budget {
public:
    static constexpr std::uint32_t capacity_max = 1'000'000;
    static constexpr duration per_max = std::chrono::hours{1};

    /// A token that is set aside. Moves; gives the token back when it is destroyed unspent.
    ///
    /// Must not outlive its budget. Thread safety: as a value's.
    class [[nodiscard]] reservation {
    public:
        /// Holds no token.
        reservation() noexcept = default;
        reservation(reservation&& other) noexcept
            : budget_{std::exchange(other.budget_, nullptr)} {}
        reservation& operator=(reservation&& other) noexcept {
            if (this != &other) {
                give_back();
                budget_ = std::exchange(other.budget_, nullptr);
            }
            return *this;
        }
        ~reservation() { give_back(); }

        /// Whether it holds a token.
        explicit operator bool() const noexcept { return budget_ != nullptr; }

        /// The attempt starts: the token is gone. Nothing happens if there is none.
        void spend() noexcept { budget_ = nullptr; }

        /// There will be no attempt: the token returns, unless the store is full by now. Nothing
        /// happens if there is none.
        void give_back() noexcept {
            if (auto* const budget = std::exchange(budget_, nullptr)) budget->take_back();
        }

    private:
        friend retry_budget;
        explicit reservation(retry_budget& budget) noexcept : budget_{&budget} {}
        retry_budget* budget_ = nullptr;
    };

    /// Throws `std::invalid_argument`, naming the field, if an option is out of range.
    explicit retry_budget(retry_budget_options const& options = {})
        : rates_{rates_of(options)}, tokens_{start_of(rates_, options.floor)} {}

    /// For pipelines that are put together from temporaries.
    ///
    /// Requires that `other` was never used.
    retry_budget(retry_budget&& other) noexcept : rates_{other.rates_}, tokens_{other.tokens_} {
        HAWSER_ASSERT(other.deposits_.total() == 0 && !other.refilled_at_);
    }
    retry_budget& operator=(retry_budget&&) = delete;

    /// A call succeeded at its first attempt.
    void deposit() noexcept { deposits_.add(); }

    /// Takes a token for one retry; the reservation is empty if there is none.
    ///
    /// Never waits for a token. A deposit that happened before is counted.
    reservation reserve(time_point now) noexcept {
        std::lock_guard const lock{mutex_};
        auto const [tokens, deposits] = refilled(now);
        tokens_ = tokens;
        deposits_folded_ = deposits;
        refilled_at_ = std::max(refilled_at_.value_or(now), now);
        if (tokens_ < rates_.one) return {};
        tokens_ -= rates_.one;
        return reservation{*this};
    }

    /// Returns a token that was reserved and spent for an attempt that is not made after all,
    /// unless the store is full by now. Requires that such a token is out.
    void give_back() noexcept { take_back(); }

    /// Whole tokens in store at `now`. A snapshot: out of date once somebody else reserves.
    [[nodiscard]] std::uint32_t available(time_point now) const noexcept {
        std::lock_guard const lock{mutex_};
        return static_cast<std::uint32_t>(refilled(now).tokens / rates_.one);
    }

private:
    // Tokens are counted in units of 1 / (10^9 * per in ns): what a nanosecond of the floor and a
    // billionth of a ratio earn are whole numbers of them. 128 bits hold every sum.
    using units = detail::wide_uint;
    static constexpr std::uint64_t ratio_parts = 1'000'000'000;

    struct rates {
        units one;           // A token.
        units capacity;      // A full store.
        units a_deposit;     // What a deposit earns.
        units a_nanosecond;  // What a nanosecond earns.
    };
    struct refill {
        units tokens;
        std::uint64_t deposits;
    };

    static rates rates_of(retry_budget_options const& options) {
        if (!(options.ratio >= 0 && options.ratio <= 1))
            throw std::invalid_argument{"retry_budget: ratio is not in [0, 1]"};
        if (options.per <= duration::zero() || options.per > per_max)
            throw std::invalid_argument{"retry_budget: per is not in (0, 1 h]"};
        if (options.capacity == 0 || options.capacity > capacity_max)
            throw std::invalid_argument{"retry_budget: capacity is not in [1, 1000000]"};
        auto const ratio = static_cast<std::uint64_t>(options.ratio * ratio_parts + 0.5);
        if (ratio == 0 && options.floor == 0)
            throw std::invalid_argument{"retry_budget: floor and ratio are both zero"};
        auto const per = static_cast<std::uint64_t>(options.per.count());
        auto const one = units{per} * ratio_parts;
        return {.one = one,
                .capacity = one * options.capacity,
                .a_deposit = units{per} * ratio,
                .a_nanosecond = units{options.floor} * ratio_parts};
    }

    static units start_of(rates const& rates, std::uint32_t floor) noexcept {
        return std::min(rates.one * std::max(floor, 1U), rates.capacity);
    }

    /// The store as it is at `now`, were it filled at once. Requires the lock.
    [[nodiscard]] refill refilled(time_point now) const noexcept {
        auto const deposits = deposits_.total();
        auto const last = refilled_at_.value_or(now);
        auto const passed =
            now > last ? static_cast<std::uint64_t>(time_between(last, now).count()) : 0;
        // No more deposits than fill the largest store at the smallest ratio: their product with
        // what one earns is then under 10^37, as the floor's is under 10^38.
        auto const earned = std::min(deposits - deposits_folded_, capacity_max * ratio_parts);
        auto const sum = tokens_ + rates_.a_nanosecond * passed + rates_.a_deposit * earned;
        return {.tokens = std::min(sum, rates_.capacity), .deposits = deposits};
    }

    void take_back() noexcept {
        std::lock_guard const lock{mutex_};
        tokens_ += rates_.one;  // What rises above the rim spills when it is next folded.
    }

    rates const rates_;
    striped_counter<> deposits_;
    mutable std::mutex mutex_;  // Guards what follows.
    units tokens_;
    std::uint64_t deposits_folded_ = 0;
    std::optional<time_point> refilled_at_;
};

}  // namespace hawser::inline v0
#endif  // HAWSER_RETRY_BUDGET_HPP
