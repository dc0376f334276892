// SPDX-License-Identifier: BSL-1.0
//
// Deadlines in order of time: an intrusive pairing heap.
//
// Most deadlines are taken out long before they come, because the call ended; so what counts is
// that adding one and removing one from anywhere are cheap, and that neither allocates. A node's
// children are a doubly linked list; a new node is compared with the root once, and a node without
// children is unlinked without any comparison.
//
// Source: M. Fredman, R. Sedgewick, D. Sleator, R. Tarjan, "The pairing heap: a new form of
// self-adjusting heap", Algorithmica 1, 1986 (two-pass merging).
#ifndef HAWSER_CONTAINERS_DEADLINE_HEAP_HPP
#define HAWSER_CONTAINERS_DEADLINE_HEAP_HPP

#include <hawser/base/contract.hpp>
#include <hawser/base/time.hpp>

#include <utility>

namespace hawser::inline v0 {

/// One deadline, a base of whatever it belongs to. Stays where it is while it is in a heap.
class deadline_node {
public:
    deadline_node() = default;
    deadline_node(deadline_node const&) = delete;
    deadline_node& operator=(deadline_node const&) = delete;

    [[nodiscard]] time_point deadline() const noexcept { return at_; }

    /// Whether it is in a heap.
    [[nodiscard]] bool is_linked() const noexcept { return linked_; }

protected:
    ~deadline_node() { HAWSER_ASSERT(!linked_); }

private:
    friend class deadline_heap;
    time_point at_{};
    deadline_node* child_ = nullptr;
    deadline_node* next_ = nullptr;
    deadline_node* previous_ = nullptr;  ///< The sibling before it; for the first, the parent.
    bool linked_ = false;
};

/// A heap of deadlines that others own. Starts empty.
///
/// Guarantee:     `first` is a node with the earliest deadline.
/// Thread safety: none; the owner of the heap has a lock.
/// Cost:          add O(1); remove O(log n) amortised, O(1) for a node without children.
class deadline_heap {
public:
    deadline_heap() = default;
    deadline_heap(deadline_heap const&) = delete;
    deadline_heap& operator=(deadline_heap const&) = delete;

    [[nodiscard]] bool empty() const noexcept { return root_ == nullptr; }
    [[nodiscard]] deadline_node* first() const noexcept { return root_; }

    /// Requires that `node` is in no heap.
    void add(deadline_node& node, time_point at) noexcept {
        HAWSER_ASSERT(!node.linked_);
        node.at_ = at;
        node.linked_ = true;
        node.child_ = node.next_ = node.previous_ = nullptr;
        root_ = merge(root_, &node);
    }

    /// Takes `node` out. Requires that it is in this heap.
    void remove(deadline_node& node) noexcept {
        HAWSER_ASSERT(node.linked_);
        auto* const orphans = merge_siblings(std::exchange(node.child_, nullptr));
        if (&node == root_) {
            root_ = orphans;
        } else {
            unlink(node);
            root_ = merge(root_, orphans);
        }
        node.linked_ = false;
    }

private:
    static deadline_node* merge(deadline_node* left, deadline_node* right) noexcept {
        if (left == nullptr) return right;
        if (right == nullptr) return left;
        // The left one wins a tie, so that what was added last is the easiest to take out again.
        if (right->at_ < left->at_) std::swap(left, right);
        right->next_ = left->child_;
        right->previous_ = left;
        if (right->next_ != nullptr) right->next_->previous_ = right;
        left->child_ = right;
        return left;
    }

    static void unlink(deadline_node& node) noexcept {
        if (node.next_ != nullptr) node.next_->previous_ = node.previous_;
        if (node.previous_->child_ == &node)
            node.previous_->child_ = node.next_;
        else
            node.previous_->next_ = node.next_;
        node.next_ = node.previous_ = nullptr;
    }

    /// First pass: pairs from the left. Second pass: the pairs into one, from the right.
    static deadline_node* merge_siblings(deadline_node* list) noexcept {
        deadline_node* pairs = nullptr;
        while (list != nullptr) {
            auto* const left = take(list);
            auto* const pair = list != nullptr ? merge(left, take(list)) : left;
            pair->next_ = pairs;
            pairs = pair;
        }
        deadline_node* merged = nullptr;
        while (pairs != nullptr) merged = merge(merged, take(pairs));
        return merged;
    }

    /// The first of a list of siblings, alone.
    static deadline_node* take(deadline_node*& list) noexcept {
        auto* const node = list;
        list = std::exchange(node->next_, nullptr);
        node->previous_ = nullptr;
        return node;
    }

    deadline_node* root_ = nullptr;
};

}  // namespace hawser::inline v0
#endif  // HAWSER_CONTAINERS_DEADLINE_HEAP_HPP
