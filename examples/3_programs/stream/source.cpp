// SPDX-License-Identifier: BSL-1.0
#include "source.hpp"

#include <hawser/base/random.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <vector>

namespace stream {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t block_size = 256 * 1024;

/// Bytes that say where they stand, from the word numbered `first` on.
void fill(std::vector<std::byte>& block, std::uint64_t first) {
    for (std::size_t at = 0; at != block.size(); at += sizeof first, ++first) {
        auto const word = hawser::random_at(7, first);
        std::memcpy(block.data() + at, &word, sizeof word);
    }
}

/// Sends all of `block`. Counts as waiting what passes until a socket that is full takes more.
asio::awaitable<error_code> send(tcp::socket& to, std::span<std::byte const> block,
                                 source_log& log) {
    error_code error;
    while (!block.empty()) {
        auto const size = to.write_some(asio::buffer(block.data(), block.size()), error);
        block = block.subspan(size);
        log.moved.sent += size;
        if (error == asio::error::would_block) {
            auto const from = now() - log.start;
            auto token = asio::redirect_error(asio::use_awaitable, error);
            co_await to.async_wait(tcp::socket::wait_write, token);
            log.waits.add({from, now() - log.start});
        }
        if (error) break;
    }
    co_return error;
}

}  // namespace

asio::awaitable<void> send_all(tcp::socket& to, std::uint64_t bytes, source_log& log) {
    to.non_blocking(true);
    std::vector<std::byte> block(block_size);
    error_code error;
    for (std::uint64_t at = 0; at < bytes && !error; at += block.size()) {
        fill(block, at / sizeof at);
        auto const size = std::min<std::uint64_t>(bytes - at, block.size());
        auto const part = std::span<std::byte const>{block}.first(static_cast<std::size_t>(size));
        log.sum.add(part);
        error = co_await send(to, part, log);
    }
    to.close(error);
}

}  // namespace stream
