// SPDX-License-Identifier: BSL-1.0
//
// What the process takes of the machine's memory, as Linux counts it.
#ifndef STREAM_MEMORY_HPP
#define STREAM_MEMORY_HPP

#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace stream {

/// `VmRSS`, what is resident now, or `VmHWM`, the most that ever was. In bytes.
[[nodiscard]] inline std::uint64_t memory(std::string_view what) {
    std::ifstream status{"/proc/self/status"};
    for (std::string line; std::getline(status, line);)
        if (line.compare(0, what.size(), what) == 0 && line[what.size()] == ':')
            return std::stoull(line.substr(what.size() + 1)) * 1024;
    throw std::runtime_error{"/proc/self/status does not say what memory the process takes"};
}

/// Whether memory and speed are the program's own: a sanitizer keeps freed memory and shadows of
/// all, and may make the source slower than the sink.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool is_measurable = false;
#elif defined(__has_feature)
constexpr bool is_measurable =
    !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer);
#else
constexpr bool is_measurable = true;
#endif

}  // namespace stream
#endif  // STREAM_MEMORY_HPP
