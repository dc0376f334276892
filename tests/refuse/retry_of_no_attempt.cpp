// SPDX-License-Identifier: BSL-1.0
//
// A constant option out of range is found by the compiler.
// expect: retry: max_attempts is zero
#include <hawser/hawser.hpp>

#ifdef HAWSER_ACCEPT
constexpr auto options = hawser::checked(hawser::retry_options{.max_attempts = 1});
#else
constexpr auto options = hawser::checked(hawser::retry_options{.max_attempts = 0});
#endif

int main() { return options.max_attempts == 1 ? 0 : 1; }
