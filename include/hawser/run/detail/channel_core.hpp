// SPDX-License-Identifier: BSL-1.0
//
// The two ends of a channel and those that wait at them: what a channel decides, without waiting.
//
//     send ----(gate down)----> ring ----(gate down)----> receive
//      |                          ^  |                       |
//      +--(gate up)--> lock ------+  +------> lock <--(gate up)
//                        |                      |
//                 waiting senders       waiting receivers
//
// While nobody waits and the channel is open, both gates of the ring are down and nobody takes the
// lock. Who finds no room, or nothing, takes it, raises the gates, looks once more, and queues: who
// comes from then on comes by the lock as well, and serves those that wait.
//
//     senders wait    =>  the ring is full and both gates are up: whoever makes room gives it to
//                         them, in order, and nobody who comes later gets in before them
//     receivers wait  =>  the gate of the senders is up: who puts a value in wakes one of them
//     closed          =>  the gate of the senders is up for good; what is in comes out
//     no capacity     =>  both are up for good: values pass from hand to hand under the lock
//
// A waiting receiver is only told to look again, and a value stays in the ring until somebody looks
// who is there: nobody's cancel takes one along. Where there is no ring to stay in, it is put into
// the receiver's node, and the receiver has it, cancelled or not.
#ifndef HAWSER_RUN_DETAIL_CHANNEL_CORE_HPP
#define HAWSER_RUN_DETAIL_CHANNEL_CORE_HPP

#include <hawser/base/contract.hpp>
#include <hawser/containers/detail/std_sync.hpp>
#include <hawser/containers/mpmc_ring.hpp>
#include <hawser/containers/waiter_list.hpp>
#include <hawser/run/detail/channel_rows.hpp>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

namespace hawser::inline v0::detail {

/// Thread safety: all members may be called concurrently. Waits for no more than the few
/// instructions of a push or pop that is under way, and rings no bell: whom to wake is handed out.
template <class T, class Ring, class Sync = std_sync>
class channel_core {
public:
    using node_type = channel_waiter<T>;
    using sync_type = Sync;
    static constexpr bool at_once = true;  ///< There is a way without the lock.

    using answer = channel_answer;

    /// `capacity` may be zero. Throws what the ring does.
    channel_core(std::size_t capacity, std::size_t waiters)
        : ring_{capacity != 0 ? capacity : 1}, by_hand_{capacity == 0}, rows_{waiters} {
        set_gates();
    }

    [[nodiscard]] std::size_t capacity() const noexcept { return by_hand_ ? 0 : ring_.capacity(); }
    [[nodiscard]] std::size_t size() const noexcept { return ring_.size(); }

    /// Sends `value` if there is room and no gate is up; else leaves it as it is, and the rest is
    /// for `send_by_lock` to find out.
    [[gnu::always_inline]] bool send_at_once(T& value) noexcept {
        return ring_.try_push(value) == ring_answer::done;
    }
    /// Likewise.
    [[gnu::always_inline]] bool receive_at_once(std::optional<T>& into) noexcept {
        return ring_.try_pop(taking(into)) == ring_answer::done;
    }

    /// Sends `value`, or queues `node`, if there is one, to have it sent. Requires that `value`
    /// stays where it is as long as the node is queued.
    answer send_by_lock(T& value, node_type* node) noexcept {
        std::lock_guard const lock{mutex_};
        if (rows_.closed()) return {passage::closed};
        wake_chain waking;
        if (!rows_.senders_wait() && put(value, waking)) return done(waking);
        if (node == nullptr) return {passage::none};
        if (!rows_.takes_sender()) return {passage::crowded};
        // Who took a value before the gates were up did not see that anybody waits.
        if (!rows_.senders_wait() && !by_hand_) {
            raise_gates();
            if (put(value, waking)) return done(waking);
        }
        rows_.add_sender(*node, value);
        set_gates();
        return {passage::waits};
    }

    /// Receives a value, or queues `node`, if there is one, to be told to look again.
    answer receive_by_lock(std::optional<T>& into, node_type* node) noexcept {
        std::lock_guard const lock{mutex_};
        wake_chain waking;
        if (take(into, waking)) return done(waking);
        if (rows_.closed()) return {passage::closed};
        if (node == nullptr) return {passage::none};
        if (!rows_.takes_receiver(*node)) return {passage::crowded};
        // Who put a value in before the gate was up did not see that anybody waits.
        if (!rows_.receivers_wait() && !by_hand_) {
            raise_gates();
            if (take(into, waking)) return done(waking);
        }
        rows_.add_receiver(*node);
        set_gates();
        return {passage::waits};
    }

    /// Queues `node` to be told to look, or says `done`: it may look at once. Takes nothing.
    answer await_value(node_type& node) noexcept {
        std::lock_guard const lock{mutex_};
        if (has_value()) return {passage::done};
        if (rows_.closed()) return {passage::closed};
        if (!rows_.takes_receiver(node)) return {passage::crowded};
        if (!rows_.receivers_wait() && !by_hand_) {
            raise_gates();
            if (has_value()) {
                set_gates();
                return {passage::done};
            }
        }
        rows_.add_receiver(node);
        set_gates();
        return {passage::waits};
    }

    /// Takes a waiting sender out, unless it is too late: its bell rings, and what it says holds.
    withdrawn withdraw_sender(node_type& node) noexcept {
        std::lock_guard const lock{mutex_};
        if (node.granted) return {true};
        rows_.remove_sender(node);
        set_gates();
        return {false};
    }

    /// Takes a waiting receiver out. If it had been told already to look again, another is: what it
    /// was told of may be there still. A value in its hand stays there.
    withdrawn withdraw_receiver(node_type& node) noexcept {
        std::lock_guard const lock{mutex_};
        wake_chain waking;
        auto const granted = node.granted;
        if (!granted)
            rows_.remove_receiver(node);
        else if (!by_hand_ && ring_.size() != 0)
            rows_.tell_receiver(waking);
        set_gates();
        return {granted, wake_list{waking.first}};
    }

    /// Lets nothing more in. Those that wait to send are turned away, and keep their values.
    closing close() noexcept {
        std::lock_guard const lock{mutex_};
        wake_chain waking;
        auto const first = rows_.close(waking);
        set_gates();
        return {first, size(), wake_list{waking.first}};
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
    static auto taking(std::optional<T>& into) noexcept {
        return [&into](T&& value) noexcept { into.emplace(std::move(value)); };
    }

    answer done(wake_chain const& waking) noexcept {
        set_gates();
        return {passage::done, wake_list{waking.first}};
    }

    // What follows requires the lock.

    [[nodiscard]] bool put(T& value, wake_chain& waking) noexcept {
        if (by_hand_) {
            if (!rows_.receivers_wait()) return false;
            rows_.first_receiver().given.emplace(std::move(value));
        } else if (ring_.push_gated(value) != ring_answer::done) {
            return false;
        }
        rows_.tell_receiver(waking);
        return true;
    }

    [[nodiscard]] bool take(std::optional<T>& into, wake_chain& waking) noexcept {
        if (by_hand_) {
            if (!rows_.senders_wait()) return false;
            into.emplace(std::move(rows_.first_value()));
            rows_.tell_sender(waking);
            return true;
        }
        if (ring_.pop_gated(taking(into)) != ring_answer::done) return false;
        while (rows_.senders_wait() && put(rows_.first_value(), waking)) rows_.tell_sender(waking);
        return true;
    }

    [[nodiscard]] bool has_value() const noexcept {
        return by_hand_ ? rows_.senders_wait() : ring_.size() != 0;
    }

    void raise_gates() noexcept {
        if (!std::exchange(push_gate_, true)) ring_.raise_push_gate();
        if (!std::exchange(pop_gate_, true)) ring_.raise_pop_gate();
    }
    void set_gates() noexcept {
        auto const for_senders = by_hand_ || rows_.senders_wait();
        auto const for_all = for_senders || rows_.closed() || rows_.receivers_wait();
        if (push_gate_ != for_all) for_all ? ring_.raise_push_gate() : ring_.lower_push_gate();
        if (pop_gate_ != for_senders) for_senders ? ring_.raise_pop_gate() : ring_.lower_pop_gate();
        push_gate_ = for_all;
        pop_gate_ = for_senders;
    }

    Ring ring_;
    bool const by_hand_;
    alignas(cache_line) mutable typename Sync::mutex mutex_;  // Guards what follows.
    channel_rows<T> rows_;
    bool push_gate_ = false;
    bool pop_gate_ = false;
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_RUN_DETAIL_CHANNEL_CORE_HPP
