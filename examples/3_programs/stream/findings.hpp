// SPDX-License-Identifier: BSL-1.0
//
// What one transfer came to, and how it went over time.
#ifndef STREAM_FINDINGS_HPP
#define STREAM_FINDINGS_HPP

#include "checksum.hpp"

#include <hawser/base/time.hpp>
#include <hawser/flow/bounded_buffer_types.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace stream {

using hawser::duration;
using hawser::time_point;
using namespace std::chrono_literals;

[[nodiscard]] inline time_point now() noexcept { return std::chrono::steady_clock::now(); }
[[nodiscard]] inline double seconds(duration time) {
    return std::chrono::duration<double>(time).count();
}

/// A while, counted from the start of the transfer.
struct span {
    duration from{}, to{};

    [[nodiscard]] duration length() const noexcept { return to - from; }
    [[nodiscard]] bool meets(span const& other) const noexcept {
        return from < other.to && other.from < to;
    }
};

/// Counts whiles, and keeps those that are to be drawn.
class span_log {
public:
    explicit span_log(span const& drawn) : drawn_{drawn} {}

    void add(span const& each) {
        ++count_;
        total_ += each.length();
        if (each.meets(drawn_)) kept_.push_back(each);
    }
    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    [[nodiscard]] duration total() const noexcept { return total_; }
    [[nodiscard]] std::vector<span> const& kept() const noexcept { return kept_; }

private:
    span drawn_;
    std::uint64_t count_ = 0;
    duration total_{};
    std::vector<span> kept_;
};

/// How far the bytes have come, as each end counts them.
struct progress {
    std::atomic<std::uint64_t> sent{0}, received{0}, written{0};
};

/// The depth of the channel at an instant, in bytes.
struct depth {
    duration at{};
    std::uint64_t bytes = 0;
};

/// The same over a while, and the process then.
struct slice {
    duration at{};
    std::uint64_t lowest = 0, highest = 0;  ///< Depths.
    std::uint64_t received = 0;
    std::uint64_t memory = 0;  ///< Resident, in bytes.
};

struct findings {
    explicit findings(span const& drawn) : drawn_closely{drawn}, pauses{drawn}, waits{drawn} {}

    std::string place;  ///< Where the bytes went.
    unsigned short port = 0;
    checksum sent, written;
    std::uint64_t received = 0, file_size = 0;
    bool stopped = false;  ///< Because too much waited in a channel without a bound.
    duration took{};       ///< Until the last byte was written.
    hawser::bounded_buffer_snapshot channel{};
    std::uint64_t in_kernel = 0;  ///< The most bytes that were sent and not yet received.
    std::uint64_t memory_before = 0, memory_peak = 0;

    span drawn_closely;
    span_log pauses;  ///< Of the reader.
    span_log waits;   ///< Of the source, for the socket to take more.
    std::vector<slice> course;
    std::vector<depth> closely;

    [[nodiscard]] std::uint64_t growth() const noexcept {
        return memory_peak - std::min(memory_peak, memory_before);
    }
};

}  // namespace stream
#endif  // STREAM_FINDINGS_HPP
