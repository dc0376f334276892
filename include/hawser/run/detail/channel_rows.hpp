// SPDX-License-Identifier: BSL-1.0
//
// The two rows of those that wait at a channel: what is in between is the channel's.
//
//     waiting senders ---> [ ... ] <--- waiting receivers
//
// A waiting sender's value is taken from its node, so that it is sent at that moment whatever
// becomes of who sent it. A waiting receiver is only told to look again, or given a value.
#ifndef HAWSER_RUN_DETAIL_CHANNEL_ROWS_HPP
#define HAWSER_RUN_DETAIL_CHANNEL_ROWS_HPP

#include <hawser/containers/waiter_list.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace hawser::inline v0::detail {

/// What an end of a channel answers.
enum class passage : std::uint8_t {
    done,
    none,     ///< No room, or nothing there, and who asked does not wait.
    refused,  ///< No room, and nobody is to wait for it.
    waits,    ///< The node is queued.
    closed,   ///< For a receiver: and nothing is left.
    crowded,  ///< As many wait as may.
    too_large,
};

/// What an end of a channel answers, and whom that wakes.
struct [[nodiscard]] channel_answer {
    passage result;
    wake_list to_wake{};
};

/// Whoever waited does so no more.
struct [[nodiscard]] withdrawn {
    bool bell_will_ring;  ///< It was told before: its node stays until then.
    wake_list to_wake{};
};

/// A channel has been closed.
struct [[nodiscard]] closing {
    bool first;        ///< It was open.
    std::size_t left;  ///< Values in it.
    wake_list to_wake{};
};

/// How many wait.
struct channel_waiting {
    std::size_t senders, receivers;
};

/// Whoever waits at an end of a channel. Granted: a sender's value has been taken, or, if it is
/// turned away, the channel has been closed; a receiver looks again, or has been given a value.
template <class T>
struct channel_waiter : waiter {
    T* value = nullptr;      ///< A sender's.
    std::optional<T> given;  ///< A receiver's, from hand to hand.
    bool has_place = false;  ///< A receiver's that was queued: told in vain, it is queued again.

protected:
    using waiter::waiter;
    ~channel_waiter() = default;
};

/// The rows, and whether the channel is closed. Thread safety: none; a channel has a lock.
template <class T>
class channel_rows {
public:
    using node_type = channel_waiter<T>;

    /// At most so many in each.
    explicit channel_rows(std::size_t waiters) noexcept : waiters_max_{waiters} {}

    [[nodiscard]] bool closed() const noexcept { return closed_; }
    [[nodiscard]] bool senders_wait() const noexcept { return !senders_.empty(); }
    [[nodiscard]] bool receivers_wait() const noexcept { return !receivers_.empty(); }
    [[nodiscard]] channel_waiting waiting() const noexcept {
        return {senders_.size(), receivers_.size()};
    }

    [[nodiscard]] bool takes_sender() const noexcept { return senders_.size() < waiters_max_; }
    /// One that was told in vain has its place.
    [[nodiscard]] bool takes_receiver(node_type const& node) const noexcept {
        return receivers_.size() < waiters_max_ || node.has_place;
    }

    /// Queues it, at the end of its row. The value stays where it is as long as the node is queued.
    void add_sender(node_type& node, T& value) noexcept {
        node.value = &value;
        senders_.push_back(node);
    }
    void add_receiver(node_type& node) noexcept {
        node.has_place = true;
        receivers_.push_back(node);
    }
    void remove_sender(node_type& node) noexcept { senders_.remove(node); }
    void remove_receiver(node_type& node) noexcept { receivers_.remove(node); }

    /// Who has waited longest. Require that somebody does.
    [[nodiscard]] T& first_value() noexcept {
        return *static_cast<node_type&>(*senders_.front()).value;
    }
    [[nodiscard]] node_type& first_receiver() noexcept {
        return static_cast<node_type&>(*receivers_.front());
    }

    /// The first sender's value has been taken. Requires that there is one.
    void tell_sender(wake_chain& waking) noexcept { tell_first(senders_, waking); }
    /// There is something to look at, or to have, for the first receiver, if there is one.
    void tell_receiver(wake_chain& waking) noexcept {
        if (receivers_wait()) tell_first(receivers_, waking);
    }

    /// Those that wait to send are turned away, and keep their values; all receivers are told. True
    /// if it was open.
    [[nodiscard]] bool close(wake_chain& waking) noexcept {
        senders_.for_each([&](waiter& node) noexcept {
            senders_.remove(node);
            waking.add(node, true);
        });
        while (receivers_wait()) tell_first(receivers_, waking);
        return !std::exchange(closed_, true);
    }

private:
    static void tell_first(waiter_list& row, wake_chain& waking) noexcept {
        auto& node = *row.front();
        row.remove(node);
        waking.add(node);
    }

    std::size_t const waiters_max_;
    bool closed_ = false;
    waiter_list senders_;
    waiter_list receivers_;
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_RUN_DETAIL_CHANNEL_ROWS_HPP
