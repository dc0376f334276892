// SPDX-License-Identifier: BSL-1.0
//
// First come, first served.
#ifndef HAWSER_CONTAINERS_QUEUEING_FIFO_HPP
#define HAWSER_CONTAINERS_QUEUEING_FIFO_HPP

#include <hawser/base/contract.hpp>
#include <hawser/base/time.hpp>
#include <hawser/containers/queueing/discipline.hpp>
#include <hawser/containers/waiter_list.hpp>

#include <cstddef>
#include <utility>

namespace hawser::inline v0::queueing {

/// The order in which they came. Turns nobody away.
///
/// Guarantee:     a waiter is overtaken by nobody.
/// Thread safety: none; the owner has a lock.
/// Cost:          O(1) each, but for `for_each`; allocates nothing.
class fifo {
public:
    void push(waiter& node, time_point) noexcept { waiting_.push_back(node); }

    [[nodiscard]] waiter* first(time_point) noexcept { return waiting_.front(); }

    fate take(waiter& node, time_point) noexcept {
        HAWSER_ASSERT(&node == waiting_.front());
        waiting_.remove(node);
        return fate::serve;
    }

    void remove(waiter& node) noexcept { waiting_.remove(node); }

    [[nodiscard]] std::size_t size() const noexcept { return waiting_.size(); }

    template <class Visit>
    void for_each(Visit&& visit) noexcept {
        waiting_.for_each(std::forward<Visit>(visit));
    }

private:
    waiter_list waiting_;
};

}  // namespace hawser::inline v0::queueing
#endif  // HAWSER_CONTAINERS_QUEUEING_FIFO_HPP
