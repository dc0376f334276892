// SPDX-License-Identifier: BSL-1.0
//
// How a limit on calls at one time changes its number, and who is told.
//
//     resize --(lock)--> semaphore, and a note of it --> | 16 notes | --deliver--> the sink
//
// What is noted inside the critical section is told outside of every lock, in order, by one thread
// at a time; notes that find no room are counted, and the sink is told how many.
#ifndef HAWSER_POLICY_DETAIL_LIMIT_NEWS_HPP
#define HAWSER_POLICY_DETAIL_LIMIT_NEWS_HPP

#include <hawser/base/time.hpp>
#include <hawser/containers/ring.hpp>
#include <hawser/containers/waiter_list.hpp>
#include <hawser/trace/event.hpp>
#include <hawser/trace/ordered_delivery.hpp>
#include <hawser/trace/sink.hpp>

#include <cstdint>
#include <mutex>
#include <utility>

namespace hawser::inline v0::detail {

/// Whether a sink wants anything that a limit tells.
template <class Teller>
inline constexpr bool hears_of_limits = listens_to<typename Teller::sink_type, limit_changed> ||
                                        listens_to<typename Teller::sink_type, overload_changed> ||
                                        listens_to<typename Teller::sink_type, events_dropped>;

/// Where nobody listens: nothing is noted.
template <class Teller, bool Tells = hears_of_limits<Teller>>
class limit_news {
public:
    explicit limit_news(Teller const&) noexcept {}

    template <class Semaphore>
    [[nodiscard]] static wake_list resize(Semaphore& permits, limit_changed const& change) {
        return permits.resize(change.to, change.origin.at);
    }
    static void deliver(event_origin const&) noexcept {}
    template <class Also>
    static void deliver(event_origin const&, Also const&) noexcept {}
};

/// Thread safety: all members may be called concurrently, `deliver` also from within the sink.
template <class Teller>
class limit_news<Teller, true> {
public:
    explicit limit_news(Teller teller) noexcept : teller_(std::move(teller)) {}

    /// Sets the permits to `change.to`, and notes it if that is a change: what it was before and
    /// what is in use is filled in. Throws as `Semaphore::resize` does, and notes nothing then.
    template <class Semaphore>
    [[nodiscard]] wake_list resize(Semaphore& permits, limit_changed change) {
        // The notes stand in the order of the changes: both happen under one lock.
        std::lock_guard const lock{mutex_};
        change.from = permits.capacity();
        change.in_use = permits.in_use();
        auto to_wake = permits.resize(change.to, change.origin.at);
        if (change.from != change.to && !notes_.try_push_back(change)) ++dropped_;
        return to_wake;
    }

    /// Tells the sink what was noted. Requires that the caller holds no lock.
    void deliver(event_origin const& origin) noexcept {
        deliver(origin, [](auto&) noexcept {});
    }
    /// The same, and then calls `also` with the sink, in the same turn. It may be called for who
    /// delivers meanwhile, too.
    template <class Also>
    void deliver(event_origin const& origin, Also const& also) noexcept {
        delivery_.run([&] {
            for (limit_changed note; take(note);)
                emit<limit_changed>(teller_.sink, [&] { return note; });
            if (auto const count = take_dropped(); count != 0)
                emit<events_dropped>(teller_.sink, [&] { return events_dropped{origin, count}; });
            also(teller_.sink);
        });
    }

private:
    bool take(limit_changed& into) noexcept {
        std::lock_guard const lock{mutex_};
        if (notes_.empty()) return false;
        into = notes_.pop_front();
        return true;
    }
    std::uint64_t take_dropped() noexcept {
        std::lock_guard const lock{mutex_};
        return std::exchange(dropped_, 0);
    }

    [[no_unique_address]] Teller teller_;
    ordered_delivery delivery_;
    std::mutex mutex_;  // Guards what follows, and that notes are in the order of the changes.
    // As many as a breaker keeps; a sink that falls further behind hears how many it missed.
    ring<limit_changed, 16> notes_;
    std::uint64_t dropped_ = 0;
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_POLICY_DETAIL_LIMIT_NEWS_HPP
