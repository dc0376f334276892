// SPDX-License-Identifier: BSL-1.0
//
// Where the items of one publisher enter a stage that holds them: a queue as long as its prefetch.
//
// What is asked for fits into the queue, so that a publisher that keeps to rule 1.1 always finds
// room. It is written by the publisher, whose signals come one at a time, and read by who has the
// turn of the stage's flow: a queue of one writer and one reader, without a lock.
#ifndef HAWSER_RUN_DEMAND_DETAIL_INLET_HPP
#define HAWSER_RUN_DEMAND_DETAIL_INLET_HPP

#include <hawser/base/padded.hpp>
#include <hawser/flow/credit.hpp>
#include <hawser/run/demand/flow.hpp>
#include <hawser/run/demand/publisher.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

namespace hawser::inline v0::demand::detail {

/// Throws `std::invalid_argument` with the complaint unless `prefetch` is in [1, 1000000]: a queue
/// of that length is made for each flow.
inline std::uint32_t checked_prefetch(std::uint32_t prefetch, char const* complaint) {
    if (prefetch == 0 || prefetch > 1'000'000) throw std::invalid_argument{complaint};
    return prefetch;
}

/// The items of one publisher on their way into a stage.
///
/// Asks for nothing before `take` is first called: nothing is fetched that nobody wants. From then
/// on at most `prefetch` items are on their way or in the queue.
///
/// Thread safety: the publisher signals on any thread; the rest belongs to who has the turn.
template <class T>
class inlet {
public:
    /// Requires a checked prefetch. Throws `std::bad_alloc`.
    explicit inlet(std::uint32_t prefetch)
        : credit_{prefetch},
          capacity_{prefetch},
          slots_{std::make_unique<std::optional<T>[]>(prefetch)} {}
    inlet(inlet const&) = delete;
    inlet& operator=(inlet const&) = delete;

    /// Subscribes to `from`. `self` is the flow that owns this.
    template <publisher P>
    void open(P from, std::shared_ptr<wakeable> const& self) {
        std::move(from).subscribe(entrance{std::shared_ptr<inlet>{self, this}, self.get()});
        if (!subscribed_)
            throw std::logic_error{"rule 1.9: subscribe returned before on_subscribe was called"};
    }

    /// Whether all items have been taken and no more will come. Throws what the publisher failed
    /// with, at once: items that still wait are not worth more than the news.
    [[nodiscard]] bool ended() const {
        // Acquire: an end is seen after all items before it.
        auto const state = state_.load(std::memory_order_acquire);
        if (state == state_type::failed) std::rethrow_exception(why_);
        return state == state_type::completed && is_empty();
    }

    /// The next item, if one is there. What it makes room for is asked for.
    std::optional<T> take() {
        if (asked_.load(std::memory_order_relaxed) == 0) ask(credit_.first());
        if (is_empty()) return std::nullopt;
        std::optional<T> item{std::move(*slots_[taken_ % capacity_])};
        drop_first();
        if (auto const more = credit_.consume_one(); more > 0) ask(more);
        return item;
    }

    /// Cancels, and drops what waits.
    void close() noexcept {
        std::exchange(from_, subscription{}).cancel();
        while (!is_empty()) drop_first();
    }

private:
    enum class state_type : std::uint8_t { open, completed, failed };

    /// The subscriber that the publisher sees.
    struct entrance {
        std::shared_ptr<inlet> to;
        wakeable* stage;  ///< Owns the inlet, and so lives as long.

        void on_subscribe(subscription handle) noexcept { to->accept(std::move(handle)); }
        void on_next(T item) {
            to->push(std::move(item));
            stage->wake();
        }
        void on_error(std::exception_ptr why) noexcept {
            to->fail(std::move(why));
            stage->wake();
        }
        void on_complete() noexcept {
            to->end(state_type::completed);
            stage->wake();
        }
    };

    void accept(subscription handle) noexcept {
        if (std::exchange(subscribed_, true))
            handle.cancel();  // Rule 2.5: there is one already.
        else
            from_ = std::move(handle);
    }

    void ask(std::int64_t count) {
        auto const before = asked_.load(std::memory_order_relaxed);
        // Release: the publisher finds the slots empty that it was asked to fill.
        asked_.store(before + static_cast<std::uint64_t>(count), std::memory_order_release);
        from_.request(count);
    }

    void push(T item) {
        if (state_.load(std::memory_order_relaxed) != state_type::open) return;  // Rule 1.7.
        auto const number = come_.load(std::memory_order_relaxed);
        if (number == asked_.load(std::memory_order_acquire)) {
            fail(std::make_exception_ptr(
                std::logic_error{"rule 1.1: more items have come than were asked for"}));
            return;
        }
        slots_[number % capacity_].emplace(std::move(item));
        come_.store(number + 1, std::memory_order_release);  // The reader sees the item.
    }

    /// Acquire: an item is seen as it was written.
    [[nodiscard]] bool is_empty() const noexcept {
        return come_.load(std::memory_order_acquire) == taken_;
    }
    void drop_first() noexcept { slots_[taken_++ % capacity_].reset(); }

    void fail(std::exception_ptr why) noexcept {
        if (state_.load(std::memory_order_relaxed) != state_type::open) return;
        why_ =
            why ? std::move(why)
                : std::make_exception_ptr(std::logic_error{"rule 2.13: an error without a reason"});
        end(state_type::failed);
    }
    void end(state_type how) noexcept {
        // Written by the publisher alone. Release: what came before the end is seen with it.
        if (state_.load(std::memory_order_relaxed) == state_type::open)
            state_.store(how, std::memory_order_release);
    }

    replenishment credit_;
    std::uint32_t const capacity_;
    std::unique_ptr<std::optional<T>[]> const slots_;
    subscription from_;
    bool subscribed_ = false;
    std::exception_ptr why_;
    std::atomic<state_type> state_{state_type::open};
    // Numbers of items, ever: 64 bits do not wrap. At most as many were asked for as were taken,
    // and a prefetch more. Those that the reader writes stand apart from the publisher's.
    std::uint64_t taken_ = 0;
    alignas(cache_line) std::atomic<std::uint64_t> asked_{0};
    alignas(cache_line) std::atomic<std::uint64_t> come_{0};
};

}  // namespace hawser::inline v0::demand::detail
#endif  // HAWSER_RUN_DEMAND_DETAIL_INLET_HPP
