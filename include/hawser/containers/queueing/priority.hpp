// SPDX-License-Identifier: BSL-1.0
//
// Eight classes, higher before lower, and age counts.
//
//     class 7   | since           |  place in the order = since + (7 - class) * ageing
//     class 6   |   since + a     |
//      ...      |                 |  the smallest is next
//     class 0   |   since + 7 a   |
//
// Each class stands behind the one above as if it had come `ageing` later. So a waiter is overtaken
// by those of higher classes that come within `ageing` for each class between them, and by nobody
// who comes after that: however many there are of them, it does not starve.
#ifndef HAWSER_CONTAINERS_QUEUEING_PRIORITY_HPP
#define HAWSER_CONTAINERS_QUEUEING_PRIORITY_HPP

#include <hawser/base/contract.hpp>
#include <hawser/base/time.hpp>
#include <hawser/containers/queueing/discipline.hpp>
#include <hawser/containers/waiter_list.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <stdexcept>

namespace hawser::inline v0::queueing {

/// How a `priority` weighs classes against age.
struct priority_options {
    /// How much later a class is served than the one above it, where all have waiters. From 0, for
    /// which classes mean nothing, to an hour: nearly strict classes.
    duration ageing = std::chrono::seconds{1};
};

/// Higher `waiter::priority` first, from 0 to 7, and older first within a class; age makes up for
/// class. A priority above 7 is 7. Starts empty.
///
/// A full queue turns away who would be last, for one that comes and would be before it.
///
/// Guarantee:     a waiter of class c is overtaken by one of class d > c only if that came less
///                than (d - c) * ageing after it; within its class by nobody.
/// Thread safety: none; the owner has a lock.
/// Cost:          O(1): at most eight comparisons; `for_each` O(waiting); allocates nothing.
class priority {
public:
    using options_type = priority_options;

    static constexpr std::size_t classes = 8;

    /// Throws `std::invalid_argument` if `ageing` is out of range.
    explicit priority(priority_options const& options = {}) : ageing_{options.ageing} {
        if (ageing_ < duration::zero() || ageing_ > std::chrono::hours{1})
            throw std::invalid_argument{"priority: ageing is not in [0, 1 h]"};
    }

    void push(waiter& node, time_point) noexcept {
        waiting_[class_of(node)].push_back(node);
        ++size_;
    }

    [[nodiscard]] waiter* first(time_point) noexcept {
        waiter* best = nullptr;
        for (auto rank = classes; rank-- != 0;) {  // The higher class wins a tie.
            auto* const node = waiting_[rank].front();
            if (node != nullptr && (best == nullptr || place_of(*node) < place_of(*best)))
                best = node;
        }
        return best;
    }

    fate take(waiter& node, time_point now) noexcept {
        HAWSER_ASSERT(&node == first(now));
        static_cast<void>(now);
        remove(node);
        return fate::serve;
    }

    void remove(waiter& node) noexcept {
        waiting_[class_of(node)].remove(node);
        --size_;
    }

    /// Who would be served last, if that is after `node`.
    [[nodiscard]] waiter* displaced_by(waiter& node, time_point) noexcept {
        waiter* worst = nullptr;
        for (auto& list : waiting_) {  // The lower class loses a tie.
            auto* const last = list.back();
            if (last != nullptr && (worst == nullptr || place_of(*worst) < place_of(*last)))
                worst = last;
        }
        return worst != nullptr && place_of(node) < place_of(*worst) ? worst : nullptr;
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    template <class Visit>
    void for_each(Visit&& visit) noexcept {
        for (auto& list : waiting_) list.for_each(visit);
    }

private:
    static std::size_t class_of(waiter const& node) noexcept {
        return std::min<std::size_t>(node.priority, classes - 1);
    }
    [[nodiscard]] time_point place_of(waiter const& node) const noexcept {
        auto const below = static_cast<duration::rep>(classes - 1 - class_of(node));
        return add_saturating(node.since, below * ageing_);
    }

    duration ageing_;
    std::array<waiter_list, classes> waiting_;
    std::size_t size_ = 0;
};

}  // namespace hawser::inline v0::queueing
#endif  // HAWSER_CONTAINERS_QUEUEING_PRIORITY_HPP
