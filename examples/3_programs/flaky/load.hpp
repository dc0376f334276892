// SPDX-License-Identifier: BSL-1.0
//
// The load: calls that come when they come, whatever has become of those before them.
//
//     number   0      1      2      3      4     ...     one every 1/400 s
//     asked    thread |      thread |      thread        the even ones by a pool of threads,
//                     coroutine     coroutine            the odd ones each by a coroutine
//
// A call that finds all threads busy waits for one, and its time counts from when it was due: a
// load generator that waited with it would leave out the worst of what callers see.
#ifndef FLAKY_LOAD_HPP
#define FLAKY_LOAD_HPP

#include "client.hpp"
#include "meter.hpp"
#include "settings.hpp"

namespace flaky {

/// Asks `asked` as the settings say, from the meter's start until the script's end, and returns
/// when the last call has ended.
void offer_load(settings const& all, duration script_length, endpoint const& server, client& asked,
                meter& counts);

}  // namespace flaky
#endif  // FLAKY_LOAD_HPP
