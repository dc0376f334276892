// SPDX-License-Identifier: BSL-1.0
//
// The one word of a semaphore: what is free, what is out, and whether anybody waits.
#ifndef HAWSER_LIMIT_DETAIL_PERMIT_WORD_HPP
#define HAWSER_LIMIT_DETAIL_PERMIT_WORD_HPP

#include <hawser/base/time.hpp>

#include <concepts>
#include <cstdint>
#include <type_traits>

namespace hawser::inline v0::detail {

/// `free : 32, signed | out : 31 | waited for : 1`, from the highest bit down.
///
/// Permits that are out never exceed what the capacity once was, so that nothing carries over from
/// one part to the next.
struct permit_word {
    /// Below 2^30: the sum of what is out and of a capacity fits 31 bits, and free ones 32.
    static constexpr std::uint32_t permits_max = 1'000'000'000;
    static constexpr std::uint64_t waited_for_bit = 1;

    static constexpr std::uint64_t all_free(std::uint32_t permits) noexcept {
        return std::uint64_t{permits} << 32;
    }
    static constexpr std::int64_t free_of(std::uint64_t word) noexcept {
        return static_cast<std::int64_t>(word) >> 32;
    }
    static constexpr std::uint32_t out_of(std::uint64_t word) noexcept {
        return static_cast<std::uint32_t>(word) >> 1;
    }
    static constexpr bool waited_for(std::uint64_t word) noexcept {
        return (word & waited_for_bit) != 0;
    }
    static constexpr std::uint32_t capacity_of(std::uint64_t word) noexcept {
        return static_cast<std::uint32_t>(free_of(word) + std::int64_t{out_of(word)});
    }

    /// Whether `count` may be taken by who comes now.
    static constexpr bool fits(std::uint64_t word, std::uint32_t count) noexcept {
        return !waited_for(word) && free_of(word) >= std::int64_t{count};
    }

    /// What taking `count` adds to the word; giving them back takes it off again. Modulo 2^64.
    static constexpr std::uint64_t taking(std::uint32_t count) noexcept {
        return (std::uint64_t{count} << 1) - (std::uint64_t{count} << 32);
    }

    /// What another capacity adds to the word. Modulo 2^64.
    static constexpr std::uint64_t growing(std::uint32_t from, std::uint32_t to) noexcept {
        return (std::uint64_t{to} - std::uint64_t{from}) << 32;
    }
};

template <class Now>
concept instant =
    std::convertible_to<Now, time_point> || std::is_nothrow_invocable_r_v<time_point, Now&>;

/// The instant itself, or what the callable says.
template <instant Now>
[[nodiscard]] constexpr time_point instant_of(Now& now) noexcept {
    if constexpr (std::convertible_to<Now, time_point>)
        return now;
    else
        return now();
}

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_LIMIT_DETAIL_PERMIT_WORD_HPP
