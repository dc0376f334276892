// SPDX-License-Identifier: BSL-1.0
//
// What the window limiters of one word have in common: their shape says what a request makes of the
// word, and this does it.
#ifndef HAWSER_RATE_DETAIL_WINDOW_WORD_HPP
#define HAWSER_RATE_DETAIL_WINDOW_WORD_HPP

#include <hawser/base/time.hpp>
#include <hawser/rate/admission.hpp>
#include <hawser/rate/detail/shaped_word.hpp>
#include <hawser/rate/detail/window_line.hpp>
#include <hawser/rate/window_reservation.hpp>

#include <algorithm>
#include <cstdint>

namespace hawser::inline v0::detail {

/// Thread safety: all members may be called concurrently, but `replace` and `refill` with each
///                other. Lock-free.
template <class Shape>
class window_word {
    using view = typename shaped_word<Shape>::view;

public:
    explicit constexpr window_word(Shape const& shape) noexcept : word_{shape} {}

    [[gnu::always_inline]] admission try_acquire(time_point now, std::uint32_t count) noexcept {
        if (count == 0) return {.granted = true, .retry_after = {}};
        for (;;) {
            auto const seen = word_.look();
            auto const to = seen.shape.ask(now, seen.state(), count, clock_);
            if (to.wait != duration::zero()) [[unlikely]]
                return {.granted = false, .retry_after = to.wait};
            if (take(seen, to, now)) [[likely]]
                return {.granted = true, .retry_after = {}};
        }
    }

    window_reservation reserve(time_point now, std::uint32_t count, duration wait_max) noexcept {
        if (count == 0) return {.granted = true};
        for (;;) {
            auto const seen = word_.look();
            auto const to = seen.shape.ask(now, seen.state(), count, clock_);
            if (to.wait > std::min(wait_max, reserved_ahead_max) || !seen.shape.holds(to.number))
                return {.wait = to.wait};
            if (take(seen, to, now))
                return {.granted = true,
                        .wait = to.wait,
                        .count = count,
                        .change = seen.changes,
                        .number = to.number,
                        .before = seen.state(),
                        .after = to.state};
        }
    }

    bool cancel(window_reservation& unused) noexcept {
        if (!unused.granted || unused.count == 0) return false;
        unused.granted = false;
        for (;;) {
            auto const seen = word_.look();
            // While options change, nobody knows by which of them it was reserved.
            if (seen.changes != unused.change || unused.change % 2 != 0) return false;
            auto state = seen.state();
            if (!seen.shape.gives_back(unused, state)) return false;
            if (word_.swap(seen, state)) return true;
        }
    }

    [[nodiscard]] std::uint32_t available(time_point now) const noexcept {
        auto const seen = word_.look();
        return static_cast<std::uint32_t>(seen.shape.available(now, seen.state(), clock_));
    }

    [[nodiscard]] duration fresh_in(time_point now) const noexcept {
        auto const seen = word_.look();
        return seen.shape.fresh_in(now, seen.state());
    }

    /// As `shaped_word::replace`.
    template <class Translate>
    void replace(Shape const& changed, Translate const& translate) {
        word_.replace(changed, translate);
    }

    void refill() noexcept {
        word_.reset();
        clock_.forget();
    }

private:
    /// Whether the state was moved on. Who opens a window says so before others can find it open.
    [[gnu::always_inline]] bool take(view const& seen, window_request const& to,
                                     time_point now) noexcept {
        if (to.opens) [[unlikely]]
            clock_.tell(now);
        return word_.swap(seen, to.state);
    }

    shaped_word<Shape> word_;
    told_time clock_;
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_RATE_DETAIL_WINDOW_WORD_HPP
