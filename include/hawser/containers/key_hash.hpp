// SPDX-License-Identifier: BSL-1.0
//
// How keys that come from outside are hashed and compared.
//
// Whoever can find keys with equal hashes can crowd others out of a table that looks at few entries
// for each key. A hash that mixes in random numbers of its own gives nothing to prepare for.
// Source: the folded product of wyhash (Wang Yi, public domain), here with both of its constants
// drawn at random: a public one is a word that multiplies whatever follows by zero.
#ifndef HAWSER_CONTAINERS_KEY_HASH_HPP
#define HAWSER_CONTAINERS_KEY_HASH_HPP

#include <hawser/base/random.hpp>
#include <hawser/base/saturating.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace hawser::inline v0 {

namespace detail {

/// Both halves of a product, so that every digit of either factor reaches the low ones.
[[nodiscard]] constexpr std::uint64_t folded_product(std::uint64_t left,
                                                     std::uint64_t right) noexcept {
    auto const product = wide_uint{left} * right;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

}  // namespace detail

/// Hashes strings, under random numbers that each object draws for itself. Two objects agree if one
/// is a copy of the other, or if they were given the same seed.
///
/// Transparent: a `std::string`, a view and a literal of the same text hash to the same, and none
/// is made into another. Collisions cannot be prepared without the seed; it is no cryptographic
/// function. Thread safety: const members may be called concurrently. Cost: a multiplication for
/// each sixteen bytes, and two.
class string_hash {
public:
    using is_transparent = void;

    string_hash() noexcept : string_hash{shared_random{}()} {}
    explicit constexpr string_hash(std::uint64_t seed) noexcept
        : first_{random_at(seed, 0)}, second_{random_at(seed, 1) | 1U} {}

    [[nodiscard]] std::size_t operator()(std::string_view text) const noexcept {
        auto const* at = text.data();
        auto left = text.size();
        // The length as it is would cancel out against letters that differ in the same bits.
        auto state = detail::folded_product(first_ ^ left, second_);
        for (; left > 16; left -= 16, at += 16)
            state = detail::folded_product(word<8>(at) ^ second_, word<8>(at + 8) ^ state);
        // The words of what is left overlap where it is not as long as both.
        std::uint64_t head = 0, tail = 0;
        if (left >= 8) {
            head = word<8>(at);
            tail = word<8>(at + left - 8);
        } else if (left >= 4) {
            head = word<4>(at);
            tail = word<4>(at + left - 4);
        } else if (left > 0) {
            head = word<1>(at) << 16U | word<1>(at + left / 2) << 8U | word<1>(at + left - 1);
        }
        return detail::folded_product(head ^ second_, tail ^ state);
    }

private:
    template <std::size_t Bytes>
    static std::uint64_t word(char const* at) noexcept {
        std::conditional_t<Bytes == 8, std::uint64_t,
                           std::conditional_t<Bytes == 4, std::uint32_t, std::uint8_t>>
            read;
        std::memcpy(&read, at, Bytes);
        return read;
    }

    std::uint64_t first_;
    std::uint64_t second_;
};

/// The hash of a key unless one is named: `string_hash` for `std::string`, else `std::hash`, which
/// is good enough where different keys have different hashes, as integers do: a `keyed_map` mixes
/// random numbers of its own into it.
template <class Key>
using key_hash = std::conditional_t<std::is_same_v<Key, std::string>, string_hash, std::hash<Key>>;

/// Compares by `==`, across types.
struct key_equal {
    using is_transparent = void;

    template <class Left, class Right>
    [[nodiscard]] constexpr bool operator()(Left const& left, Right const& right) const
        noexcept(noexcept(left == right)) {
        return left == right;
    }
};

}  // namespace hawser::inline v0
#endif  // HAWSER_CONTAINERS_KEY_HASH_HPP
