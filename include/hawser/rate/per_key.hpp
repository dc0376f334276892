// SPDX-License-Identifier: BSL-1.0
//
// What `keyed` keeps for each key of a limiter, and what all its keys share.
#ifndef HAWSER_RATE_PER_KEY_HPP
#define HAWSER_RATE_PER_KEY_HPP

#include <hawser/base/padded.hpp>
#include <hawser/base/random.hpp>
#include <hawser/base/time.hpp>
#include <hawser/rate/admission.hpp>
#include <hawser/rate/bucket_shape.hpp>
#include <hawser/rate/token_bucket.hpp>
#include <hawser/rate/token_scale.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>

namespace hawser::inline v0 {

/// A limiter that says when it will be as a new one is: `fresh_in(now)` is zero from then on, and
/// what a request that is refused, or for no tokens, leaves as it was.
template <class Limiter>
concept says_when_fresh = requires(Limiter& limiter, Limiter const& looked_at, time_point now,
                                   std::uint32_t count) {
    { limiter.try_acquire(now, count) }
    noexcept->std::convertible_to<admission>;
    { looked_at.fresh_in(now) }
    noexcept->std::same_as<duration>;
};

/// How a limiter is kept for many keys: `state` for each of them, and the members here, which are
/// const and may be called concurrently on different states. As it stands each key has a limiter of
/// its own; a limiter of which all keys share a part specialises it.
///
/// Keys can reserve if it has `reserve(state, now, count, wait_max)` and `cancel(state, taken)`.
///
/// A state that can be copied can also stand for many keys at once, and be where a key of theirs
/// starts from: then what was granted to others must never make it grant a key more.
template <class Limiter>
class per_key {
    static_assert(says_when_fresh<Limiter>,
                  "hawser: keyed<L> needs L to have try_acquire(now, count) and fresh_in(now), "
                  "noexcept both, or a specialisation of per_key<L>");

public:
    using state = Limiter;

    [[nodiscard]] static admission try_acquire(state& of_key, time_point now,
                                               std::uint32_t count) noexcept {
        return of_key.try_acquire(now, count);
    }

    /// How long until the key is one that was never seen: zero if it is.
    [[nodiscard]] static duration fresh_in(state const& of_key, time_point now) noexcept {
        return of_key.fresh_in(now);
    }

    [[nodiscard]] static std::uint32_t available(state const& of_key,
                                                 time_point now) noexcept requires requires {
        of_key.available(now);
    }
    { return of_key.available(now); }

    [[nodiscard]] static auto reserve(state& of_key, time_point now, std::uint32_t count,
                                      duration wait_max) noexcept requires requires {
        of_key.reserve(now, count, wait_max);
    }
    { return of_key.reserve(now, count, wait_max); }
    template <class Reservation>
    static bool cancel(state& of_key, Reservation& unused) noexcept {
        return of_key.cancel(unused);
    }
};

/// Of a token bucket, keys share rate and burst. Each has its mark, which is eight bytes.
///
/// Exact, as a `token_bucket` is, but in one case: at a rate of which tokens take no whole number
/// of nanoseconds, the last token of a burst that is taken within one unit of the scale, which is
/// less than two nanoseconds, may come when that is over. It does if another key, one in 512, began
/// a burst in the same unit.
template <>
class per_key<token_bucket> {
public:
    using options_type = token_bucket_options;
    struct state {
        std::uint64_t mark = 0;
    };

    explicit per_key(token_bucket_options const& options) : shape_{options} {}

    [[nodiscard, gnu::always_inline]] admission try_acquire(state& of_key, time_point now,
                                                            std::uint32_t count) const noexcept {
        auto const request = shape_.ask(now, of_key.mark, count);
        if (request.lacking != 0) [[unlikely]]
            if (request.lacking != 1 || !is_counted_from(of_key, request.now))
                return {.granted = false, .retry_after = wait_for(request, count)};
        of_key.mark = request.mark;
        if (request.anew && request.now.rest != 0) count_from(of_key, request.now);
        return {.granted = true, .retry_after = {}};
    }

    [[nodiscard]] duration fresh_in(state const& of_key, time_point now) const noexcept {
        auto const at = shape_.scale().at(now);
        if (of_key.mark <= at.floor) return duration::zero();
        return shape_.scale().until(at, of_key.mark - at.floor);
    }

    /// Whole tokens that the key has.
    [[nodiscard]] std::uint32_t available(state const& of_key, time_point now) const noexcept {
        auto const at = shape_.scale().at(now);
        auto const unit = is_counted_from(of_key, at) ? at.ceil() : at.floor;
        auto const units = std::max<std::int64_t>(shape_.balance(unit, of_key.mark), 0);
        return static_cast<std::uint32_t>(static_cast<std::uint64_t>(units) /
                                          shape_.scale().token());
    }

    [[nodiscard]] reservation reserve(state& of_key, time_point now, std::uint32_t count,
                                      duration wait_max) const noexcept {
        auto const request = shape_.ask(now, of_key.mark, count);
        auto const here = request.lacking == 1 && is_counted_from(of_key, request.now);
        auto const wait =
            request.lacking == 0 || here ? duration::zero() : wait_for(request, count);
        if (wait > wait_max || wait == never || request.lacking > token_scale::units_max)
            return {.granted = false, .wait = wait};
        of_key.mark = request.mark;
        if (request.anew && request.now.rest != 0) count_from(of_key, request.now);
        return {.granted = true, .wait = wait, .count = count, .mark = request.mark};
    }

    /// Gives the tokens back if nothing that was taken since is still out.
    bool cancel(state& of_key, reservation const& unused) const noexcept {
        if (of_key.mark != unused.mark) return false;
        of_key.mark -= unused.count * shape_.scale().token();
        return true;
    }

private:
    /// A full bucket counts a mark from the end of a unit that is due in part. Whoever asks within
    /// that unit finds the bucket there as well; else the last token of its burst would be missing
    /// until the unit is over. Which unit that was is kept apart from the keys, for the latest of
    /// those that share a place: one word for the key and the unit, which no other pair has, but
    /// with a probability of 2^-64.
    [[nodiscard]] bool is_counted_from(state const& of_key,
                                       token_instant const& now) const noexcept {
        // Relaxed: whoever wrote it for this key did so under the key's lock.
        return now.rest != 0 &&
               begun_[place_of(of_key)].load(std::memory_order_relaxed) == word_of(of_key, now);
    }
    void count_from(state const& of_key, token_instant const& now) const noexcept {
        begun_[place_of(of_key)].store(word_of(of_key, now), std::memory_order_relaxed);
    }
    static std::uint64_t word_of(state const& of_key, token_instant const& now) noexcept {
        return random_at(reinterpret_cast<std::uintptr_t>(&of_key), now.ceil());
    }
    static std::size_t place_of(state const& of_key) noexcept {
        return random_at(0, reinterpret_cast<std::uintptr_t>(&of_key)) % places;
    }
    [[nodiscard]] duration wait_for(detail::bucket_request const& request,
                                    std::uint32_t count) const noexcept {
        return count > shape_.burst() ? never : shape_.scale().until(request.now, request.lacking);
    }

    /// Four kilobytes: more places are of use to who asks for many keys at one instant alone.
    static constexpr std::size_t places = 512;
    detail::bucket_shape const shape_;
    // On lines of their own: grants write there, and read the shape.
    alignas(cache_line) mutable std::array<std::atomic<std::uint64_t>, places> begun_{};
};

}  // namespace hawser::inline v0
#endif  // HAWSER_RATE_PER_KEY_HPP
