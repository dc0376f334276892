// SPDX-License-Identifier: BSL-1.0
//
// How do I keep to the rate that another service allows me?
//
// Output:
//     10 calls sent in 45 ms, 0 refused
//     in a hurry: rate limited, again in 5 ms
#include <hawser/hawser.hpp>
#include <hawser/testing/manual_environment.hpp>

#include <chrono>
#include <cstdio>

namespace {

using namespace std::chrono_literals;

long milliseconds(hawser::duration length) {
    return static_cast<long>(std::chrono::duration_cast<std::chrono::milliseconds>(length).count());
}

}  // namespace

int main() {
    hawser::manual_time time;  // So that the program prints the same each time.
    auto const began = time.now();

    // [paced]
    // 200 calls a second and never two at once: a call takes its turn, and waits for it.
    hawser::rate_limit partner{{.rate = 200, .burst = 1}, hawser::wait_up_to{1s}};
    // [/paced]
    auto const line =
        hawser::compose_in(hawser::testing::manual_environment{time}, hawser::borrow(partner));

    int refused = 0;
    for (int call = 0; call != 10; ++call)
        refused += hawser::try_execute(line, [] { return 1; }).has_value() ? 0 : 1;
    std::printf("10 calls sent in %ld ms, %d refused\n", milliseconds(time.now() - began), refused);

    // [deadline]
    // A call that has no time to wait is told so at once, and when to come again.
    auto const hurried =
        hawser::try_execute(line, {.deadline = time.now() + 1ms}, [] { return 1; });
    // [/deadline]
    std::printf("in a hurry: %s, again in %ld ms\n", hawser::to_string(hurried.code()),
                milliseconds(hurried.why()->retry_after));
    return refused == 0 && hurried.code() == hawser::errc::rate_limited ? 0 : 1;
}
