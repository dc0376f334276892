// SPDX-License-Identifier: BSL-1.0
//
// What an isolation pool is told, and what it tells.
#ifndef HAWSER_ADAPT_ASIO_ISOLATION_OPTIONS_HPP
#define HAWSER_ADAPT_ASIO_ISOLATION_OPTIONS_HPP

#include <cstdint>

namespace hawser::inline v0 {

/// How many threads an isolation pool has, and how many calls may wait for them.
struct isolation_options {
    /// Calls that run at one time: the threads of the pool. 1 to 4096, more than a process has any
    /// use for.
    std::uint32_t threads = 8;

    /// Calls that may wait until a thread is free. Zero: none.
    std::uint32_t places = 64;
};

/// What an isolation pool is doing. Out of date at once.
struct isolation_snapshot {
    std::uint32_t running = 0;  ///< Operations on its threads,
    std::uint32_t behind = 0;   ///< of which the callers of so many have gone.
    std::uint32_t waiting = 0;  ///< Calls that no thread has taken yet.
    bool closed = false;
};

}  // namespace hawser::inline v0
#endif  // HAWSER_ADAPT_ASIO_ISOLATION_OPTIONS_HPP
