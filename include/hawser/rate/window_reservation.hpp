// SPDX-License-Identifier: BSL-1.0
//
// Permits of a window to come, as `fixed_window` and `sliding_window_counter` lend them.
#ifndef HAWSER_RATE_WINDOW_RESERVATION_HPP
#define HAWSER_RATE_WINDOW_RESERVATION_HPP

#include <hawser/base/time.hpp>

#include <chrono>
#include <cstdint>

namespace hawser::inline v0 {

/// Permits that are the caller's from some time on. To be used then, or given back by `cancel`.
struct [[nodiscard]] window_reservation {
    bool granted = false;

    /// If granted, how long to wait before the permits may be used. If refused, the wait that was
    /// too long; `never` for more than the limit.
    duration wait{};

    // For `cancel` alone: which permits they are, and the limiter as it was found and left.
    std::uint32_t count = 0;
    std::uint32_t change = 0;
    std::uint64_t number = 0;
    std::uint64_t before = 0;
    std::uint64_t after = 0;

    explicit operator bool() const noexcept { return granted; }
};

namespace detail {

/// What a request would make of a window limiter.
struct window_request {
    std::uint64_t state = 0;   ///< Where the limiter's state would be.
    std::uint64_t number = 0;  ///< The window whose permits it takes.
    duration wait{};           ///< How long until these are there; `never` if they never are.
    bool opens = false;        ///< Whether it is the first of the window that is open.
};

/// Nobody reserves further ahead: what keeps the numbers of windows in their bits.
inline constexpr duration reserved_ahead_max = std::chrono::hours{24 * 365 * 30};

}  // namespace detail
}  // namespace hawser::inline v0
#endif  // HAWSER_RATE_WINDOW_RESERVATION_HPP
