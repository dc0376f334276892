// SPDX-License-Identifier: BSL-1.0
//
// The limits are constants, so the mistake in them is found by the compiler.
// expect-gcc: attempt_timeout is not below total_timeout
// expect-clang: constexpr variable 'line' must be initialized by a constant expression
// expect-clang: subexpression not valid
#include <hawser/hawser.hpp>

using namespace std::chrono_literals;

#ifdef HAWSER_ACCEPT
constexpr auto attempt = 1s;
#else
constexpr auto attempt = 10s;
#endif
constexpr auto line = hawser::compose(hawser::total_timeout{10s}, hawser::attempt_timeout{attempt});

int main() {
    return hawser::execute(line, [] { return 0; });
}
