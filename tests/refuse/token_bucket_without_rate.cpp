// SPDX-License-Identifier: BSL-1.0
//
// The options of a global bucket are constants, so the mistake in them is found by the compiler.
// expect-gcc: token_bucket: rate is zero
// expect-clang: variable does not have a constant initializer
// expect-clang: subexpression not valid
#include <hawser/rate/token_bucket.hpp>

#ifdef HAWSER_ACCEPT
constexpr std::uint32_t rate = 100;
#else
constexpr std::uint32_t rate = 0;
#endif
constinit hawser::token_bucket bucket{{.rate = rate}};

int main() { return bucket.try_acquire(hawser::time_point{}) ? 0 : 1; }
