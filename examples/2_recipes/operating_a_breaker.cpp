// SPDX-License-Identifier: BSL-1.0
//
// How do I look at a running breaker, overrule it, and change its numbers?
//
// Output:
//     metrics_only: 1 opening not done
//     isolated: isolated by an operator
//     closed: 2 of 2 failed, and it takes 3
#include <hawser/hawser.hpp>

#include <cstdio>
#include <stdexcept>

namespace {

using namespace std::chrono_literals;

double down() { throw std::runtime_error{"down"}; }

}  // namespace

int main() {
    hawser::circuit_breaker supplier{{.minimum_calls = 2, .open_for = 30s}};
    auto const line = hawser::compose(hawser::borrow(supplier));

    // [observe]
    supplier.observe();  // A new breaker in production: it counts and tells, and refuses nobody.
    for (int i = 0; i != 3; ++i) (void)hawser::try_execute(line, down);
    auto const trial = supplier.snapshot();
    std::printf("%s: %d opening not done\n", to_string(trial.state),
                static_cast<int>(trial.would_have_tripped));
    // [/observe]

    // [isolate]
    supplier.isolate();  // Maintenance: nobody calls, however well the supplier does.
    auto const out = hawser::try_execute(line, down);
    std::printf("%s: %s\n", to_string(supplier.state()), hawser::to_string(out.code()));
    // [/isolate]

    // [reset]
    supplier.reset();  // Back to work, with empty windows.
    supplier.reconfigure({.minimum_calls = 3, .open_for = 30s}, std::chrono::steady_clock::now());
    for (int i = 0; i != 2; ++i) (void)hawser::try_execute(line, down);
    auto const now = supplier.snapshot();
    std::printf("%s: %u of %u failed, and it takes 3\n", to_string(now.state), now.rules[0].hits,
                now.rules[0].calls);
    // [/reset]
    return trial.would_have_tripped == 1 && out.code() == hawser::errc::isolated &&
                   now.state == hawser::breaker_state::closed
               ? 0
               : 1;
}
