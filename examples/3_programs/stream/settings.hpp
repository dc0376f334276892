// SPDX-License-Identifier: BSL-1.0
//
// What the program is told, and the bounds that it keeps. A MB is a million bytes.
#ifndef STREAM_SETTINGS_HPP
#define STREAM_SETTINGS_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>

namespace stream {

constexpr std::uint64_t mega = 1'000'000;

struct settings {
    std::uint64_t bytes = 2000 * mega;
    std::uint32_t rate = 100;  ///< Of the sink, in MB a second.
    bool without = false;      ///< Also plays it without a bound.
    std::string svg = "stream.svg";
    std::string file{};  ///< Empty: a temporary one.
};

/// What the channel holds at most, in bytes, and where the socket is paused and resumed.
constexpr std::uint64_t bound = 8 * mega, high = 6 * mega, low = 2 * mega;

/// What is read, sent through the channel and written at once.
constexpr std::size_t chunk_size = 64 * 1024;

/// How much the process may grow beside the bound: a chunk in each hand, the source's block, three
/// stacks, code that runs for the first time, what malloc keeps, and the curves of the picture.
constexpr std::uint64_t slack = 8 * mega;

/// Where the transfer without a bound is stopped, in bytes that wait in the channel.
constexpr std::uint64_t stop_at = 256 * mega;

/// What the command line asks for; or, after a word of help, the status to exit with.
[[nodiscard]] std::variant<settings, int> settings_of(int argc, char const* const* argv);

}  // namespace stream
#endif  // STREAM_SETTINGS_HPP
