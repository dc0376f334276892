// SPDX-License-Identifier: BSL-1.0
//
// How do I use a breaker where the work is not one function call?
//
// Output:
//     job 1: failed
//     job 2: dropped
//     job 3: failed
//     job 4: not begun, circuit open
#include <hawser/hawser.hpp>

#include <cstdio>
#include <utility>

namespace {

using namespace std::chrono_literals;
using breaker = hawser::circuit_breaker;

// [job]
/// Work that begins in one place and ends in another. A job that is dropped has no vote.
class job {
public:
    explicit job(breaker::permit permit) : permit_{std::move(permit)} {}

    void ended(bool well) {
        auto const now = []() noexcept { return hawser::steady_clock_source{}.now(); };
        permit_.report({.health = well ? hawser::verdict::success : hawser::verdict::failure}, now);
    }

private:
    breaker::permit permit_;
};
// [/job]

}  // namespace

int main() {
    breaker printer{{.minimum_calls = 2, .open_for = 30s}};
    bool refused = false;

    for (int number = 1; number <= 4; ++number) {
        // [begin]
        auto permit = printer.try_acquire();
        if (!permit) {
            refused = true;
            std::printf("job %d: not begun, circuit %s\n", number, to_string(printer.state()));
            continue;
        }
        job work{std::move(permit)};
        // [/begin]
        if (number == 2) {
            std::printf("job %d: dropped\n", number);
            continue;
        }
        work.ended(false);
        std::printf("job %d: failed\n", number);
    }
    return refused && printer.state() == hawser::breaker_state::open ? 0 : 1;
}
