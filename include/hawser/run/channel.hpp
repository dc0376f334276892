// SPDX-License-Identifier: BSL-1.0
//
// channel: values from any threads to any threads, with a bound between them.
//
//     hawser::channel<job> jobs{{.capacity = 1024}};
//
//     jobs.send(job{...});                        // waits while there is no room
//     while (auto next = jobs.receive())          // waits while there is nothing; ends with
//     `close`
//         work_on(*next);
#ifndef HAWSER_RUN_CHANNEL_HPP
#define HAWSER_RUN_CHANNEL_HPP

#include <hawser/base/named.hpp>
#include <hawser/compose/environment.hpp>
#include <hawser/containers/mpmc_ring.hpp>
#include <hawser/run/basic_channel.hpp>
#include <hawser/run/detail/channel_core.hpp>

#include <cstddef>
#include <stdexcept>
#include <utility>

namespace hawser::inline v0 {

/// How much a channel holds, and how many wait for it.
struct channel_options {
    /// Values that it holds, up to 2^31. Zero: a rendezvous; a send ends when a receiver has taken
    /// the value, and nothing is stored.
    std::size_t capacity = 1024;

    /// How many may wait at each end; who comes then is refused as `crowded`. Threads and suspended
    /// operations count alike. Zero: nobody waits.
    std::size_t waiters = 65'536;
};

namespace detail {

/// Throws `std::invalid_argument` with `message` if the capacity is more than a ring's may be.
[[nodiscard]] inline std::size_t checked_capacity(channel_options const& options,
                                                  char const* message) {
    if (options.capacity > mpmc_ring<int>::capacity_max) throw std::invalid_argument{message};
    return options.capacity;
}

}  // namespace detail

/// A bounded queue that waits: first in, first out, for many senders and many receivers.
///
/// `send` and `receive` wait, block their thread, and end when the other end has come, when the
/// channel is closed, when the time is over, or when a stop is requested. Operations that suspend
/// instead use the same channel (`adapt/asio/channel.hpp`): a thread can feed a coroutine.
///
/// `close` lets nothing more in and leaves what is in: it is still received, and then the receivers
/// hear `closed`. Those that wait to send hear it at once, and keep their values.
///
/// The sink of its environment hears of waits (`channel_waited`), of who may not wait
/// (`channel_refused`), and of its end (`channel_closed`), under the name that it is given.
///
/// Guarantee:     a value whose send succeeded is received once, unless the channel is destroyed
///                with it. A send that did not succeed has left the value with its caller. Values
///                of one sender arrive in their order; senders that wait are served in theirs.
///                A receive that ends without a value has taken none.
/// Thread safety: all members may be called concurrently, but for the destructor, which requires
///                that no operation is under way: close the channel, and see its users end.
/// Cost:          one compare-and-swap each while there is room, a value, and nobody waits; else a
///                short lock. Allocates at construction only. Waiting does not spin, but for a
///                microsecond before a thread is parked.
/// Errors:        those of `transfer`. `T` must be nothrow-movable.
template <class T, call_environment Environment = environment<>>
class channel : public basic_channel<T, detail::channel_core<T, mpmc_ring<T>>, Environment> {
    using base = basic_channel<T, detail::channel_core<T, mpmc_ring<T>>, Environment>;

public:
    using options_type = channel_options;

    /// Throws `std::invalid_argument`, naming the field, if an option is out of range or the name
    /// is null, and `std::bad_alloc`.
    explicit channel(channel_options const& options = {}, Environment env = {},
                     named name = {"channel"})
        : base{std::move(env), detail::checked(name, "channel: name is null"),
               detail::checked_capacity(options, "channel: capacity is not in [0, 2147483648]"),
               options.waiters} {}
};

}  // namespace hawser::inline v0
#endif  // HAWSER_RUN_CHANNEL_HPP
