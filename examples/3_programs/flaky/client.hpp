// SPDX-License-Identifier: BSL-1.0
//
// The two clients that are compared. Each can be asked from a thread and from a coroutine.
#ifndef FLAKY_CLIENT_HPP
#define FLAKY_CLIENT_HPP

#include "http.hpp"
#include "meter.hpp"
#include "settings.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <memory>

namespace flaky {

/// A caller's wish for a price.
struct price_call {
    std::uint64_t number = 0;
    time_point due{};
    time_point deadline{};  ///< Nobody waits for the answer any longer than this.
};

/// Thread safety: `ask` may be called concurrently, each time with a connection of its own;
/// `ask_async` beside it, on the thread of its pool. Neither throws what a call can end with.
class client {
public:
    virtual ~client() = default;
    virtual answer ask(blocking_connection& connection, price_call const& call) = 0;
    virtual asio::awaitable<answer> ask_async(connection_pool& pool, price_call const& call) = 0;
};

/// Sends each call once, with the deadline as its socket's timeout: what one writes first.
[[nodiscard]] std::unique_ptr<client> make_plain_client();

/// The same through a pipeline of hawser, which tells `events` what it does. `events` must outlive
/// the client.
[[nodiscard]] std::unique_ptr<client> make_hawser_client(settings const& all, meter& events);

}  // namespace flaky
#endif  // FLAKY_CLIENT_HPP
