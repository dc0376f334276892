// SPDX-License-Identifier: BSL-1.0
//
// A value that shares its cache line with nothing else.
#ifndef HAWSER_BASE_PADDED_HPP
#define HAWSER_BASE_PADDED_HPP

#include <cstddef>

namespace hawser::inline v0 {

/// The distance at which two variables stop slowing each other down when two threads write them.
///
/// 64 bytes on x86-64 and on most Arm cores. `std::hardware_destructive_interference_size` would
/// say so too, but g++ warns that its value, and with it our layout, follows a compiler flag.
inline constexpr std::size_t cache_line = 64;

/// A `T` alone on its cache line.
template <class T>
struct alignas(cache_line) padded {
    T value{};
};

}  // namespace hawser::inline v0
#endif  // HAWSER_BASE_PADDED_HPP
