// SPDX-License-Identifier: BSL-1.0
//
// One transfer, from the source's socket to the file.
#ifndef STREAM_TRANSFER_HPP
#define STREAM_TRANSFER_HPP

#include "findings.hpp"
#include "settings.hpp"

#include <functional>

namespace stream {

/// What holds the channel between the two.
enum class held_by {
    a_bound,  ///< A bound in bytes, and watermarks below it that pause the socket.
    nothing,  ///< Nothing; the transfer is stopped when too much waits.
};

/// Told every so often how far it is.
using watcher = std::function<void(slice const&)>;

/// Throws what the sink throws when it cannot write, and `boost::system::system_error` of sockets.
[[nodiscard]] findings play(settings const& all, held_by what, watcher const& told);

}  // namespace stream
#endif  // STREAM_TRANSFER_HPP
