// SPDX-License-Identifier: BSL-1.0
//
// Credit: how many items a receiver has asked for, and whose turn it is to send them.
//
// One atomic word holds all of it, so that asking, cancelling and sending need no lock:
//
//     | asked for and not sent: 60 bits | misused | over | word left | turn taken |
//
// Whoever changes something that sending depends on (asks, cancels, brings an item) either gets the
// turn, and then sends, or finds it taken, leaves word and goes; and who has the turn does not give
// it up while word is left. So signals never overlap, none is missed, and a receiver that asks for
// more from inside of a signal returns at once: the stack does not grow.
//
//     request, cancel, wake --> turn free:  begin --> send ... end_turn --> true:  free again
//                           --> turn taken: leave                      --> false: look again
//
// The other side counts what it has consumed, and asks again by `replenishment`.
// Source: the counting of pending work in the queue drains of Reactive Streams libraries; the rule
// of 75 % is Project Reactor's.
#ifndef HAWSER_FLOW_CREDIT_HPP
#define HAWSER_FLOW_CREDIT_HPP

#include <hawser/base/contract.hpp>

#include <atomic>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <utility>

namespace hawser::inline v0 {

/// The sender's account. Starts with nothing asked for, and with the turn in its maker's hands, so
/// that nothing is sent before the maker is ready and ends it.
///
/// Sends nothing and calls nobody: it says how much may be sent, and by whom.
///
/// Guarantee:     `try_take` grants as often as was asked for, and no more. One caller has the turn
///                at a time; what was done before `request`, `cancel` and `wake` is seen by who
///                sends because of it, and what was done in one turn by who has the next. Once it
///                is over it stays so: nobody is granted anything, or begins a turn.
/// Thread safety: `request`, `cancel`, `wake` and the queries may be called concurrently, and by
///                who has the turn; the rest belongs to who has the turn. Lock-free.
/// Cost:          one compare-and-swap each; `try_take` of an unbounded account is a load. 8 bytes.
class credit {
public:
    /// What the caller has to do.
    enum class [[nodiscard]] turn : std::uint8_t{
        leave,  ///< Nothing: it is over, or whoever has the turn will see to it.
        begin,  ///< Send what can be sent, and then call `end_turn`: the turn is the caller's.
    };

    /// So much demand is without end, and does not shrink: at an item a nanosecond it would last 36
    /// years.
    static constexpr std::uint64_t unbounded = (std::uint64_t{1} << 60U) - 1;

    credit() = default;
    credit(credit const&) = delete;
    credit& operator=(credit const&) = delete;

    /// Asks for `count` more. Adds up, to `unbounded` at most. A `count` below one asks for
    /// nothing: it is a misuse, and from then on nothing is granted.
    turn request(std::int64_t count) noexcept {
        if (count <= 0) return come([](std::uint64_t word) { return word | misused_bit; });
        return come([more = static_cast<std::uint64_t>(count)](std::uint64_t word) {
            auto const room = unbounded - asked(word);
            return word + (more < room ? more : room) * one;
        });
    }

    /// Ends it for the receiver's part. Does nothing if it is over.
    turn cancel() noexcept {
        return come([](std::uint64_t word) { return word | over_bit; });
    }

    /// Says that there is something to look at: an item has come, or no more will.
    turn wake() noexcept {
        return come([](std::uint64_t word) { return word; });
    }

    /// Takes the right to send one item, if there is one. Requires the turn.
    [[nodiscard]] bool try_take() noexcept {
        // Acquire, here and below: what was done before an item was asked for happened before it is
        // sent.
        auto word = word_.load(std::memory_order_acquire);
        for (;;) {
            if ((word & (over_bit | misused_bit)) != 0 || asked(word) == 0) return false;
            if (asked(word) == unbounded) return true;
            if (word_.compare_exchange_weak(word, word - one, std::memory_order_acquire))
                return true;
        }
    }

    /// Ends it for the sender's part: what comes from now on is left unheard. Requires the turn.
    void finish() noexcept { word_.fetch_or(over_bit, std::memory_order_relaxed); }

    /// Gives the turn up. True if it is given up; false if word was left meanwhile: then look again
    /// and call this again. Requires the turn.
    [[nodiscard]] bool end_turn() noexcept {
        auto word = word_.load(std::memory_order_relaxed);
        for (;;) {
            HAWSER_ASSERT((word & taken_bit) != 0 && "the turn of nobody ends");
            bool const heard = (word & left_bit) != 0;
            // Acquire: what was done before word was left. Release: the next turn sees this one.
            if (word_.compare_exchange_weak(word, word & ~(heard ? left_bit : taken_bit),
                                            std::memory_order_acq_rel, std::memory_order_relaxed))
                return !heard;
        }
    }

    /// How many may be sent; `unbounded` if there is no end. Zero says nothing to who has not got
    /// the turn; to who has, what is there stays until it is taken, or it is over.
    [[nodiscard]] std::uint64_t available() const noexcept {
        return asked(word_.load(std::memory_order_acquire));
    }

    /// Whether it was cancelled or finished.
    [[nodiscard]] bool is_over() const noexcept {
        return (word_.load(std::memory_order_acquire) & over_bit) != 0;
    }

    /// Whether somebody has asked for less than one, while it was not over.
    [[nodiscard]] bool is_misused() const noexcept {
        return (word_.load(std::memory_order_acquire) & misused_bit) != 0;
    }

private:
    static constexpr std::uint64_t taken_bit = 1, left_bit = 2, over_bit = 4, misused_bit = 8;
    static constexpr std::uint64_t one = 16;  ///< One item, in the upper 60 bits.

    static constexpr std::uint64_t asked(std::uint64_t word) noexcept { return word / one; }

    template <class Change>
    turn come(Change const& change) noexcept {
        auto word = word_.load(std::memory_order_relaxed);
        for (;;) {
            // Who ended it has the turn or has left word: there is nothing to add.
            if ((word & over_bit) != 0) return turn::leave;
            bool const taken = (word & taken_bit) != 0;
            // Release: who has the turn sees what was done before. Acquire: whoever gets it sees
            // what the one before has done.
            if (word_.compare_exchange_weak(word, change(word) | (taken ? left_bit : taken_bit),
                                            std::memory_order_acq_rel, std::memory_order_relaxed))
                return taken ? turn::leave : turn::begin;
        }
    }

    std::atomic<std::uint64_t> word_{taken_bit};
};

/// The receiver's account: how much to ask for, and when, so that at most `prefetch` items are on
/// their way or waiting, and asking costs little.
///
/// Asks for `prefetch` at first, and from then on for what was consumed, as soon as that is 75 % of
/// it (rounded up): the last quarter arrives while the request is under way. A prefetch of one
/// asks for the next item when the last one is consumed; an unbounded one asks once.
///
/// Thread safety: none of its own; it belongs to who consumes. Cost: an addition. 12 bytes.
class replenishment {
public:
    /// No limit: asks for everything, once.
    static constexpr std::uint32_t unbounded = std::numeric_limits<std::uint32_t>::max();

    /// Throws `std::invalid_argument` if `prefetch` is zero.
    explicit constexpr replenishment(std::uint32_t prefetch)
        : prefetch_{prefetch}, batch_{prefetch - prefetch / 4} {
        if (prefetch == 0) throw std::invalid_argument{"replenishment: prefetch is zero"};
    }

    /// What to ask for before anything was consumed.
    [[nodiscard]] constexpr std::int64_t first() const noexcept {
        return prefetch_ == unbounded ? std::numeric_limits<std::int64_t>::max()
                                      : std::int64_t{prefetch_};
    }

    /// Counts one item as consumed, and says how many to ask for now: zero for none yet.
    [[nodiscard]] constexpr std::int64_t consume_one() noexcept {
        if (prefetch_ == unbounded || ++consumed_ < batch_) return 0;
        return std::int64_t{std::exchange(consumed_, 0)};
    }

private:
    std::uint32_t prefetch_;
    std::uint32_t batch_;
    std::uint32_t consumed_ = 0;  ///< Since it last asked.
};

}  // namespace hawser::inline v0
#endif  // HAWSER_FLOW_CREDIT_HPP
