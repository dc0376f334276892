// SPDX-License-Identifier: BSL-1.0
//
// Where a `map_async` keeps its items: a slot for each that is in work or whose result waits.
//
//     free --> in work --> finished --> sent --> free
//
// A result finds its way back without a lock: whoever completes pushes its slot onto a list, and
// who has the turn of the flow takes the whole list at once, so that no slot is ever unlinked by
// one thread while another looks at it.
// Source: R. K. Treiber, Systems Programming: Coping with Parallelism, 1986.
#ifndef HAWSER_RUN_DEMAND_DETAIL_WORKBENCH_HPP
#define HAWSER_RUN_DEMAND_DETAIL_WORKBENCH_HPP

#include <hawser/run/demand/flow.hpp>

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

namespace hawser::inline v0::demand::detail {

/// One item in work, and then its result.
template <class R>
struct work_slot {
    std::optional<R> result;
    std::exception_ptr error;
    work_slot* below = nullptr;  ///< In the list of the finished.
    work_slot* next = nullptr;   ///< In the line of what is to be sent, or among the free.
    bool finished = false;       ///< Known to who has the turn.
};

/// The slots of one flow. Shared with its completions, which may outlive it.
///
/// Thread safety: `finish` belongs to who holds the slot's completion; the rest to who has the
/// turn.
template <class R>
class workbench {
public:
    using slot = work_slot<R>;

    /// Requires a checked parallelism. Throws `std::bad_alloc`.
    workbench(std::uint32_t parallelism, bool in_order)
        : count_{parallelism}, in_order_{in_order}, slots_{std::make_unique<slot[]>(parallelism)} {
        for (std::uint32_t i = 0; i != count_; ++i) give_back(slots_[i]);
    }

    /// Whom a result wakes. Before any work is begun.
    void wakes(std::shared_ptr<wakeable> const& flow) noexcept { flow_ = flow; }

    [[nodiscard]] bool has_room() const noexcept { return free_ != nullptr; }
    [[nodiscard]] bool is_empty() const noexcept { return held_ == 0; }

    /// A slot for an item whose work begins. Requires room.
    [[nodiscard]] slot& claim() noexcept {
        auto& one = *std::exchange(free_, free_->next);
        ++held_;
        if (in_order_) line_up(one);
        return one;
    }

    /// The work is done: the slot holds how it went.
    void finish(slot& one) noexcept {
        auto* top = finished_.load(std::memory_order_relaxed);
        do {
            if (top == &closed_) return drop(one);  // Nobody will look: it stays ours.
            one.below = top;
            // Release: who takes the list sees the result.
        } while (!finished_.compare_exchange_weak(top, &one, std::memory_order_release,
                                                  std::memory_order_relaxed));
        if (auto const woken = flow_.lock()) woken->wake();
    }

    /// Takes up what has finished. Throws the first error among it, before any result is sent that
    /// waits: as an error of the publisher, it overtakes them.
    void gather() {
        // Who has finished wakes the flow after this, if it is not seen here.
        if (finished_.load(std::memory_order_relaxed) == nullptr) return;
        take_up(finished_.exchange(nullptr, std::memory_order_acquire));
        if (error_) std::rethrow_exception(error_);
    }

    /// The next result that may be sent.
    std::optional<R> take() {
        if (first_ == nullptr || !first_->finished) return std::nullopt;
        auto& one = *first_;
        std::optional<R> out = std::move(one.result);
        first_ = one.next;
        one.finished = false;
        one.result.reset();
        --held_;
        give_back(one);
        return out;
    }

    /// Drops all results, and those that are still to come. Once.
    void close() noexcept {
        // Acquire: the results that are dropped.
        take_up(finished_.exchange(&closed_, std::memory_order_acquire));
        for (std::uint32_t i = 0; i != count_; ++i)
            if (slots_[i].finished) drop(slots_[i]);  // The others are not ours to touch.
        error_ = nullptr;
    }

private:
    /// The list has the latest on top: it is turned round.
    void take_up(slot* top) noexcept {
        slot* oldest = nullptr;
        while (top != nullptr) {
            auto* const below = std::exchange(top->below, oldest);
            oldest = std::exchange(top, below);
        }
        for (auto* one = oldest; one != nullptr; one = one->below) {
            one->finished = true;
            if (one->error && !error_) error_ = one->error;
            if (!in_order_) line_up(*one);
        }
    }

    void line_up(slot& one) noexcept {
        one.next = nullptr;
        (first_ == nullptr ? first_ : last_->next) = &one;
        last_ = &one;
    }
    void give_back(slot& one) noexcept { one.next = std::exchange(free_, &one); }
    static void drop(slot& one) noexcept {
        one.result.reset();
        one.error = nullptr;
    }

    std::uint32_t const count_;
    bool const in_order_;
    std::unique_ptr<slot[]> const slots_;
    slot* free_ = nullptr;
    slot* first_ = nullptr;  ///< Of the line.
    slot* last_ = nullptr;   ///< Says nothing while the line is empty.
    std::uint32_t held_ = 0;
    std::exception_ptr error_;
    std::weak_ptr<wakeable> flow_;
    slot closed_;  ///< On top of the list when nobody looks at it any more.
    std::atomic<slot*> finished_{nullptr};
};

}  // namespace hawser::inline v0::demand::detail
#endif  // HAWSER_RUN_DEMAND_DETAIL_WORKBENCH_HPP
