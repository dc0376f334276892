// SPDX-License-Identifier: BSL-1.0
//
// The state of a limiter in one atomic word, and beside it the limiter's shape, which says what the
// word means and can be replaced while others decide.
//
//     word    state (63 bits) | place           shapes   [ 0: the shape of even words ]
//                                                        [ 1: the shape of odd words  ]
//
// A new shape is put where no word looks, and then comes into force together with the state that
// was translated for it, by one compare-and-swap.
#ifndef HAWSER_RATE_DETAIL_SHAPED_WORD_HPP
#define HAWSER_RATE_DETAIL_SHAPED_WORD_HPP

#include <hawser/base/padded.hpp>

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace hawser::inline v0::detail {

/// A state of 63 bits and the shape that it is to be read by. Starts with state 0.
///
/// Replacements are counted, and a reader looks again where one came between. That a word comes
/// back bit by bit the same, by two replacements between a look and a swap, is not told apart: the
/// state is then taken on by the shape that was seen, whole.
///
/// Thread safety: all members may be called concurrently, but `replace` with itself. Lock-free.
template <class Shape>
class shaped_word {
    using parts = std::array<std::uint64_t, sizeof(Shape) / sizeof(std::uint64_t)>;
    static_assert(std::is_trivially_copyable_v<Shape> && sizeof(parts) == sizeof(Shape));

public:
    explicit constexpr shaped_word(Shape const& shape) noexcept
        : shapes_{cell_of(std::bit_cast<parts>(shape), indices{}),
                  cell_of(std::bit_cast<parts>(shape), indices{})} {}

    /// The word as somebody found it, with its shape, after so many `changes`: each replacement
    /// counts twice, so that the number is odd while one is under way.
    struct view {
        std::uint32_t changes;
        std::uint64_t word;
        Shape shape;
        [[nodiscard]] std::uint64_t state() const noexcept { return state_of(word); }
    };

    /// No replacement began from before the word was read until the shape was: they belong
    /// together, and the shape is whole.
    [[nodiscard, gnu::always_inline]] view look() const noexcept {
        for (;;) {
            auto const counted = changes();
            // Acquire: a word of a new shape comes with that shape.
            auto const word = word_.load(std::memory_order_acquire);
            view const seen{counted, word, shape_of(word)};
            if (changes() == counted) [[likely]]
                return seen;
        }
    }

    /// Whether the state was moved on. A grant publishes nothing but itself, and so releases
    /// nothing; it acquires because g++ wants no less of success than of failure.
    [[gnu::always_inline]] bool swap(view const& seen, std::uint64_t state) noexcept {
        auto word = seen.word;
        return word_.compare_exchange_weak(word, state << 1U | (word & 1U),
                                           std::memory_order_acquire);
    }

    /// Puts `changed` in force, with the state `translate(old shape, old state)`, of which the last
    /// call counts. One replacement at a time: callers serialise.
    template <class Translate>
    void replace(Shape const& changed, Translate const& translate) {
        // Relaxed: the shape of the word is the last caller's.
        auto word = word_.load(std::memory_order_relaxed);
        auto const old = shape_of(word);
        auto const place = (word & 1U) ^ 1U;
        changes_.fetch_add(1, std::memory_order_relaxed);
        store(place, changed);
        // Release: who reads a word of the new shape finds it stored.
        while (!word_.compare_exchange_weak(word, translate(old, state_of(word)) << 1U | place,
                                            std::memory_order_release, std::memory_order_relaxed)) {
        }
        changes_.fetch_add(1, std::memory_order_release);
    }

    /// Sets the state back to 0, as a replacement by the same shape: callers serialise with it.
    void reset() {
        replace(shape_of(word_.load(std::memory_order_relaxed)),
                [](Shape const&, std::uint64_t) { return std::uint64_t{0}; });
    }

private:
    using cell = std::array<std::atomic<std::uint64_t>, std::tuple_size_v<parts>>;
    using indices = std::make_index_sequence<std::tuple_size_v<parts>>;

    static constexpr std::uint64_t state_of(std::uint64_t word) noexcept { return word >> 1U; }

    /// Acquire: what was read before this was read before a replacement that this does not count.
    [[nodiscard, gnu::always_inline]] std::uint32_t changes() const noexcept {
        return changes_.load(std::memory_order_acquire);
    }

    /// Acquire: who reads a part of a shape that replaces this one finds it counted.
    [[nodiscard, gnu::always_inline]] Shape shape_of(std::uint64_t word) const noexcept {
        return read(shapes_[word & 1U], indices{});
    }

    template <std::size_t... I>
    static constexpr cell cell_of(parts const& all, std::index_sequence<I...>) noexcept {
        return {all[I]...};
    }

    /// Written out part by part, not as a loop: g++ takes a loop's parts by way of the stack.
    template <std::size_t... I>
    [[nodiscard, gnu::always_inline]] static Shape read(cell const& from,
                                                        std::index_sequence<I...>) noexcept {
        return std::bit_cast<Shape>(parts{from[I].load(std::memory_order_acquire)...});
    }

    /// Release: see `shape_of`.
    void store(std::size_t place, Shape const& shape) noexcept {
        auto const all = std::bit_cast<parts>(shape);
        for (std::size_t i = 0; i < all.size(); ++i)
            shapes_[place][i].store(all[i], std::memory_order_release);
    }

    std::atomic<std::uint32_t> changes_{0};
    std::array<cell, 2> shapes_;  ///< Read by every request, written seldom: not on word_'s line.
    alignas(cache_line) std::atomic<std::uint64_t> word_{0};
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_RATE_DETAIL_SHAPED_WORD_HPP
