// SPDX-License-Identifier: BSL-1.0
//
// recorder: keeps the last events as they were, for a test, a page or a post-mortem.
//
//     recorder seen{1'000};
//     auto const line = compose_in(observed_by(seen), retry{…}, …);
//     for (auto const& kept : seen.snapshot()) std::puts(describe(kept, start).c_str());
#ifndef HAWSER_TRACE_RECORDER_HPP
#define HAWSER_TRACE_RECORDER_HPP

#include <hawser/trace/record.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <stdexcept>
#include <vector>

namespace hawser::inline v0 {

namespace detail {

/// Copies of the names that events point to, each once: a policy may be gone before its events.
///
/// Bounded, and without allocation: names that do not fit are all called `overflow`.
class name_table {
public:
    /// Four thousand characters hold some two hundred policies' names.
    static constexpr std::size_t capacity = 4096;
    static constexpr char const* overflow = "(name table full)";

    /// A copy of `name` that lives as long as this table.
    [[nodiscard]] char const* keep(char const* name) noexcept {
        if (name == nullptr || *name == '\0') return "";
        for (std::size_t at = 0; at != used_; at += std::strlen(&text_[at]) + 1)
            if (std::strcmp(&text_[at], name) == 0) return &text_[at];
        auto const length = std::strlen(name) + 1;
        if (length > capacity - used_) return overflow;
        auto* const copy = &text_[used_];
        std::memcpy(copy, name, length);
        used_ += length;
        return copy;
    }

private:
    std::array<char, capacity> text_{};
    std::size_t used_ = 0;
};

}  // namespace detail

/// A sink that records every event of `trace/event.hpp`. Starts empty.
///
/// Guarantee:     holds the last `capacity` events in the order in which they came; each one that
///                had to go is counted. Names in its records live as long as the recorder.
/// Thread safety: all members may be called concurrently. Events of different threads are in the
///                order of their arrival, which may not be that of their times.
/// Cost:          a mutex and a copy of some hundred bytes for each event; allocates when it is
///                made, and in `snapshot`. For observing; for counting see `trace/counter.hpp`.
class recorder {
public:
    /// Room for `capacity` events. Throws `std::invalid_argument` if that is zero.
    explicit recorder(std::size_t capacity = 1024) : kept_(checked(capacity)) {}

    recorder(recorder const&) = delete;
    recorder& operator=(recorder const&) = delete;

    template <known_event Event>
    void on(Event const& event) noexcept {
        std::lock_guard const lock{mutex_};
        auto& place = kept_[static_cast<std::size_t>(recorded_ % kept_.size())];
        place.what = with_kept_names(event);
        place.number = recorded_++;
    }

    /// What it holds, oldest first.
    [[nodiscard]] std::vector<record> snapshot() const {
        std::lock_guard const lock{mutex_};
        std::vector<record> events;
        events.reserve(static_cast<std::size_t>(recorded_ - oldest()));
        for (auto number = oldest(); number != recorded_; ++number)
            events.push_back(kept_[static_cast<std::size_t>(number % kept_.size())]);
        return events;
    }

    /// How many events it was given since it was made.
    [[nodiscard]] std::uint64_t recorded() const noexcept {
        std::lock_guard const lock{mutex_};
        return recorded_;
    }
    /// How many of those had to make room. What `clear` forgets is not among them.
    [[nodiscard]] std::uint64_t dropped() const noexcept {
        std::lock_guard const lock{mutex_};
        return dropped_before_clear_ + oldest() - cleared_;
    }

    /// Forgets what it holds. Numbers and names go on.
    void clear() noexcept {
        std::lock_guard const lock{mutex_};
        dropped_before_clear_ += oldest() - cleared_;
        cleared_ = recorded_;
    }

private:
    static std::size_t checked(std::size_t capacity) {
        if (capacity == 0) throw std::invalid_argument{"recorder: capacity is zero"};
        return capacity;
    }

    /// The number of the oldest event it holds. Requires the lock.
    [[nodiscard]] std::uint64_t oldest() const noexcept {
        auto const size = static_cast<std::uint64_t>(kept_.size());
        return recorded_ - cleared_ > size ? recorded_ - size : cleared_;
    }

    /// Requires the lock. The states and causes of a breaker are static already.
    template <class Event>
    [[nodiscard]] Event with_kept_names(Event event) noexcept {
        event.origin.policy = names_.keep(event.origin.policy);
        if constexpr (requires { event.why.policy; })
            event.why.policy = names_.keep(event.why.policy);
        if constexpr (requires { event.rule; }) event.rule = names_.keep(event.rule);
        return event;
    }

    mutable std::mutex mutex_;
    std::vector<record> kept_;
    std::uint64_t recorded_ = 0;
    std::uint64_t cleared_ = 0;  ///< How many were recorded when it was last cleared.
    std::uint64_t dropped_before_clear_ = 0;
    detail::name_table names_;
};

}  // namespace hawser::inline v0
#endif  // HAWSER_TRACE_RECORDER_HPP
