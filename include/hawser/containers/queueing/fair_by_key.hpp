// SPDX-License-Identifier: BSL-1.0
//
// A fair share for each flow: who asks much waits for itself, and not everybody else for it.
//
//     flow --hash--> table of `flows` rows, each first come, first served
//
//       row 3   [ a a a a a a a ]   start 12          the row with the smallest start is next;
//       row 5   [ b ]               start 10  <--     served n permits, its start moves n on
//       row 9   [ c c ]             start 11
//
// Every row has a start, in permits that it has been served. A row that begins to wait again starts
// where the one that is served stands: it has no claim for the time in which it asked for nothing,
// and no debt either but for what it had last. So rows that wait all the time are served equally
// much, whatever they ask for at a time, and what one does not want is shared by the others
// (max-min fairness).
//
// Source: P. Goyal, H. Vin, H. Cheng, "Start-time fair queueing", ACM SIGCOMM 1996.
#ifndef HAWSER_CONTAINERS_QUEUEING_FAIR_BY_KEY_HPP
#define HAWSER_CONTAINERS_QUEUEING_FAIR_BY_KEY_HPP

#include <hawser/base/contract.hpp>
#include <hawser/base/random.hpp>
#include <hawser/base/time.hpp>
#include <hawser/containers/queueing/discipline.hpp>
#include <hawser/containers/waiter_list.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <utility>

namespace hawser::inline v0::queueing {

/// How a `fair_by_key` tells flows apart.
struct fair_by_key_options {
    /// Rows of the table: flows that can be told apart. A power of two from 1 to 4096. Two flows
    /// that meet in a row share one share; with n flows waiting, one meets another with a
    /// probability of about n / flows.
    std::uint32_t flows = 256;

    /// What is mixed into the hash. Choose it at random where callers choose their keys.
    std::uint64_t seed = 0;
};

/// Fair shares by `waiter::flow`, first come, first served within a flow. Starts empty.
///
/// A full queue turns away the newest of the longest row, for one of a row that is shorter by two
/// or more: places are shared like permits.
///
/// Guarantee:     of two rows that wait all the time, neither is served more than the other by more
///                than the largest request of each of them together. Before a waiter at the head of
///                its row, each other row is served at most what its own row is ahead of the one
///                served last, and one request: nobody starves, for the rows are so many at most.
/// Thread safety: none; the owner has a lock.
/// Cost:          O(log flows) each; `displaced_by` O(flows); `for_each` O(flows + waiting).
///                Allocates its table, 52 bytes a row, when it is made, and nothing after.
class fair_by_key {
public:
    using options_type = fair_by_key_options;

    /// Throws `std::invalid_argument` if `flows` is out of range.
    explicit fair_by_key(fair_by_key_options const& options = {})
        : rows_{std::make_unique<row[]>(checked(options.flows))},
          heap_{std::make_unique<std::uint32_t[]>(options.flows)},
          mask_{options.flows - 1},
          seed_{options.seed} {}

    void push(waiter& node, time_point) noexcept {
        auto const index = row_of(node);
        auto& its = rows_[index];
        if (its.waiting.empty()) {
            its.start = std::max(its.start, served_);
            its.turn = ++turns_;
            sift_up(active_++, index);
        }
        its.waiting.push_back(node);
        ++size_;
    }

    [[nodiscard]] waiter* first(time_point) noexcept {
        return active_ == 0 ? nullptr : rows_[heap_[0]].waiting.front();
    }

    fate take(waiter& node, time_point now) noexcept {
        HAWSER_ASSERT(&node == first(now));
        static_cast<void>(now);
        auto& its = rows_[heap_[0]];
        served_ = its.start;
        its.start += node.permits;
        its.turn = ++turns_;
        most_served_ = std::max(most_served_, its.start);
        // No longer the smallest, or no longer there: down, or out.
        sift_down(0, heap_[0]);
        remove(node);
        return fate::serve;
    }

    void remove(waiter& node) noexcept {
        auto const index = row_of(node);
        auto& its = rows_[index];
        its.waiting.remove(node);
        --size_;
        if (its.waiting.empty()) leave_heap(its.place);
        if (size_ == 0) served_ = most_served_;  // Nobody waits: nobody owes anybody.
    }

    /// The newest of the longest row, if that is longer by two than the row of `node`.
    [[nodiscard]] waiter* displaced_by(waiter& node, time_point) noexcept {
        auto const* longest = &rows_[row_of(node)];
        auto const own = longest->waiting.size();
        for (std::uint32_t index = 0; index <= mask_; ++index)
            if (rows_[index].waiting.size() > longest->waiting.size()) longest = &rows_[index];
        return longest->waiting.size() >= own + 2 ? longest->waiting.back() : nullptr;
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    /// Requires that `visit` removes none but the one that it is shown.
    template <class Visit>
    void for_each(Visit&& visit) noexcept {
        for (std::uint32_t index = 0; index <= mask_; ++index) rows_[index].waiting.for_each(visit);
    }

private:
    struct row {
        waiter_list waiting;
        std::uint64_t start = 0;  ///< Permits served before its head, on the line all share.
        std::uint64_t turn = 0;   ///< Of equal starts, who has been there longer is next.
        std::uint32_t place = 0;  ///< In the heap, while anybody waits in it.
    };

    static std::uint32_t checked(std::uint32_t flows) {
        if (!std::has_single_bit(flows) || flows > 4096)
            throw std::invalid_argument{"fair_by_key: flows is not a power of two in [1, 4096]"};
        return flows;
    }

    [[nodiscard]] std::uint32_t row_of(waiter const& node) const noexcept {
        return static_cast<std::uint32_t>(random_at(seed_, node.flow)) & mask_;
    }

    // A binary heap of the rows in which somebody waits, the smallest start at its root. Every row
    // knows its place, so that one can leave from anywhere.

    [[nodiscard]] bool before(std::uint32_t left, std::uint32_t right) const noexcept {
        auto const &a = rows_[left], &b = rows_[right];
        return a.start != b.start ? a.start < b.start : a.turn < b.turn;
    }
    void put(std::uint32_t place, std::uint32_t index) noexcept {
        heap_[place] = index;
        rows_[index].place = place;
    }
    void sift_up(std::uint32_t place, std::uint32_t index) noexcept {
        while (place != 0 && before(index, heap_[(place - 1) / 2])) {
            put(place, heap_[(place - 1) / 2]);
            place = (place - 1) / 2;
        }
        put(place, index);
    }
    void sift_down(std::uint32_t place, std::uint32_t index) noexcept {
        for (auto child = 2 * place + 1; child < active_; child = 2 * place + 1) {
            if (child + 1 < active_ && before(heap_[child + 1], heap_[child])) ++child;
            if (!before(heap_[child], index)) break;
            put(place, heap_[child]);
            place = child;
        }
        put(place, index);
    }
    void leave_heap(std::uint32_t place) noexcept {
        auto const last = heap_[--active_];
        if (place == active_) return;
        if (place != 0 && before(last, heap_[(place - 1) / 2]))
            sift_up(place, last);
        else
            sift_down(place, last);
    }

    std::unique_ptr<row[]> rows_;
    std::unique_ptr<std::uint32_t[]> heap_;
    std::uint32_t active_ = 0;  ///< Rows in the heap.
    std::uint32_t mask_;
    std::uint64_t seed_;
    std::uint64_t served_ = 0;       ///< Where the row that was served last had its start.
    std::uint64_t most_served_ = 0;  ///< Where the furthest row stands.
    std::uint64_t turns_ = 0;
    std::size_t size_ = 0;
};

}  // namespace hawser::inline v0::queueing
#endif  // HAWSER_CONTAINERS_QUEUEING_FAIR_BY_KEY_HPP
