// SPDX-License-Identifier: BSL-1.0
//
// How do I count what happens for my metrics, and keep the last events for a look back?
//
// Output:
//     4 attempts, 2 calls failed, 2 retries
//     before the end: retry attempt 2: retry_gave_up (max_attempts)
#include <hawser/hawser.hpp>
#include <hawser/trace/counter.hpp>
#include <hawser/trace/recorder.hpp>
#include <hawser/trace/tee.hpp>

#include <cstdio>
#include <stdexcept>

using namespace std::chrono_literals;

int main() {
    // [sinks]
    hawser::event_counter counts;    // Every event, exactly, for as long as it lives.
    hawser::recorder recent{1'000};  // The last thousand, as they were.
    hawser::tee both{counts, recent};

    auto const line =
        hawser::compose_in(hawser::observed_by(both),
                           hawser::retry{{.max_attempts = 2}, hawser::backoff::constant{1ms}});
    // [/sinks]

    for (int call = 0; call != 2; ++call)
        (void)hawser::try_execute(line, []() -> int { throw std::runtime_error{"down"}; });

    // [read]
    auto const so_far = counts.snapshot();
    std::printf("%d attempts, %d calls failed, %d retries\n",
                static_cast<int>(so_far.attempts_started),
                static_cast<int>(so_far.calls_ended[hawser::call_result::failure]),
                static_cast<int>(so_far.retries_scheduled.total()));

    auto const events = recent.snapshot();
    auto const& last_but_one = events[events.size() - 2];
    std::printf("before the end: %s\n", hawser::describe(last_but_one).c_str());
    // [/read]
    return so_far.attempts_started == 4 && recent.recorded() == events.size() ? 0 : 1;
}
