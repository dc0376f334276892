// SPDX-License-Identifier: BSL-1.0
//
// A queue of bounded length in one piece of memory that is taken once and used round and round.
//
//      pop_front                     push_back
//          v                             v
//   +---+---+---+---+---+---+---+---+---+---+
//   |   | a | b | c | d | e | f | g | h |   |     size 8, capacity 10
//   +---+---+---+---+---+---+---+---+---+---+
#ifndef HAWSER_CONTAINERS_RING_HPP
#define HAWSER_CONTAINERS_RING_HPP

#include <hawser/base/contract.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <memory>
#include <span>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace hawser::inline v0 {

namespace detail {

/// Storage of a length that is known when the program runs: allocated once.
template <class T>
class allocated_slots {
public:
    explicit allocated_slots(std::size_t count)
        : slots_{std::make_unique<T[]>(count)}, count_{count} {}

    // A moved-from storage has no slots, so that its ring is empty and full at once.
    allocated_slots(allocated_slots&& other) noexcept
        : slots_{std::move(other.slots_)}, count_{std::exchange(other.count_, 0)} {}
    allocated_slots& operator=(allocated_slots&& other) noexcept {
        slots_ = std::move(other.slots_);
        count_ = std::exchange(other.count_, 0);
        return *this;
    }

    [[nodiscard]] std::size_t size() const noexcept { return count_; }
    [[nodiscard]] T& operator[](std::size_t index) noexcept { return slots_[index]; }
    [[nodiscard]] T const& operator[](std::size_t index) const noexcept { return slots_[index]; }

private:
    std::unique_ptr<T[]> slots_;
    std::size_t count_;
};

}  // namespace detail

/// A first-in, first-out queue of at most `Capacity` values. Starts empty; never grows.
///
/// With the default capacity the length is an argument of the constructor, which allocates; with a
/// number the values stand inside the ring and nothing allocates. A slot whose value was taken
/// keeps what moving left behind until it is used again.
///
/// Thread safety: none of its own. Cost: every member O(1), `clear` included.
template <class T, std::size_t Capacity = std::dynamic_extent>
requires std::default_initializable<T> && std::movable<T>
class ring {
    static constexpr bool fixed = Capacity != std::dynamic_extent;
    static_assert(Capacity > 0);

public:
    ring() requires(fixed) = default;

    /// Throws `std::invalid_argument` if `capacity` is zero, and `std::bad_alloc`.
    explicit ring(std::size_t capacity) requires(!fixed) : slots_{capacity} {
        if (capacity == 0) throw std::invalid_argument{"ring: capacity is zero"};
    }

    /// Leaves `other` empty; one that allocated has no capacity either, and is good for being
    /// assigned to or destroyed.
    ring(ring&& other) noexcept(std::is_nothrow_move_constructible_v<T>)
        : slots_{std::move(other.slots_)},
          head_{std::exchange(other.head_, 0)},
          size_{std::exchange(other.size_, 0)} {}
    ring& operator=(ring&& other) noexcept(std::is_nothrow_move_assignable_v<T>) {
        if (this == &other) return *this;
        slots_ = std::move(other.slots_);
        head_ = std::exchange(other.head_, 0);
        size_ = std::exchange(other.size_, 0);
        return *this;
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t capacity() const noexcept { return slots_.size(); }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] bool full() const noexcept { return size_ == capacity(); }

    /// The value that `index` others came before. Requires `index < size()`.
    [[nodiscard]] T& operator[](std::size_t index) noexcept { return slots_[place_of(index)]; }
    [[nodiscard]] T const& operator[](std::size_t index) const noexcept {
        return slots_[place_of(index)];
    }

    /// The oldest and the newest value. Require that the ring is not empty.
    [[nodiscard]] T& front() noexcept { return (*this)[0]; }
    [[nodiscard]] T const& front() const noexcept { return (*this)[0]; }
    [[nodiscard]] T& back() noexcept { return (*this)[size_ - 1]; }
    [[nodiscard]] T const& back() const noexcept { return (*this)[size_ - 1]; }

    /// Appends `value`, or refuses and drops it if the ring is full.
    bool try_push_back(T value) noexcept(std::is_nothrow_move_assignable_v<T>) {
        if (full()) return false;
        ++size_;
        back() = std::move(value);
        return true;
    }

    /// Appends `value`, at the expense of the oldest if the ring is full: then the answer is true.
    bool push_back_evicting(T value) noexcept(std::is_nothrow_move_assignable_v<T>) {
        bool const evicts = full();
        if (evicts) drop_front();
        try_push_back(std::move(value));
        return evicts;
    }

    /// Takes the oldest value. Requires that the ring is not empty.
    T pop_front() noexcept(std::is_nothrow_move_constructible_v<T>) {
        HAWSER_ASSERT(!empty());
        T taken = std::move(front());
        drop_front();
        return taken;
    }

    void clear() noexcept { head_ = size_ = 0; }

private:
    [[nodiscard]] std::size_t place_of(std::size_t index) const noexcept {
        HAWSER_ASSERT(index < size_);
        auto const place = head_ + index;  // Both are below the capacity: one lap at most.
        return place < capacity() ? place : place - capacity();
    }
    void drop_front() noexcept {
        head_ = head_ + 1 < capacity() ? head_ + 1 : 0;
        --size_;
    }

    std::conditional_t<fixed, std::array<T, fixed ? Capacity : 1>, detail::allocated_slots<T>>
        slots_{};
    std::size_t head_ = 0;
    std::size_t size_ = 0;
};

}  // namespace hawser::inline v0
#endif  // HAWSER_CONTAINERS_RING_HPP
