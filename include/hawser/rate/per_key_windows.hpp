// SPDX-License-Identifier: BSL-1.0
//
// What `keyed` keeps for each key of the window limiters whose state is one word: that word.
#ifndef HAWSER_RATE_PER_KEY_WINDOWS_HPP
#define HAWSER_RATE_PER_KEY_WINDOWS_HPP

#include <hawser/base/padded.hpp>
#include <hawser/base/time.hpp>
#include <hawser/rate/admission.hpp>
#include <hawser/rate/detail/window_line.hpp>
#include <hawser/rate/fixed_window_shape.hpp>
#include <hawser/rate/per_key.hpp>
#include <hawser/rate/window_counter_shape.hpp>
#include <hawser/rate/window_reservation.hpp>

#include <algorithm>
#include <cstdint>

namespace hawser::inline v0 {

namespace detail {

/// All keys share limit and window, and what time it is. A window that one key has seen begin has
/// begun for all of them: so a key whose caller is late is served where a limiter of its own would
/// have let it wait for as long as that caller is late.
template <class Shape, class Options>
class windows_of_keys {
public:
    using options_type = Options;
    struct state {
        std::uint64_t word = 0;
    };

    explicit windows_of_keys(Options const& options) : shape_{options} {}

    [[nodiscard, gnu::always_inline]] admission try_acquire(state& of_key, time_point now,
                                                            std::uint32_t count) const noexcept {
        if (count == 0) return {.granted = true, .retry_after = {}};
        auto const to = shape_.ask(now, of_key.word, count, clock_);
        if (to.wait != duration::zero()) [[unlikely]]
            return {.granted = false, .retry_after = to.wait};
        take(of_key, to, now);
        return {.granted = true, .retry_after = {}};
    }

    [[nodiscard]] window_reservation reserve(state& of_key, time_point now, std::uint32_t count,
                                             duration wait_max) const noexcept {
        if (count == 0) return {.granted = true};
        auto const before = of_key.word;
        auto const to = shape_.ask(now, before, count, clock_);
        if (to.wait > std::min(wait_max, reserved_ahead_max) || !shape_.holds(to.number))
            return {.wait = to.wait};
        take(of_key, to, now);
        return {.granted = true,
                .wait = to.wait,
                .count = count,
                .number = to.number,
                .before = before,
                .after = to.state};
    }
    bool cancel(state& of_key, window_reservation const& unused) const noexcept {
        return unused.count != 0 && shape_.gives_back(unused, of_key.word);
    }

    [[nodiscard]] duration fresh_in(state const& of_key, time_point now) const noexcept {
        return shape_.fresh_in(now, of_key.word);
    }
    [[nodiscard]] std::uint32_t available(state const& of_key, time_point now) const noexcept {
        return static_cast<std::uint32_t>(shape_.available(now, of_key.word, clock_));
    }

private:
    [[gnu::always_inline]] void take(state& of_key, window_request const& to,
                                     time_point now) const noexcept {
        of_key.word = to.state;
        // Of all keys, the first in a window alone writes.
        if (to.opens && !clock_.has_come_to(shape_.line(), to.number)) clock_.tell(now);
    }

    Shape const shape_;
    alignas(cache_line) mutable told_time clock_;
};

}  // namespace detail

/// Each key has its mark, which is eight bytes.
template <>
class per_key<fixed_window>
    : public detail::windows_of_keys<detail::fixed_window_shape, fixed_window_options> {
public:
    using windows_of_keys::windows_of_keys;
};

/// Each key has the number of its window and two counters, which are eight bytes.
template <>
class per_key<sliding_window_counter>
    : public detail::windows_of_keys<detail::window_counter_shape, sliding_window_counter_options> {
public:
    using windows_of_keys::windows_of_keys;
};

}  // namespace hawser::inline v0
#endif  // HAWSER_RATE_PER_KEY_WINDOWS_HPP
