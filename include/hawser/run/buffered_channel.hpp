// SPDX-License-Identifier: BSL-1.0
//
// buffered_channel: a channel that bounds by weight, drops, merges, forgets what is too old, and
// says when it fills and when it empties.
//
//     hawser::buffered_channel<chunk, hawser::overflow::block, size_of> chunks{
//         {.capacity = 1024,
//          .weight = 4 << 20,
//          .high_watermark = 3 << 20,
//          .low_watermark = 1 << 20,
//          .watermarks_in = hawser::depth_in::weight}};
#ifndef HAWSER_RUN_BUFFERED_CHANNEL_HPP
#define HAWSER_RUN_BUFFERED_CHANNEL_HPP

#include <hawser/base/clock.hpp>
#include <hawser/base/named.hpp>
#include <hawser/compose/environment.hpp>
#include <hawser/flow/bounded_buffer.hpp>
#include <hawser/flow/overflow.hpp>
#include <hawser/run/basic_channel.hpp>
#include <hawser/run/detail/buffered_core.hpp>
#include <hawser/run/detail/channel_news.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>

namespace hawser::inline v0 {

/// Watermarks concern nobody.
struct no_watch {
    constexpr void operator()(bool) const noexcept {}
};

/// A bounded queue that waits, with a `bounded_buffer` between its ends: `Overflow` says what
/// becomes of a value without room, `Weigh` what a value weighs. The options are the buffer's.
///
/// A send ends as `done` also where the policy drops or merges the value: it is counted by its
/// cause in the `snapshot`. With `overflow::reject` it does not wait, and ends as `would_wait`; a
/// value above the whole weight ends as `too_large`, and stays with its caller. What a merge throws
/// passes through the send, which has sent nothing then.
///
/// `watch(bool high)` hears when the high watermark is reached, and when the low one is, in turn:
/// to pause a source and to resume it. It is `noexcept`, runs on a thread that crossed a mark,
/// outside of every lock, on one thread at a time, after those that were woken have been told, and
/// may call the channel, but not wait for it: the thread may be the other end's. If the level
/// changes again before it is told, it hears the last state only; so the high mark may be told
/// late, and what comes meanwhile is for the rest of the bound. `close` tells no level.
///
/// A watch may have a member `dropped(T&&, drop_cause)`, `noexcept`: it is given each value that is
/// dropped (one that is merged lives on in another), outside of every lock, on the thread that
/// dropped it, on several at once; what it leaves is destroyed.
///
/// The sink of the environment hears of the same levels right after (`channel_level_changed`), of
/// what was dropped (`channel_dropped`), and what every channel tells.
///
/// Values too old to be received, by `max_age` or a deadline of their own, are dropped when their
/// turn comes, or when a send that nobody waits before needs their room. Time alone lets nobody in:
/// who waits to send is let in by who comes to receive, or by who gives up before it.
///
/// Guarantee:     every value sent is received once, or dropped and counted, or still in. Neither
///                bound is ever exceeded. Values of one sender arrive in their order.
/// Thread safety: as of `basic_channel`.
/// Cost:          a short lock each; with `max_age` a clock read. Allocates when it is made. What
///                is dropped is destroyed outside the lock; a merge, `deadline_of`, and `Weigh`
///                of those that wait run inside.
template <class T, class Overflow = overflow::block, class Weigh = unit_weight,
          class Watch = no_watch, call_environment Environment = environment<>>
class buffered_channel
    : public basic_channel<T,
                           detail::buffered_core<T, bounded_buffer<T, Overflow, Weigh>,
                                                 detail::channel_news<Environment>, Watch>,
                           Environment> {
    using core_type = detail::buffered_core<T, bounded_buffer<T, Overflow, Weigh>,
                                            detail::channel_news<Environment>, Watch>;
    using base = basic_channel<T, core_type, Environment>;
    static_assert(std::is_nothrow_invocable_v<Watch&, bool>,
                  "hawser: what watches a channel is called with a bool, and noexcept");
    static_assert(
        detail::takes_drops<Watch, T> || !requires { &Watch::dropped; },
        "hawser: a watch's dropped takes a T&& and a drop_cause, and is noexcept");

public:
    using options_type = bounded_buffer_options;

    /// How many may wait at each end; who comes then is refused as `crowded`.
    static constexpr std::size_t waiters_max = 65'536;

    /// Throws `std::invalid_argument`, naming the field, if an option is out of range or the name
    /// is null, and `std::bad_alloc`.
    explicit buffered_channel(bounded_buffer_options const& options = {}, Overflow overflow = {},
                              Weigh weigh = {}, Watch watch = {}, Environment env = {},
                              named name = {"buffered_channel"})
        : base{std::move(env),  detail::checked(name, "buffered_channel: name is null"),
               waiters_max,     std::move(watch),
               options,         std::move(overflow),
               std::move(weigh)} {}

    /// Depth, weight, their highest, and what came in, came out and was dropped, by cause.
    [[nodiscard]] bounded_buffer_snapshot snapshot() { return this->core().snapshot(); }
};

}  // namespace hawser::inline v0
#endif  // HAWSER_RUN_BUFFERED_CHANNEL_HPP
