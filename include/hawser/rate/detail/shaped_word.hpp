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
/// A reader may meet parts of two shapes, if two replacements fall into one request of its own.
/// A `swap` then fails, and `still` denies it. That a word comes back bit by bit the same, after
/// two replacements within one request, is not told apart.
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

    static constexpr std::uint64_t state_of(std::uint64_t word) noexcept { return word >> 1U; }

    /// The word. Acquire: a word of a new shape comes with that shape.
    [[nodiscard, gnu::always_inline]] std::uint64_t load() const noexcept {
        return word_.load(std::memory_order_acquire);
    }

    /// The shape of `word`. Acquire: who reads a part of a shape that replaces this one finds that
    /// the word has left it, so that `still` is never deceived.
    [[nodiscard, gnu::always_inline]] Shape shape_of(std::uint64_t word) const noexcept {
        return read(shapes_[word & 1U], indices{});
    }

    /// Whether `word` stands there yet, and so the shape read for it was whole.
    [[nodiscard, gnu::always_inline]] bool still(std::uint64_t word) const noexcept {
        return word_.load(std::memory_order_relaxed) == word;
    }

    /// Whether the state was moved on; if not, `word` is what stands there by now: acquire, as in
    /// `load`. A grant publishes nothing but itself, and so releases nothing.
    [[gnu::always_inline]] bool swap(std::uint64_t& word, std::uint64_t state) noexcept {
        return word_.compare_exchange_weak(word, state << 1U | (word & 1U),
                                           std::memory_order_acquire, std::memory_order_acquire);
    }

    /// Puts `changed` in force, with the state `translate(old shape, old state)`, of which the last
    /// call counts. One replacement at a time: callers serialise.
    template <class Translate>
    void replace(Shape const& changed, Translate const& translate) {
        // Relaxed: the shape of the word is the last caller's.
        auto word = word_.load(std::memory_order_relaxed);
        auto const old = shape_of(word);
        auto const place = (word & 1U) ^ 1U;
        store(place, changed);
        // Release: who reads a word of the new shape finds it stored.
        while (!word_.compare_exchange_weak(word, translate(old, state_of(word)) << 1U | place,
                                            std::memory_order_release, std::memory_order_relaxed)) {
        }
    }

private:
    using cell = std::array<std::atomic<std::uint64_t>, std::tuple_size_v<parts>>;
    using indices = std::make_index_sequence<std::tuple_size_v<parts>>;

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

    std::array<cell, 2> shapes_;  ///< Read by every request, written seldom: not on word_'s line.
    alignas(cache_line) std::atomic<std::uint64_t> word_{0};
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_RATE_DETAIL_SHAPED_WORD_HPP
