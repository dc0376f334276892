// SPDX-License-Identifier: BSL-1.0
//
// A queue in one piece of memory, as `ring` is, whose values live only while they are queued: they
// need neither a default constructor nor an assignment.
#ifndef HAWSER_FLOW_DETAIL_SLOT_RING_HPP
#define HAWSER_FLOW_DETAIL_SLOT_RING_HPP

#include <hawser/base/contract.hpp>

#include <cstddef>
#include <memory>
#include <utility>

namespace hawser::inline v0::detail {

/// A first-in, first-out queue of at most `capacity` values. Starts empty; never grows.
///
/// Thread safety: none. Cost: every member O(1); allocates when it is made, and touches no memory
/// before it is used.
template <class Slot>
class slot_ring {
public:
    /// Requires `capacity > 0`. Throws `std::bad_alloc`.
    explicit slot_ring(std::size_t capacity)
        : slots_{std::allocator<Slot>{}.allocate(capacity)}, capacity_{capacity} {}
    slot_ring(slot_ring const&) = delete;
    slot_ring& operator=(slot_ring const&) = delete;
    ~slot_ring() {
        while (size_ != 0) drop_front();
        std::allocator<Slot>{}.deallocate(slots_, capacity_);
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
    [[nodiscard]] bool full() const noexcept { return size_ == capacity_; }

    /// The value that `index` others came before. Requires `index < size()`.
    [[nodiscard]] Slot& operator[](std::size_t index) noexcept {
        HAWSER_ASSERT(index < size_);
        return slots_[place_of(index)];
    }
    /// The newest value. Requires that there is one.
    [[nodiscard]] Slot& back() noexcept { return (*this)[size_ - 1]; }

    /// Requires `!full()`.
    template <class... Arguments>
    void emplace_back(Arguments&&... arguments) noexcept {
        HAWSER_ASSERT(!full());
        std::construct_at(slots_ + place_of(size_), std::forward<Arguments>(arguments)...);
        ++size_;
    }

    /// Destroys the oldest value. Requires that there is one.
    void drop_front() noexcept {
        HAWSER_ASSERT(size_ > 0);
        auto* const front = slots_ + head_;
        head_ = head_ + 1 < capacity_ ? head_ + 1 : 0;
        --size_;
        std::destroy_at(front);
    }

private:
    [[nodiscard]] std::size_t place_of(std::size_t index) const noexcept {
        auto const place = head_ + index;  // Both are at most the capacity: one lap.
        return place < capacity_ ? place : place - capacity_;
    }

    Slot* slots_;
    std::size_t capacity_;
    std::size_t head_ = 0;
    std::size_t size_ = 0;
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_FLOW_DETAIL_SLOT_RING_HPP
