// SPDX-License-Identifier: BSL-1.0
//
// A token bucket: grants `burst` requests at once, then `rate` per `period` for ever after.
//
// No timer refills the bucket and nothing counts tokens. Its whole state is a number on the line of
// units of a `token_scale`, the mark: where the line must have come to for the bucket to be full.
// Taking n tokens moves it n tokens on; a request that would move it more than a full bucket ahead
// of now is refused.
//
//         now                mark            now + capacity
//          |------ owed -------|---- available ------|
//
// One mark fits in one atomic word, so admission is a compare-and-swap and an idle bucket costs
// nothing. Read as a leaky bucket, the same word is the level of a vessel that drains: owed is what
// is in it, and the capacity its rim.
// Source: the Generic Cell Rate Algorithm (GCRA) in its virtual-scheduling form, ITU-T
// Recommendation I.371; here with tokens for the axis in place of time, which loses no rate.
#ifndef HAWSER_RATE_TOKEN_BUCKET_HPP
#define HAWSER_RATE_TOKEN_BUCKET_HPP

#include <hawser/base/padded.hpp>
#include <hawser/base/time.hpp>
#include <hawser/rate/admission.hpp>
#include <hawser/rate/bucket_shape.hpp>
#include <hawser/rate/token_scale.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <utility>

namespace hawser::inline v0 {

/// Tokens that are the caller's from some time on. To be used then, or given back by `cancel`.
struct [[nodiscard]] reservation {
    bool granted = false;

    /// If granted, how long to wait before the tokens may be used. If refused, the wait that was
    /// too long; `never` for more tokens than there can be.
    duration wait{};

    std::uint32_t count = 0;

    // For `cancel` alone: the bucket as the reservation left it.
    std::uint32_t change = 0;
    std::uint64_t mark = 0;

    explicit operator bool() const noexcept { return granted; }
};

/// Holds a stream of requests to a sustained rate, with bounded bursts. Starts full.
///
/// Reads no clock and never waits: the caller says what time it is and what a refusal means.
///
/// Guarantee:     within any span d, grants at most burst + floor(d * rate / period) tokens; with
///                clocks that differ by e between threads, or step back by e, as if d were d + e.
///                A reservation counts at the end of its wait, which is rounded up, so that d is a
///                nanosecond more. The rate is exact, whatever its numbers: a token is there less
///                than two nanoseconds after its time, and on it where tokens take whole ones.
/// Thread safety: all members may be called concurrently on one object. Lock-free, but for
///                `reconfigure`, which makes nobody wait but itself.
/// Cost:          a grant is one compare-and-swap and a few nanoseconds of arithmetic, a refusal
///                writes nothing. 192 bytes; nothing is allocated.
class token_bucket {
public:
    using options_type = token_bucket_options;

    /// Throws `std::invalid_argument`, naming the field, if an option is out of range.
    explicit constexpr token_bucket(token_bucket_options const& options)
        : shape_{detail::bucket_shape{options}} {}

    /// Takes `count` tokens if the bucket has them, else none. No tokens are always granted.
    ///
    /// If `now` is earlier than on a previous call, nothing refills. An instant more than a century
    /// from the clock's epoch counts as one a century from it. O(1).
    [[gnu::always_inline]] admission try_acquire(time_point now, std::uint32_t count = 1) noexcept {
        // What is most often so: the bucket has them, and no options change. The rest is another
        // function, so that this one keeps what it reads in registers.
        for (auto word = current(); (word & to_spare) == 0;) {
            auto const shape = shape_.load();
            if (auto const mark = shape.mark_in_use(now, word, count); mark != 0) [[likely]] {
                if (swap(word, mark)) [[likely]]
                    return {.granted = true, .retry_after = {}};
                continue;
            }
            if (!shape.is_full(now, word)) [[unlikely]]
                break;
            auto const request = shape.ask(now, word, count);
            if (request.lacking != 0) [[unlikely]]
                break;
            if (take(word, request)) [[likely]]
                return {.granted = true, .retry_after = {}};
        }
        return acquire_or_refuse(now, count);
    }

    /// Takes as many tokens as the bucket has, up to `count`, and says how many.
    std::uint32_t try_acquire_up_to(time_point now, std::uint32_t count) noexcept {
        for (auto word = current();;) {
            auto const shape = shape_of(word);
            auto const granted = std::min(count, whole(shape, now, word));
            if (granted == 0 ? unchanged(word) : take(word, ask(shape, now, word, granted)))
                return granted;
        }
    }

    /// Takes `count` tokens that are there within `wait_max`, else none: the bucket may owe. Later
    /// requests find it so.
    ///
    /// The tokens are taken at once; who has waited does not ask again. With a negative `wait_max`,
    /// as of a deadline that is past, nothing is.
    reservation reserve(time_point now, std::uint32_t count, duration wait_max) noexcept {
        // Read before the word, and written after it: that of a reservation is never too new.
        auto const change = changes_.load(std::memory_order_acquire);
        for (auto word = current();;) {
            auto const shape = shape_of(word);
            auto const request = ask(shape, now, word, count);
            auto const wait = wait_for(shape, request, count);
            if (wait > wait_max || wait == never || request.lacking > token_scale::units_max) {
                if (unchanged(word)) return {.granted = false, .wait = wait};
            } else if (take(word, request)) {
                return {.granted = true,
                        .wait = wait,
                        .count = count,
                        .change = change,
                        .mark = request.mark};
            }
        }
    }

    /// Gives a reservation back, used by nobody. True if its tokens are there again, which they are
    /// if nothing that was taken since is still out: the latest goes first. Else they are lost, so
    /// that others keep their times: what a bucket grants too little is at most what was cancelled.
    ///
    /// Lost as well is what was reserved before a `reconfigure` or `refill`. Does nothing with a
    /// refused one. Requires that it was not given back already.
    bool cancel(reservation const& unused) noexcept {
        if (!unused.granted || changes_.load(std::memory_order_acquire) != unused.change)
            return false;
        for (auto word = current(); mark_of(word) == unused.mark;)
            if (swap(word, unused.mark - unused.count * shape_of(word).scale().token()))
                return true;
        return false;
    }

    /// Whole tokens in the bucket. Out of date once another thread acquires.
    [[nodiscard]] std::uint32_t available(time_point now) const noexcept {
        for (auto word = current();;) {
            auto const tokens = whole(shape_of(word), now, word);
            if (unchanged(word)) return tokens;
        }
    }

    /// Takes a new rate and burst. The bucket keeps the tokens it has, up to the new burst, and
    /// what it owes, up to 36 years of it. A burst that grows is not filled: it has to be earned.
    ///
    /// Exact to six nanoseconds, which the bucket keeps; the options that it has change nothing.
    /// Throws `std::invalid_argument` as the constructor, and changes nothing then.
    void reconfigure(token_bucket_options const& options, time_point now) {
        detail::bucket_shape const changed{options};
        std::lock_guard const lock{changing_};
        auto const old = shape_.load();
        if (changed == old) return;
        // Requests go on by the spare one while the shape is stored: no shape is written while a
        // word leads to it, and who has seen a part of the new one finds another word.
        spare_.store(changed);
        auto word = word_.load(std::memory_order_relaxed);
        auto const unit = changed.scale().at(now).ceil();
        auto const moved = [&] {
            return changed.take_over(old, balance(old, now, word), unit) | to_spare;
        };
        while (!word_.compare_exchange_weak(word, moved(), std::memory_order_release,
                                            std::memory_order_relaxed)) {}
        counted_from_.store(unit, std::memory_order_relaxed);
        changes_.fetch_add(1, std::memory_order_release);
        shape_.store(changed);
        word_.fetch_and(~to_spare, std::memory_order_release);
    }

    /// Makes the bucket full: an operator's pardon. A clock that ran ahead and was set right leaves
    /// a bucket that owes for as long as it was ahead.
    void refill() noexcept {
        for (auto word = current(); !swap(word, 0);) {}
        changes_.fetch_add(1, std::memory_order_release);
    }

private:
    /// Set in the word while its shape is the spare one. A mark is less: a century on either side
    /// of the epoch, what a bucket holds and what it may owe are 2^62.9 units.
    static constexpr std::uint64_t to_spare = std::uint64_t{1} << 63U;

    static constexpr std::uint64_t mark_of(std::uint64_t word) noexcept { return word & ~to_spare; }

    /// What the word leads to. A branch and no index, so that reading the shape need not wait for
    /// the word. Should the shape be replaced meanwhile, parts of two may be read; the word is then
    /// another one, and who acts on it looks (`swap`, `unchanged`). Not told apart is a word that
    /// stands there again, to the unit: a scale that differs has its origin a century back, and so
    /// no marks in common; on an equal one, a single request counts by the options it saw.
    [[nodiscard, gnu::always_inline]] detail::bucket_shape shape_of(
        std::uint64_t word) const noexcept {
        if ((word & to_spare) != 0) [[unlikely]]
            return spare_.load();
        return shape_.load();
    }

    // Acquire: a word of another shape comes with that shape. A grant publishes nothing but itself;
    // it acquires because g++ wants no less of success than of failure.

    [[nodiscard, gnu::always_inline]] std::uint64_t current() const noexcept {
        return word_.load(std::memory_order_acquire);
    }
    /// Whether the word still stands, and so its shape was read in one piece; if not, `word` is
    /// what stands there by now.
    [[nodiscard, gnu::always_inline]] bool unchanged(std::uint64_t& word) const noexcept {
        auto const seen = current();
        return seen == std::exchange(word, seen);
    }
    /// Whether the mark was moved; if not, `word` is what stands there by now.
    [[gnu::always_inline]] bool swap(std::uint64_t& word, std::uint64_t mark) noexcept {
        return word_.compare_exchange_weak(word, mark | (word & to_spare),
                                           std::memory_order_acquire);
    }

    [[gnu::noinline]] admission acquire_or_refuse(time_point now, std::uint32_t count) noexcept {
        for (auto word = current();;) {
            auto const shape = shape_of(word);
            auto const request = ask(shape, now, word, count);
            if (request.lacking == 0) [[likely]] {
                if (take(word, request)) [[likely]]
                    return {.granted = true, .retry_after = {}};
            } else if (unchanged(word)) {
                return {.granted = false, .retry_after = wait_for(shape, request, count)};
            }
        }
    }

    /// A full bucket counts a mark from the end of a unit that is due in part. Whoever asks within
    /// that unit finds the bucket there as well; else the last token of its burst would be missing
    /// until the unit is over.
    [[nodiscard]] bool is_counted_from(token_instant const& now) const noexcept {
        // Relaxed: it is a hint. Not seen, the token comes with the next unit; seen by a clock that
        // lags, what was granted since that unit is still a burst at most.
        return now.rest != 0 && now.ceil() == counted_from_.load(std::memory_order_relaxed);
    }
    [[nodiscard, gnu::always_inline]] detail::bucket_request ask(
        detail::bucket_shape const& shape, time_point now, std::uint64_t word,
        std::uint32_t count) const noexcept {
        auto request = shape.ask(now, mark_of(word), count);
        if (request.lacking == 1 && is_counted_from(request.now)) [[unlikely]]
            request.lacking = 0;
        return request;
    }
    [[gnu::always_inline]] bool take(std::uint64_t& word,
                                     detail::bucket_request const& request) noexcept {
        if (!swap(word, request.mark)) [[unlikely]]
            return false;
        if (request.anew && request.now.rest != 0)
            counted_from_.store(request.now.ceil(), std::memory_order_relaxed);
        return true;
    }

    static duration wait_for(detail::bucket_shape const& shape,
                             detail::bucket_request const& request, std::uint32_t count) noexcept {
        return count > shape.burst() ? never : shape.scale().until(request.now, request.lacking);
    }
    [[nodiscard]] std::int64_t balance(detail::bucket_shape const& shape, time_point at,
                                       std::uint64_t word) const noexcept {
        auto const now = shape.scale().at(at);
        return shape.balance(is_counted_from(now) ? now.ceil() : now.floor, mark_of(word));
    }
    [[nodiscard]] std::uint32_t whole(detail::bucket_shape const& shape, time_point now,
                                      std::uint64_t word) const noexcept {
        auto const has = std::max<std::int64_t>(balance(shape, now, word), 0);
        return static_cast<std::uint32_t>(static_cast<std::uint64_t>(has) / shape.scale().token());
    }

    detail::shape_cell shape_;
    detail::shape_cell spare_;
    // On a line of their own, since grants write there: what they read stays with every thread.
    alignas(cache_line) std::atomic<std::uint64_t> word_{0};  ///< The mark: full at any time.
    std::atomic<std::uint64_t> counted_from_{0};
    std::atomic<std::uint32_t> changes_{0};
    std::mutex changing_;
};

}  // namespace hawser::inline v0
#endif  // HAWSER_RATE_TOKEN_BUCKET_HPP
