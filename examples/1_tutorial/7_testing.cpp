// SPDX-License-Identifier: BSL-1.0
//
// How do I test code that waits for minutes, in no time and always the same?
//
// Output:
//     90 s have passed, as the test sees it
#include <hawser/hawser.hpp>
#include <hawser/testing/fault_script.hpp>
#include <hawser/testing/manual_environment.hpp>
#include <hawser/testing/trace_expectation.hpp>

#include <cstdio>
#include <stdexcept>

namespace {

using namespace std::chrono_literals;

// [product]
/// The code under test: it takes the environment that it runs in.
template <class Environment>
auto price_line(Environment environment) {
    return hawser::compose_in(
        environment,
        hawser::retry{{}, hawser::backoff::exponential{30s, 2.0, 120s}, hawser::jitter::none{}});
}
// [/product]

}  // namespace

int main() {
    // [arrange]
    hawser::manual_time time;
    hawser::recorder seen;
    auto const line = price_line(hawser::testing::manual_and_observed(time, seen));

    hawser::testing::script<double> get_price{
        time, hawser::testing::throws(std::runtime_error{"down"}, 2),
        hawser::testing::returns(4.50)};
    // [/arrange]

    // [act]
    auto const began = time.now();
    double const price = hawser::execute(line, get_price);
    auto const took = std::chrono::duration_cast<std::chrono::seconds>(time.now() - began);
    std::printf("%d s have passed, as the test sees it\n", static_cast<int>(took.count()));
    // [/act]

    // [check]
    auto const difference = hawser::testing::trace_difference(
        seen, {
                  "pipeline attempt 1: attempt_started",
                  "...",
                  "retry attempt 1: retry_scheduled in 30s (backoff)",
                  "...",
                  "@90000.000ms pipeline attempt 3: attempt_started",
                  "...",
                  "*: call_ended success after *",
              });
    std::fputs(difference.c_str(), stdout);
    return price == 4.50 && took == 90s && get_price.finished() && difference.empty() ? 0 : 1;
    // [/check]
}
