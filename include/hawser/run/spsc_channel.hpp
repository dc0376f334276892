// SPDX-License-Identifier: BSL-1.0
//
// spsc_channel: a channel with one sender and one receiver, and nothing locked between them.
#ifndef HAWSER_RUN_SPSC_CHANNEL_HPP
#define HAWSER_RUN_SPSC_CHANNEL_HPP

#include <hawser/base/named.hpp>
#include <hawser/compose/environment.hpp>
#include <hawser/containers/spsc_ring.hpp>
#include <hawser/run/basic_channel.hpp>
#include <hawser/run/channel.hpp>
#include <hawser/run/detail/channel_core.hpp>

#include <utility>

namespace hawser::inline v0 {

/// What a `channel` is, for one sender and one receiver at a time: each end may move from thread to
/// thread, where something else puts its operations in order, but never has two at once. That holds
/// for suspended operations too, while they are begun and while they complete; several may wait.
/// `close` may be called by anybody.
///
/// Cost: a few plain loads and stores while there is room, a value, and nobody waits. To begin to
/// wait costs a system call more than in a `channel`: where nearly every operation waits, that one
/// is faster.
template <class T, call_environment Environment = environment<>>
class spsc_channel : public basic_channel<T, detail::channel_core<T, spsc_ring<T>>, Environment> {
    using base = basic_channel<T, detail::channel_core<T, spsc_ring<T>>, Environment>;

public:
    using options_type = channel_options;

    /// Throws `std::invalid_argument`, naming the field, if an option is out of range or the name
    /// is null, and `std::bad_alloc`.
    explicit spsc_channel(channel_options const& options = {}, Environment env = {},
                          named name = {"spsc_channel"})
        : base{
              std::move(env), detail::checked(name, "spsc_channel: name is null"),
              detail::checked_capacity(options, "spsc_channel: capacity is not in [0, 2147483648]"),
              options.waiters} {}
};

}  // namespace hawser::inline v0
#endif  // HAWSER_RUN_SPSC_CHANNEL_HPP
