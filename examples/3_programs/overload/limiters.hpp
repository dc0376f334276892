// SPDX-License-Identifier: BSL-1.0
//
// What stands between callers and the server: nothing, a number, or a number that is learned.
#ifndef OVERLOAD_LIMITERS_HPP
#define OVERLOAD_LIMITERS_HPP

#include "meter.hpp"
#include "world.hpp"

#include <cstdint>
#include <vector>

namespace overload {

/// One way to limit calls, and how to play a scene with it.
struct limiter {
    char const* name;
    meter (*play)(scene const&);
    std::uint32_t ceiling = 0;  ///< Over which it learns no limit; zero if it learns none.
};

/// The first is none, the last the library's default.
[[nodiscard]] std::vector<limiter> const& limiters();

}  // namespace overload
#endif  // OVERLOAD_LIMITERS_HPP
