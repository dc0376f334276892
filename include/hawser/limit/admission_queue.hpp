// SPDX-License-Identifier: BSL-1.0
//
// An admission queue: a semaphore behind a front door, which knows how long one that comes would
// wait, and says at once that it would be too long.
//
//     acquire --enough are free, nobody waits--> held --release--> free, or on to the next
//        |                                        ^
//        |--would wait too long--> too_late       |
//        |--no place-------------> full           |  its turn
//        +--> queued -----------------------------+
//                \--the queue stands--> turned away
//
// How long it would be is measured where it matters, at the queue: what passes from one turn to the
// next while somebody waits. It costs nothing while nobody does.
//
//     expected  = (permits that those before it, and it, wait for) * (mean time a permit takes)
//     at least  = the same, without those that may be turned away or overtaken, without the turn
//                 under way, and less two standard errors of the sum and of the mean
//
// Only the second refuses, so that hardly anybody is refused who would have been served in time.
#ifndef HAWSER_LIMIT_ADMISSION_QUEUE_HPP
#define HAWSER_LIMIT_ADMISSION_QUEUE_HPP

#include <hawser/base/time.hpp>
#include <hawser/containers/waiter.hpp>
#include <hawser/limit/admission_types.hpp>
#include <hawser/limit/detail/measured_door.hpp>
#include <hawser/limit/semaphore.hpp>

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <utility>

namespace hawser::inline v0 {

/// Lends permits as `semaphore` does, to waiters in the order of a `queueing::front_door`; refuses
/// those that would wait too long, and tells whom it refuses when to come again. Starts with all
/// permits free, and no data.
///
/// Never waits, rings no bell and reads no clock. A waiter's class is its `priority`.
///
/// Guarantee:     permits as of `basic_semaphore`, order and shedding as of `queueing::front_door`.
///                No refusal says zero. One that is refused as `too_late` would have waited longer
///                than it may, but for the error stated at `wait_of`; without data nobody is.
/// Thread safety: all members may be called concurrently. `try_acquire`, and `release` while nobody
///                waits, are lock-free; the rest is one short lock, or two.
/// Cost:          one compare-and-swap to acquire, one addition to release, while nobody waits.
///                Allocates nothing. 16 KiB, nearly all of it to measure waits.
class admission_queue {
public:
    using options_type = admission_options;
    static constexpr std::uint32_t permits_max = semaphore::permits_max;

    /// Throws `std::invalid_argument`, naming the field, if an option is out of range.
    explicit admission_queue(admission_options const& options)
        : door_{options.queue},
          permits_{{.permits = options.permits, .places = options.places}, door_},
          retry_after_max_{options.retry_after_max} {
        if (retry_after_max_ < std::chrono::milliseconds{1} ||
            retry_after_max_ > std::chrono::hours{1})
            throw std::invalid_argument{"admission_queue: retry_after_max is not in [1 ms, 1 h]"};
    }
    admission_queue(admission_queue const&) = delete;
    admission_queue& operator=(admission_queue const&) = delete;

    /// Takes `count` permits if so many are free and nobody waits. Requires `count > 0`.
    [[nodiscard, gnu::always_inline]] bool try_acquire(std::uint32_t count = 1) noexcept {
        return permits_.try_acquire(count);
    }

    /// Takes `count` permits, or queues `node` for them, or refuses. It may wait for `wait_max`;
    /// the queue does not end the wait for it: its owner claims or withdraws it by then. Requires
    /// `count > 0` and that `node`, whose class is set, is not queued.
    admission_answer acquire(waiter& node, std::uint32_t count, time_point now,
                             duration wait_max = never) noexcept {
        if (try_acquire(count)) return {.result = admitted::granted};
        if (count > capacity()) return {.result = admitted::too_large, .retry_after = never};
        if (wait_of(node.priority, count, now).at_least > wait_max)
            return refuse(admitted::too_late, &admission_counts::too_late, node, now, wait_max);
        auto answer = permits_.acquire(node, count, now);
        switch (answer.result) {
            case acquired::granted:
                return {.result = admitted::granted, .to_wake = std::move(answer.to_wake)};
            case acquired::queued:
                return {.result = admitted::queued, .to_wake = std::move(answer.to_wake)};
            case acquired::too_large: return {.result = admitted::too_large, .retry_after = never};
            case acquired::full: break;
        }
        auto refused = node.turned_away
                           ? refuse(admitted::turned_away, nullptr, node, now, wait_max)
                           : refuse(admitted::full, &admission_counts::full, node, now, wait_max);
        refused.to_wake = std::move(answer.to_wake);
        return refused;
    }

    /// Gives `count` permits back, to whoever is next. `now` as of `basic_semaphore::release`.
    template <detail::instant Now>
    [[gnu::always_inline]] wake_list release(std::uint32_t count, Now&& now) noexcept {
        return permits_.release(count, std::forward<Now>(now));
    }

    /// As of `basic_semaphore`.
    claim_answer claim(waiter& node, time_point now) noexcept { return permits_.claim(node, now); }

    /// As of `basic_semaphore`.
    withdrawal withdraw(waiter& node, time_point now) noexcept {
        return permits_.withdraw(node, now);
    }

    /// As of `basic_semaphore`. What was measured stays, and is soon outweighed.
    wake_list resize(std::uint32_t permits, time_point now) {
        return permits_.resize(permits, now);
    }

    /// How long one of this class that comes now waits for `count` permits.
    ///
    /// The error: `expected` is off by the turn under way, by chance, and by what leaves the queue
    /// otherwise. `at_least` allows for chance with two standard errors, as if turns were
    /// independent: of those that would wait so long, one in forty or so waits less. It allows for
    /// what the queue turns away or reorders, and so is never more than the interval; not for those
    /// before it that leave by themselves, nor for a server that has become faster within the last
    /// 64 turns. Known once eight turns in a row were measured, the last within ten seconds.
    [[nodiscard]] wait_estimate wait_of(std::uint8_t priority, std::uint32_t count,
                                        time_point now) const noexcept {
        auto const free = std::int64_t{capacity()} - std::int64_t{in_use()};
        auto const missing = std::int64_t{count} - std::max(free, std::int64_t{0});
        return door_.wait_of(priority, static_cast<double>(std::max(missing, std::int64_t{0})),
                             now);
    }

    /// When to ask again, for one of this class that is refused now, and that may wait `wait_max`.
    ///
    /// It is when the queue would be short again, were nobody else to come: when its wait would be
    /// the target, or `wait_max` if that is less. While the queue stands, or without data, it is an
    /// interval at the least; while nobody has had a turn, as long as nobody has. Rounded up to
    /// whole milliseconds, never zero, never more than `retry_after_max`. It is the same for all:
    /// clients add jitter of their own.
    [[nodiscard]] duration retry_after(std::uint8_t priority, time_point now,
                                       duration wait_max = never) const noexcept {
        using std::chrono::milliseconds;
        auto const exact = std::clamp(door_.short_again_in(priority, wait_max, now), duration{1},
                                      retry_after_max_);
        return std::min<duration>(std::chrono::ceil<milliseconds>(exact), retry_after_max_);
    }

    [[nodiscard]] admission_snapshot snapshot(time_point now) const noexcept {
        admission_snapshot seen{.permits = permits_.snapshot()};
        door_.describe(seen, now);
        return seen;
    }

    /// Whether a class has been late for an interval, and not in good time for one since.
    [[nodiscard]] bool stands(time_point now) const noexcept { return door_.stands(now); }

    /// The same, as of when last somebody came to wait or had a turn. One load.
    [[nodiscard]] bool stood() const noexcept { return door_.stood(); }

    /// Permits there are. Out of date once somebody resizes. One load.
    [[nodiscard]] std::uint32_t capacity() const noexcept { return permits_.capacity(); }

    /// Permits that are out. Out of date at once. One load.
    [[nodiscard]] std::uint32_t in_use() const noexcept { return permits_.in_use(); }

private:
    admission_answer refuse(admitted why, std::uint64_t admission_counts::*what, waiter const& node,
                            time_point now, duration wait_max) noexcept {
        if (what != nullptr) door_.count(what);
        return {.result = why, .retry_after = retry_after(node.priority, now, wait_max)};
    }

    detail::measured_door door_;
    basic_semaphore<detail::door_of> permits_;
    duration const retry_after_max_;
};

}  // namespace hawser::inline v0
#endif  // HAWSER_LIMIT_ADMISSION_QUEUE_HPP
