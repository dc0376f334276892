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
        auto const change = last_change();
        for (auto word = current(); (word & to_spare) == 0;) {
            auto const to = shape_.move(now, word, count);
            if (to.mark == 0 || last_change() != change) [[unlikely]]
                break;
            if (swap(word, to.mark)) [[likely]] {
                if (to.start != 0) counted_from_.store(to.start, std::memory_order_relaxed);
                return {.granted = true, .retry_after = {}};
            }
            let_pass();
            word = current();
        }
        return acquire_or_refuse(now, count);
    }

    /// Takes as many tokens as the bucket has, up to `count`, and says how many.
    std::uint32_t try_acquire_up_to(time_point now, std::uint32_t count) noexcept {
        for (;;) {
            auto const seen = look();
            auto const granted = std::min(count, whole(seen, now));
            if (granted == 0 || take(seen, ask(seen, now, granted))) return granted;
        }
    }

    /// Takes `count` tokens that are there within `wait_max`, else none: the bucket may owe. Later
    /// requests find it so.
    ///
    /// The tokens are taken at once; who has waited does not ask again. With a negative `wait_max`,
    /// as of a deadline that is past, nothing is.
    reservation reserve(time_point now, std::uint32_t count, duration wait_max) noexcept {
        for (;;) {
            auto const seen = look();
            auto const request = ask(seen, now, count);
            auto const wait = wait_for(seen.shape, request, count);
            if (wait > wait_max || wait == never || request.lacking > token_scale::units_max)
                return {.granted = false, .wait = wait};
            if (take(seen, request))
                return {.granted = true,
                        .wait = wait,
                        .count = count,
                        .change = seen.change,
                        .mark = request.mark};
        }
    }

    /// Gives a reservation back, used by nobody. True if its tokens are there again, which they are
    /// if nothing that was taken since is still out: the latest goes first. Else they are lost, so
    /// that others keep their times: what a bucket grants too little is at most what was cancelled.
    ///
    /// Lost as well is what was reserved before a `reconfigure` or `refill`. Does nothing with a
    /// refused one. Requires that it was not given back already.
    bool cancel(reservation const& unused) noexcept {
        for (;;) {
            auto const seen = look();
            if (!unused.granted || seen.change != unused.change || seen.mark() != unused.mark)
                return false;
            auto word = seen.word;
            if (swap(word, unused.mark - unused.count * seen.shape.scale().token())) return true;
        }
    }

    /// Whole tokens in the bucket. Out of date once another thread acquires.
    [[nodiscard]] std::uint32_t available(time_point now) const noexcept {
        return whole(look(), now);
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
        // Requests go on by the spare one while the shape is stored. The change is counted before
        // either is written, for who reads on meanwhile; and again once the word is another, for
        // what is reserved by the old options is not to be given back by the new ones.
        changes_.fetch_add(1, std::memory_order_relaxed);
        spare_.store(changed);
        auto const unit = changed.scale().at(now).ceil();
        auto word = word_.load(std::memory_order_relaxed);
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
        while (!swap(current(), 0)) {}
        changes_.fetch_add(1, std::memory_order_release);
    }

private:
    /// Set in the word while its shape is the spare one. A mark is less: a century on either side
    /// of the epoch, what a bucket holds and what it may owe are 2^62.9 units.
    static constexpr std::uint64_t to_spare = std::uint64_t{1} << 63U;

    static constexpr std::uint64_t mark_of(std::uint64_t word) noexcept { return word & ~to_spare; }

    /// A word and the shape that it leads to.
    struct state {
        std::uint32_t change;
        std::uint64_t word;
        detail::bucket_shape shape;
        [[nodiscard]] std::uint64_t mark() const noexcept { return mark_of(word); }
    };
    /// No change was counted from before the word was read until the shape was: they belong
    /// together. A word that comes back to the unit, by a change between this and a swap, is taken
    /// for the same: the request then counts by the options that it saw.
    [[nodiscard]] state look() const noexcept {
        for (;;) {
            auto const change = last_change();
            auto const word = current();
            auto const shape = (word & to_spare) != 0 ? spare_.load() : shape_.load();
            if (last_change() == change) [[likely]]
                return {change, word, shape};
        }
    }

    // Acquire: a word of another shape comes with that shape, and what was read after this, after a
    // change that was counted. A grant publishes nothing but itself; it acquires because g++ wants
    // no less of success than of failure.

    [[nodiscard, gnu::always_inline]] std::uint32_t last_change() const noexcept {
        return changes_.load(std::memory_order_acquire);
    }
    [[nodiscard, gnu::always_inline]] std::uint64_t current() const noexcept {
        return word_.load(std::memory_order_acquire);
    }
    /// Whether the mark was moved.
    [[gnu::always_inline]] bool swap(std::uint64_t word, std::uint64_t mark) noexcept {
        return word_.compare_exchange_weak(word, mark | (word & to_spare),
                                           std::memory_order_acquire);
    }

    /// Of two threads that take the word from each other with each request, neither gets far: who
    /// has lost it leaves it to the other for a moment. Four times, which is about how long a line
    /// takes from core to core: the gate measured 1.4 times a bare compare-and-swap with one, 1.1
    /// with four.
    static void let_pass() noexcept {
        for (int times = 0; times != 4; ++times) {
#if defined(__x86_64__) || defined(__i386__)
            __builtin_ia32_pause();
#elif defined(__aarch64__)
            asm volatile("isb");
#endif
        }
    }

    /// `try_acquire` in every case.
    [[gnu::noinline]] admission acquire_or_refuse(time_point now, std::uint32_t count) noexcept {
        for (;;) {
            auto const seen = look();
            auto const request = ask(seen, now, count);
            if (request.lacking != 0)
                return {.granted = false, .retry_after = wait_for(seen.shape, request, count)};
            if (take(seen, request)) return {.granted = true, .retry_after = {}};
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
    [[nodiscard]] detail::bucket_request ask(state const& seen, time_point now,
                                             std::uint32_t count) const noexcept {
        auto request = seen.shape.ask(now, seen.mark(), count);
        if (request.lacking == 1 && is_counted_from(request.now)) [[unlikely]]
            request.lacking = 0;
        return request;
    }
    bool take(state const& seen, detail::bucket_request const& request) noexcept {
        if (!swap(seen.word, request.mark)) return false;
        if (request.anew) counted_from_.store(request.now.ceil(), std::memory_order_relaxed);
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
    [[nodiscard]] std::uint32_t whole(state const& seen, time_point now) const noexcept {
        auto const has = std::max<std::int64_t>(balance(seen.shape, now, seen.word), 0);
        return static_cast<std::uint32_t>(static_cast<std::uint64_t>(has) /
                                          seen.shape.scale().token());
    }

    detail::shape_cell shape_;
    std::atomic<std::uint32_t> changes_{0};
    detail::shape_cell spare_;
    // On a line of their own, since grants write there: what they read stays with every thread.
    alignas(cache_line) std::atomic<std::uint64_t> word_{0};  ///< The mark: full at any time.
    std::atomic<std::uint64_t> counted_from_{0};
    std::mutex changing_;
};

}  // namespace hawser::inline v0
#endif  // HAWSER_RATE_TOKEN_BUCKET_HPP
