// SPDX-License-Identifier: BSL-1.0
//
// Where events go: a sink is any class with an `on(Event const&)` for each event it wants.
//
// The choice is made at compile time. An event that a sink does not want is not formed, its clock
// is not read, and with `null_sink` no instruction is left of the place where it would be emitted.
#ifndef HAWSER_TRACE_SINK_HPP
#define HAWSER_TRACE_SINK_HPP

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace hawser::inline v0 {

/// Wants nothing. The default.
struct null_sink {};

/// A sink that wants events of this type.
template <class Sink, class Event>
concept listens_to = requires(Sink& sink, Event const& event) {
    sink.on(event);
};

/// Sends events on to a sink that somebody else owns, which must outlive this.
template <class Sink>
class sink_reference {
public:
    explicit sink_reference(Sink& sink) noexcept : sink_{std::addressof(sink)} {}

    template <class Event>
    requires listens_to<Sink, Event>
    void on(Event const& event) const noexcept(noexcept(std::declval<Sink&>().on(event))) {
        sink_->on(event);
    }

private:
    Sink* sink_;
};

namespace detail {
inline constinit std::atomic<std::uint64_t> sink_failures{0};

[[gnu::cold]] inline void count_sink_failure() noexcept {
    sink_failures.fetch_add(1, std::memory_order_relaxed);
}
}  // namespace detail

/// Events whose sink threw, in this process. They changed nothing else.
[[nodiscard]] inline std::uint64_t sink_failures() noexcept {
    return detail::sink_failures.load(std::memory_order_relaxed);
}

/// Gives `make()`, an event, to `sink` if it wants events of that type; else does nothing and does
/// not call `make`. What the sink throws is counted and goes no further.
template <class Event, class Sink, class Make>
[[gnu::always_inline]] inline void emit([[maybe_unused]] Sink& sink,
                                        [[maybe_unused]] Make&& make) noexcept {
    if constexpr (listens_to<Sink, Event>) {
        if constexpr (noexcept(sink.on(std::declval<Event const&>()))) {
            sink.on(make());
        } else {
            try {
                sink.on(make());
            } catch (...) {
                detail::count_sink_failure();
            }
        }
    }
}

}  // namespace hawser::inline v0
#endif  // HAWSER_TRACE_SINK_HPP
