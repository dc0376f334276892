// SPDX-License-Identifier: BSL-1.0
//
// The source: sends as fast as its socket takes, and knows of nothing behind it.
#ifndef STREAM_SOURCE_HPP
#define STREAM_SOURCE_HPP

#include "findings.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>

namespace stream {

/// What a source has sent, and how it went.
struct source_log {
    progress& moved;
    time_point start;
    checksum sum{};
    span_log waits;
};

/// Sends `bytes` and ends, or ends when nobody reads any more.
boost::asio::awaitable<void> send_all(boost::asio::ip::tcp::socket& to, std::uint64_t bytes,
                                      source_log& log);

}  // namespace stream
#endif  // STREAM_SOURCE_HPP
