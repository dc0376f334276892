// SPDX-License-Identifier: BSL-1.0
//
// event_counter: exact counts of all events, by every closed set of reasons they carry.
//
//      thread slot 0          slot 1                  every other thread
//     +------------------+   +------------------+    +------------------+
//     | its event_counts |   | its event_counts |  … | its event_counts |   snapshot() = the sum
//     +------------------+   +------------------+    +------------------+
//
// Each thread counts in a part of its own (see `base/thread_slot.hpp`) that no other writes, so no
// cache line moves between cores when calls are counted.
#ifndef HAWSER_TRACE_COUNTER_HPP
#define HAWSER_TRACE_COUNTER_HPP

#include <hawser/base/error.hpp>
#include <hawser/base/padded.hpp>
#include <hawser/base/thread_slot.hpp>
#include <hawser/trace/event.hpp>
#include <hawser/trace/names.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace hawser::inline v0 {

namespace detail {

/// How many values a closed set has: from zero up to the last one with a label.
template <class Enum>
consteval std::size_t values_of() {
    std::size_t count = 0;
    while (std::string_view{label_of(static_cast<Enum>(count))} != "_OTHER") ++count;
    return count;
}

}  // namespace detail

/// A count for each value of a closed set. A value outside it counts as the first.
template <class Enum, class Cell = std::uint64_t>
class counts_by {
public:
    static constexpr std::size_t size = detail::values_of<Enum>();

    [[nodiscard]] constexpr Cell& operator[](Enum value) noexcept { return cells_[index(value)]; }
    [[nodiscard]] constexpr Cell const& operator[](Enum value) const noexcept {
        return cells_[index(value)];
    }

    [[nodiscard]] constexpr std::uint64_t total() const noexcept {
        std::uint64_t sum = 0;
        for (auto const& cell : cells_) sum += cell;
        return sum;
    }

    [[nodiscard]] constexpr auto begin() const noexcept { return cells_.begin(); }
    [[nodiscard]] constexpr auto end() const noexcept { return cells_.end(); }

private:
    static constexpr std::size_t index(Enum value) noexcept {
        auto const number = static_cast<std::size_t>(value);
        return number < size ? number : 0;
    }

    std::array<Cell, size> cells_{};
};

/// How often each event happened, and why. `Cell` is a number in a snapshot.
template <class Cell>
struct basic_event_counts {
    template <class Enum>
    using by = counts_by<Enum, Cell>;

    Cell attempts_started{};
    by<verdict> attempts_ended{};
    by<call_result> calls_ended{};
    by<errc> calls_refused{};  ///< By policies, attempts that were retried included.
    Cell waits{};              ///< For a time.
    Cell parks{};              ///< Until woken.
    by<errc> waits_withdrawn{};
    by<delay_source> retries_scheduled{};
    by<give_up> retries_gave_up{};
    Cell timeouts_cancelled{};     ///< Fired, and cancelled the operation.
    Cell timeouts_late{};          ///< Found when the operation returned by itself.
    by<errc> fallbacks_invoked{};  ///< By what they stand in for; no error is a failure.
    by<verdict> fallbacks_ended{};
    Cell predicates_threw{};
    Cell breakers_changed{};
    by<limit_cause> limits_changed{};
    Cell overloads_changed{};  ///< Began, or were over.
    by<errc> sends_waited{};   ///< At channels, by what they ended with; no error is a value sent.
    by<errc> receives_waited{};
    by<errc> channels_refused{};
    by<drop_cause> values_dropped{};
    Cell levels_changed{};  ///< Of channels: high, or low after that.
    Cell channels_closed{};
    Cell events_dropped{};  ///< Changes of breakers and limits that nobody was told of.
};

using event_counts = basic_event_counts<std::uint64_t>;

namespace detail {

/// Calls `f` with each cell of one part and its like of another. Both have nothing but cells, in
/// the same order.
template <class From, class F>
void add_up(basic_event_counts<From> const& part, event_counts& sum, F read) {
    auto one = [&](From const& cell, std::uint64_t& into) { into += read(cell); };
    auto all = [&]<class Enum>(counts_by<Enum, From> const& cells, counts_by<Enum>& into) {
        for (std::size_t i = 0; i != cells.size; ++i)
            one(cells[static_cast<Enum>(i)], into[static_cast<Enum>(i)]);
    };
    one(part.attempts_started, sum.attempts_started);
    all(part.attempts_ended, sum.attempts_ended);
    all(part.calls_ended, sum.calls_ended);
    all(part.calls_refused, sum.calls_refused);
    one(part.waits, sum.waits);
    one(part.parks, sum.parks);
    all(part.waits_withdrawn, sum.waits_withdrawn);
    all(part.retries_scheduled, sum.retries_scheduled);
    all(part.retries_gave_up, sum.retries_gave_up);
    one(part.timeouts_cancelled, sum.timeouts_cancelled);
    one(part.timeouts_late, sum.timeouts_late);
    all(part.fallbacks_invoked, sum.fallbacks_invoked);
    all(part.fallbacks_ended, sum.fallbacks_ended);
    one(part.predicates_threw, sum.predicates_threw);
    one(part.breakers_changed, sum.breakers_changed);
    all(part.limits_changed, sum.limits_changed);
    one(part.overloads_changed, sum.overloads_changed);
    all(part.sends_waited, sum.sends_waited);
    all(part.receives_waited, sum.receives_waited);
    all(part.channels_refused, sum.channels_refused);
    all(part.values_dropped, sum.values_dropped);
    one(part.levels_changed, sum.levels_changed);
    one(part.channels_closed, sum.channels_closed);
    one(part.events_dropped, sum.events_dropped);
}

}  // namespace detail

/// A sink that counts. Starts at zero; never forgets.
///
/// Guarantee:     exact: `snapshot` counts every event that happened before it, and of those
///                running beside it each in full or not at all. Each count only grows; counts of
///                different kinds are read one after the other.
/// Thread safety: all members may be called concurrently; not from signal handlers.
/// Cost:          an event about a nanosecond and a cache line of the thread's own; 17 KB of
///                memory, all of it read by `snapshot`. Reads no clock of its own, but the event
///                that it wants does.
class event_counter {
    /// Parts with one writer each. Threads beyond share one more part and pay for a locked
    /// addition.
    static constexpr std::uint32_t own_parts = 16;

public:
    event_counter() = default;
    event_counter(event_counter const&) = delete;
    event_counter& operator=(event_counter const&) = delete;

    void on(attempt_started const&) noexcept {
        add([](auto& part) -> auto& { return part.attempts_started; });
    }
    void on(attempt_ended const& event) noexcept {
        add([&](auto& part) -> auto& { return part.attempts_ended[event.result]; });
    }
    void on(call_ended const& event) noexcept {
        add([&](auto& part) -> auto& { return part.calls_ended[result_of(event)]; });
    }
    void on(call_refused const& event) noexcept {
        add([&](auto& part) -> auto& { return part.calls_refused[event.why.code]; });
    }
    void on(call_waiting const& event) noexcept {
        add([&](auto& part) -> auto& { return event.parked ? part.parks : part.waits; });
    }
    void on(wait_withdrawn const& event) noexcept {
        add([&](auto& part) -> auto& { return part.waits_withdrawn[event.code]; });
    }
    void on(retry_scheduled const& event) noexcept {
        add([&](auto& part) -> auto& { return part.retries_scheduled[event.source]; });
    }
    void on(retry_gave_up const& event) noexcept {
        add([&](auto& part) -> auto& { return part.retries_gave_up[event.reason]; });
    }
    void on(timeout_fired const& event) noexcept {
        add([&](auto& part) -> auto& {
            return event.cancelled ? part.timeouts_cancelled : part.timeouts_late;
        });
    }
    void on(fallback_invoked const& event) noexcept {
        add([&](auto& part) -> auto& { return part.fallbacks_invoked[event.cause]; });
    }
    void on(fallback_ended const& event) noexcept {
        add([&](auto& part) -> auto& { return part.fallbacks_ended[event.result]; });
    }
    void on(predicate_threw const&) noexcept {
        add([](auto& part) -> auto& { return part.predicates_threw; });
    }
    void on(breaker_changed const&) noexcept {
        add([](auto& part) -> auto& { return part.breakers_changed; });
    }
    void on(limit_changed const& event) noexcept {
        add([&](auto& part) -> auto& { return part.limits_changed[event.cause]; });
    }
    void on(overload_changed const&) noexcept {
        add([](auto& part) -> auto& { return part.overloads_changed; });
    }
    void on(channel_waited const& event) noexcept {
        add([&](auto& part) -> auto& {
            return (event.sending ? part.sends_waited : part.receives_waited)[event.code];
        });
    }
    void on(channel_refused const& event) noexcept {
        add([&](auto& part) -> auto& { return part.channels_refused[event.code]; });
    }
    void on(channel_dropped const& event) noexcept {
        add(
            [&](auto& part) -> auto& { return part.values_dropped[event.cause]; }, event.count);
    }
    void on(channel_level_changed const&) noexcept {
        add([](auto& part) -> auto& { return part.levels_changed; });
    }
    void on(channel_closed const&) noexcept {
        add([](auto& part) -> auto& { return part.channels_closed; });
    }
    void on(events_dropped const& event) noexcept {
        add(
            [](auto& part) -> auto& { return part.events_dropped; }, event.count);
    }

    [[nodiscard]] event_counts snapshot() const noexcept {
        event_counts sum;
        for (auto const& part : parts_)
            // Relaxed: a count stands for nothing but itself.
            detail::add_up(part.value, sum,
                           [](cell const& count) { return count.load(std::memory_order_relaxed); });
        return sum;
    }

private:
    using cell = std::atomic<std::uint64_t>;

    template <class Choose>
    [[gnu::always_inline]] void add(Choose choose, std::uint64_t count = 1) noexcept {
        auto const slot = thread_slot();
        if (slot < own_parts) [[likely]] {
            // Relaxed, and no locked instruction: this thread is the part's only writer.
            cell& own = choose(parts_[slot].value);
            own.store(own.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
        } else {
            choose(parts_[own_parts].value).fetch_add(count, std::memory_order_relaxed);
        }
    }

    std::array<padded<basic_event_counts<cell>>, own_parts + 1> parts_{};
};

}  // namespace hawser::inline v0
#endif  // HAWSER_TRACE_COUNTER_HPP
