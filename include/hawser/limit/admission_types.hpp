// SPDX-License-Identifier: BSL-1.0
//
// What an admission queue is made of, and what it answers.
#ifndef HAWSER_LIMIT_ADMISSION_TYPES_HPP
#define HAWSER_LIMIT_ADMISSION_TYPES_HPP

#include <hawser/base/time.hpp>
#include <hawser/containers/queueing/front_door.hpp>
#include <hawser/containers/waiter_list.hpp>
#include <hawser/limit/semaphore_types.hpp>

#include <cstddef>
#include <cstdint>

namespace hawser::inline v0 {

/// How much an admission queue lets in, how many may wait, and what it holds their wait to.
struct admission_options {
    /// Calls that may be in at one time. From 1 to a thousand million.
    std::uint32_t permits = 10;

    /// Calls that may wait. Zero: nobody waits.
    std::uint32_t places = 100;

    /// The wait that is good enough, the time above it that makes a queue stand, and how classes
    /// age. Ranges as of `queueing::front_door_options`.
    queueing::front_door_options queue{};

    /// The longest time that a refusal names. From a millisecond to an hour.
    duration retry_after_max = std::chrono::seconds{10};
};

/// What came of asking to be let in.
enum class admitted : std::uint8_t {
    granted,      ///< The permits are held: to be released.
    queued,       ///< The waiter waits: to be claimed once its bell has rung, or withdrawn.
    full,         ///< No place to wait.
    too_late,     ///< The wait would be longer than it may be: it is not begun.
    turned_away,  ///< The queue sheds, and the comer is what it sheds.
    too_large,    ///< More than all permits: no wait would help.
};

/// The answer of `acquire`, and whom to wake for it, before waiting oneself.
struct [[nodiscard]] admission_answer {
    admitted result{};

    /// When it may help to ask again, if refused: as `admission_queue::retry_after` says; `never`
    /// if too large.
    duration retry_after{};
    wake_list to_wake{};
};

/// How long one that comes would wait for its turn.
struct wait_estimate {
    duration expected{};    ///< What those before it, and it, take on average.
    duration at_least{};    ///< No less than that, as good as surely: what a refusal goes by.
    bool is_known = false;  ///< Enough turns have been measured of late; else both are zero.
};

/// What has become of those that found no free permit, since the queue was made.
struct admission_counts {
    std::uint64_t served = 0;     ///< Let in, after a wait.
    std::uint64_t shed = 0;       ///< Turned away as the queue stood.
    std::uint64_t displaced = 0;  ///< Turned away out of a full queue, for one of more worth.
    std::uint64_t full = 0;       ///< Refused for want of a place.
    std::uint64_t too_late = 0;   ///< Refused for a wait that would have been too long.
};

/// An admission queue at one instant.
struct admission_snapshot {
    semaphore_snapshot permits{};
    std::size_t most_waiting = 0;  ///< At one time, since the queue was made.
    duration median_wait{};        ///< Of those let in after a wait, of late; zero if none were.
    duration p99_wait{};
    bool stands = false;  ///< As `admission_queue::stands`.
    admission_counts counts{};
};

}  // namespace hawser::inline v0
#endif  // HAWSER_LIMIT_ADMISSION_TYPES_HPP
