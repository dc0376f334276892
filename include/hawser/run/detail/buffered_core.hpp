// SPDX-License-Identifier: BSL-1.0
//
// The two ends of a channel that has a bounded buffer for its middle, under one lock.
//
//     send --> lock --> buffer --> lock --> receive
//                |         |         |
//        waiting senders   |   waiting receivers
//                          +--> dropped items: destroyed, and watermarks told, outside the lock
//
// As in a `channel_core`, a waiting sender's value is taken from its node by whoever makes room,
// and a waiting receiver is told to look again.
#ifndef HAWSER_RUN_DETAIL_BUFFERED_CORE_HPP
#define HAWSER_RUN_DETAIL_BUFFERED_CORE_HPP

#include <hawser/base/padded.hpp>
#include <hawser/base/time.hpp>
#include <hawser/containers/waiter_list.hpp>
#include <hawser/flow/bounded_buffer.hpp>
#include <hawser/run/detail/buffered_news.hpp>
#include <hawser/run/detail/channel_rows.hpp>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

namespace hawser::inline v0::detail {

/// Thread safety: all members may be called concurrently. Never waits for what the other end does.
/// What a merge throws passes through a send, and nothing is sent then.
template <class T, class Buffer, class News, class Watch>
class buffered_core {
    using drops_type = drop_list<T, 8>;

public:
    using node_type = channel_waiter<T>;
    static constexpr bool at_once = false;  ///< There is no way but by the lock.

    using answer = channel_answer;

    template <class... Parts>
    buffered_core(News const& news, std::size_t waiters, Watch&& watch, Parts&&... buffer)
        : news_{news, std::move(watch)}, buffer_(std::forward<Parts>(buffer)...), rows_{waiters} {}

    [[nodiscard]] std::size_t capacity() const noexcept { return buffer_.capacity(); }
    [[nodiscard]] std::size_t size() const noexcept {
        std::lock_guard const lock{mutex_};
        return buffer_.size();
    }
    [[nodiscard]] bounded_buffer_snapshot snapshot() const noexcept {
        std::lock_guard const lock{mutex_};
        return buffer_.snapshot();
    }

    static bool send_at_once(T&) noexcept { return false; }
    static bool receive_at_once(std::optional<T>&) noexcept { return false; }

    /// Queued, the value may be sent, and the channel be gone, before this returns: so what there
    /// is to tell and to destroy is seen to first, and nothing is touched after it.
    answer send_by_lock(T& value, node_type* node) {
        sending one{value, buffer_.weight_of(value), time()};
        for (;;) {
            wake_chain waking;
            auto const result = locked_put(one, node, waking);
            if (result == passage::waits) return {result};
            settle(waking, one.drops);
            while (one.more) {
                {
                    std::lock_guard const lock{mutex_};
                    one.more = buffer_.collect(one.drops);
                }
                settle(waking, one.drops);
            }
            tell();
            if (result != passage::none || !one.is_to_wait) return {result};
        }
    }

    answer receive_by_lock(std::optional<T>& into, node_type* node) noexcept {
        auto const now = time();
        drops_type drops;
        wake_chain waking;
        auto result = passage::none;
        for (auto more = true; more;) {
            {
                std::lock_guard const lock{mutex_};
                more = take(into, now, drops, waking);
                if (into)
                    result = passage::done;
                else if (!more)
                    result = rows_.closed() ? passage::closed : queue_receiver(node);
            }
            settle(waking, drops);
        }
        tell();
        return {result};
    }

    answer await_value(node_type& node) noexcept {
        std::lock_guard const lock{mutex_};
        if (!buffer_.empty()) return {passage::done};
        return {rows_.closed() ? passage::closed : queue_receiver(&node)};
    }

    /// Those behind it may be lighter, and find room.
    withdrawn withdraw_sender(node_type& node) noexcept {
        auto const now = time();
        drops_type drops;
        wake_chain waking;
        for (auto first = true, more = true; more; first = false) {
            {
                std::lock_guard const lock{mutex_};
                if (first && node.granted) return {true};
                if (first) rows_.remove_sender(node);
                (void)let_in(now, drops, waking);
                more = buffer_.collect(drops);
            }
            settle(waking, drops);
        }
        tell();
        return {false};
    }
    withdrawn withdraw_receiver(node_type& node) noexcept {
        std::lock_guard const lock{mutex_};
        wake_chain waking;
        auto const granted = node.granted;
        if (!granted)
            rows_.remove_receiver(node);
        else if (!buffer_.empty())
            rows_.tell_receiver(waking);
        return {granted, wake_list{waking.first}};
    }

    closing close() noexcept {
        std::lock_guard const lock{mutex_};
        wake_chain waking;
        auto const first = rows_.close(waking);
        return {first, buffer_.size(), wake_list{waking.first}};
    }
    [[nodiscard]] bool closed() const noexcept {
        std::lock_guard const lock{mutex_};
        return rows_.closed();
    }
    [[nodiscard]] channel_waiting waiting_now() const noexcept {
        std::lock_guard const lock{mutex_};
        return rows_.waiting();
    }

private:
    [[nodiscard]] time_point time() const noexcept {
        return buffer_.needs_time() ? news_.now() : time_point{};
    }
    /// Outside the lock, after what was noted under it.
    void tell() noexcept {
        news_.tell([this]() noexcept { return snapshot(); });
    }

    /// Outside the lock: wakes, hands over what was dropped, and destroys it. In this order, and
    /// before a watch is told of levels: what is the user's may wait for those that are woken.
    void settle(wake_chain& waking, drops_type& drops) noexcept {
        (void)wake_list{std::exchange(waking, {}).first}.ring_all();
        news_.hand_over(drops);
        drops.clear();
    }

    /// A value on its way in.
    struct sending {
        T& value;
        std::uint64_t weight;
        time_point now;
        drops_type drops{};
        bool more = false;        ///< Of what was dropped.
        bool is_to_wait = false;  ///< The policy says so, and was asked once.
    };

    [[nodiscard]] passage locked_put(sending& one, node_type* node, wake_chain& waking) {
        if constexpr (!buffered_news<Watch, News>::tells) {
            std::lock_guard const lock{mutex_};
            return put(one, node, waking);
        } else {
            try {
                std::lock_guard const lock{mutex_};
                return put(one, node, waking);
            } catch (...) {  // A policy may have dropped some before it threw.
                news_.note_drops(1);
                tell();
                throw;
            }
        }
    }

    // What follows requires the lock.

    [[nodiscard]] passage put(sending& one, node_type* node, wake_chain& waking) {
        if (rows_.closed()) return passage::closed;
        // Nor is it to wait: it would never have its turn, and nobody behind it.
        if (!buffer_.can_bear(one.weight)) return passage::too_large;
        if (rows_.senders_wait() || (one.is_to_wait && !buffer_.has_room(one.weight)))
            return queue_sender(node, one.value);
        auto const pushed_as = buffer_.push(std::move(one.value), one.weight, one.now, one.drops);
        one.more = pushed_as.more;
        news_.note(pushed_as);
        if (pushed_as.result == pushed::refused) return passage::refused;
        if (pushed_as.result == pushed::full) {
            one.is_to_wait = node != nullptr && (one.more || !one.drops.empty());
            return one.is_to_wait ? passage::none : queue_sender(node, one.value);
        }
        rows_.tell_receiver(waking);
        return passage::done;
    }

    [[nodiscard, gnu::noinline]] passage queue_sender(node_type* node, T& value) noexcept {
        if (node == nullptr) return passage::none;
        if (!rows_.takes_sender()) return passage::crowded;
        rows_.add_sender(*node, value);
        return passage::waits;
    }
    [[nodiscard, gnu::noinline]] passage queue_receiver(node_type* node) noexcept {
        if (node == nullptr) return passage::none;
        if (!rows_.takes_receiver(*node)) return passage::crowded;
        rows_.add_receiver(*node);
        return passage::waits;
    }

    /// Takes the oldest value, if there is one, and lets in who waits for the room. True: `drops`
    /// is full, and is to be emptied first.
    [[nodiscard]] bool take(std::optional<T>& into, time_point now, drops_type& drops,
                            wake_chain& waking) noexcept {
        for (;;) {
            auto popped = buffer_.pop(now, drops);
            news_.note(popped);
            if (popped.more) return true;
            if (popped.item) into.emplace(*std::move(popped.item));
            // Where all were too old, those that wait bring what is received instead.
            auto const came = let_in(now, drops, waking);
            if (into || !came) return false;
            if (drops.room() == 0) return true;
        }
    }

    [[nodiscard]] bool let_in(time_point now, drops_type& drops, wake_chain& waking) noexcept {
        auto came = false;
        while (rows_.senders_wait()) {
            // What is dropped and not handed out yet stands where the next one is to go.
            if (buffer_.collect(drops)) break;
            auto& value = rows_.first_value();
            auto const weight = buffer_.weight_of(value);
            if (!buffer_.has_room(weight)) break;
            news_.note(buffer_.push(std::move(value), weight, now, drops));
            rows_.tell_sender(waking);
            rows_.tell_receiver(waking);
            came = true;
        }
        return came;
    }

    buffered_news<Watch, News> news_;
    alignas(cache_line) mutable std::mutex mutex_;  // Guards what follows.
    Buffer buffer_;
    channel_rows<T> rows_;
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_RUN_DETAIL_BUFFERED_CORE_HPP
