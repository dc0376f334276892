// SPDX-License-Identifier: BSL-1.0
//
// What a semaphore is made of, and what it answers.
#ifndef HAWSER_LIMIT_SEMAPHORE_TYPES_HPP
#define HAWSER_LIMIT_SEMAPHORE_TYPES_HPP

#include <hawser/containers/waiter_list.hpp>

#include <cstddef>
#include <cstdint>

namespace hawser::inline v0 {

/// How much a semaphore lends, and how many may wait for it.
struct semaphore_options {
    /// Permits there are, held and free together. From 1 to a thousand million.
    std::uint32_t permits = 10;

    /// Waiters that the queue has places for. Zero: nobody waits, who finds too few is refused.
    std::uint32_t places = 100;
};

/// What came of asking for permits.
enum class acquired : std::uint8_t {
    granted,    ///< They are held: to be released.
    queued,     ///< The waiter waits: to be claimed once its bell has rung, or withdrawn.
    full,       ///< There are too few, and no place to wait: nothing has happened.
    too_large,  ///< More than all permits: no wait would help.
};

/// The answer of `acquire`, and whom to wake for it, before waiting oneself: a better order, or a
/// full queue, may let others go first, and they hold what one waits for.
struct [[nodiscard]] acquisition {
    acquired result{};
    wake_list to_wake{};
};

/// What a waiter finds that is asked again.
enum class claimed : std::uint8_t {
    granted,      ///< Its permits are held from now on: to be released.
    turned_away,  ///< The queue has refused it.
    expired,      ///< It was still waiting, and is out of the queue now.
};

/// The answer of `claim`, and whom to wake for it.
struct [[nodiscard]] claim_answer {
    claimed result{};
    wake_list to_wake{};
};

/// The answer of `withdraw`, and whom to wake for it.
struct [[nodiscard]] withdrawal {
    bool bell_will_ring = false;  ///< Somebody has it on a `wake_list`: the node stays till then.
    wake_list to_wake{};
};

/// A semaphore at one instant. `free + held + on_the_way == capacity`, always.
struct semaphore_snapshot {
    std::uint32_t capacity = 0;
    std::int64_t free = 0;         ///< Negative while a shrunk semaphore drains.
    std::uint32_t held = 0;        ///< With who acquired or claimed them.
    std::uint32_t on_the_way = 0;  ///< Granted to waiters that have not claimed them yet.
    std::size_t waiting = 0;
};

}  // namespace hawser::inline v0
#endif  // HAWSER_LIMIT_SEMAPHORE_TYPES_HPP
