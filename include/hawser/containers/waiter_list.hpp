// SPDX-License-Identifier: BSL-1.0
//
// Waiters in a row: those that wait, and those whose bells are to be rung.
//
//     waiter_list    under an engine's lock: any of them can be taken out, O(1)
//         |
//         |  granted, or turned away, under the lock
//         v
//     wake_chain  -->  wake_list    outside the lock: ring_all
#ifndef HAWSER_CONTAINERS_WAITER_LIST_HPP
#define HAWSER_CONTAINERS_WAITER_LIST_HPP

#include <hawser/base/contract.hpp>
#include <hawser/containers/waiter.hpp>

#include <cstddef>
#include <utility>

namespace hawser::inline v0 {

/// Waiters in the order in which they were added, linked through themselves. Starts empty.
///
/// Thread safety: none; the owner has a lock. Cost: O(1), but for `for_each`; allocates nothing.
class waiter_list {
public:
    waiter_list() = default;
    waiter_list(waiter_list const&) = delete;
    waiter_list& operator=(waiter_list const&) = delete;

    /// Requires that nobody waits: a call would never hear of it.
    ~waiter_list() { HAWSER_ASSERT(empty()); }

    [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    /// The one that was added first of those that are left, or null.
    [[nodiscard]] waiter* front() const noexcept { return first_; }

    /// The one that was added last of those that are left, or null.
    [[nodiscard]] waiter* back() const noexcept { return last_; }

    /// Adds `node` behind all others and marks it `queued`. Requires that it is in no list.
    void push_back(waiter& node) noexcept {
        HAWSER_ASSERT(!node.queued);
        node.next = nullptr;
        node.previous = last_;
        (last_ != nullptr ? last_->next : first_) = &node;
        last_ = &node;
        node.queued = true;
        ++size_;
    }

    /// Takes `node` out, from wherever it stands. Requires that it is in this list.
    void remove(waiter& node) noexcept {
        HAWSER_ASSERT(node.queued && size_ > 0);
        (node.previous != nullptr ? node.previous->next : first_) = node.next;
        (node.next != nullptr ? node.next->previous : last_) = node.previous;
        node.next = node.previous = nullptr;
        node.queued = false;
        --size_;
    }

    /// Shows every waiter to `visit`, from the front; it may remove the one that it is shown.
    template <class Visit>
    void for_each(Visit&& visit) noexcept {
        for (auto* node = first_; node != nullptr;) {
            auto* const following = node->next;
            visit(*node);
            node = following;
        }
    }

private:
    waiter* first_ = nullptr;
    waiter* last_ = nullptr;
    std::size_t size_ = 0;
};

/// Waiters that an engine has granted, or turned away, under its lock, in that order. To be made
/// into a `wake_list`; rings nothing by itself.
///
/// A waiter on it stays until its bell has rung, even if it is withdrawn meanwhile, and its links
/// are the chain's: so it has as many places as there were in the queue, and allocates nothing.
struct wake_chain {
    waiter* first = nullptr;
    waiter* last = nullptr;

    /// Marks `node` as granted its turn, and adds it. Requires that it is in no list.
    void add(waiter& node, bool turned_away = false) noexcept {
        HAWSER_ASSERT(!node.queued && !node.granted);
        node.granted = true;
        node.turned_away = turned_away;
        node.next = nullptr;
        (last != nullptr ? last->next : first) = &node;
        last = &node;
    }
};

/// The bells that are to be rung once the engine's lock has been left. What has not been rung when
/// it is destroyed is rung then: no call waits for ever because somebody forgot.
///
/// Thread safety: as a value's. Cost: a call of each bell.
class [[nodiscard]] wake_list {
public:
    /// Nobody is to be woken.
    wake_list() noexcept = default;

    /// Takes the waiters of a `wake_chain`, given by the first of them.
    explicit wake_list(waiter* first) noexcept : first_{first} {}

    wake_list(wake_list&& other) noexcept : first_{std::exchange(other.first_, nullptr)} {}
    wake_list& operator=(wake_list&& other) noexcept {
        if (this != &other) {
            ring_all();
            first_ = std::exchange(other.first_, nullptr);
        }
        return *this;
    }
    ~wake_list() { ring_all(); }

    [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }

    /// Rings every bell, once, in the order of the grants. Requires that no lock is held that a
    /// woken call may want. Returns how many there were.
    std::size_t ring_all() noexcept {
        std::size_t rung = 0;
        for (auto* node = std::exchange(first_, nullptr); node != nullptr; ++rung) {
            auto* const following = node->next;  // Once its bell has rung, the node may be gone.
            node->wake();
            node = following;
        }
        return rung;
    }

private:
    waiter* first_ = nullptr;
};

}  // namespace hawser::inline v0
#endif  // HAWSER_CONTAINERS_WAITER_LIST_HPP
