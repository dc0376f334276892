// SPDX-License-Identifier: BSL-1.0
//
// Two policies that lend something before they let a call in, and count what they lend: whatever
// becomes of the call, everything has to come back.
#ifndef HAWSER_TESTS_SUPPORT_TEST_BULKHEAD_HPP
#define HAWSER_TESTS_SUPPORT_TEST_BULKHEAD_HPP

#include <hawser/policy/concept.hpp>

#include <cstddef>
#include <mutex>

namespace support {

/// What a lender has done so far.
struct lent_counts {
    std::size_t free = 0;     ///< Permits in store.
    std::size_t held = 0;     ///< With calls that were let in.
    std::size_t on_way = 0;   ///< Granted to a waiter that has not been asked again.
    std::size_t waiting = 0;  ///< Calls in the queue.
    std::size_t entered = 0;  ///< Totals, of calls let in, and of each way to end.
    std::size_t after = 0;
    std::size_t abandoned = 0;
    std::size_t withdrawn = 0;
};

/// A bulkhead that queues first come, first served. A permit that becomes free goes to the first
/// waiter, under the lock; its bell is rung outside.
class test_bulkhead {
public:
    using stateful = void;
    static constexpr hawser::layer_role role = hawser::layer_role::bulkhead;
    static constexpr char const* name = "bulkhead";
    struct call_state {
        bool holds = false;
    };

    explicit test_bulkhead(std::size_t capacity, std::size_t places = 1000,
                           hawser::duration wait_max = hawser::never) noexcept
        : capacity_{capacity}, places_{places}, wait_max_{wait_max} {
        counts_.free = capacity;
    }
    test_bulkhead(test_bulkhead const&) = delete;
    test_bulkhead& operator=(test_bulkhead const&) = delete;

    template <class Call>
    hawser::step before(call_state& state, Call&, hawser::waiter& node) noexcept {
        std::lock_guard const lock{mutex_};
        if (&node == turned_away_) return hawser::step::refuse(hawser::errc::overloaded);
        if (node.granted) {
            --counts_.on_way;
            return let_in(state);
        }
        if (node.queued) {  // Asked again without a grant: the limit of the wait is over.
            unlink(node);
            return hawser::step::refuse(hawser::errc::bulkhead_full);
        }
        if (counts_.free > 0) {
            --counts_.free;
            return let_in(state);
        }
        if (counts_.waiting == places_) return hawser::step::refuse(hawser::errc::bulkhead_full);
        link(node);
        return hawser::step::park(wait_max_);
    }

    template <class Call>
    bool withdraw(call_state&, Call&, hawser::waiter& node) noexcept {
        hawser::waiter* next = nullptr;
        {
            std::lock_guard const lock{mutex_};
            ++counts_.withdrawn;
            if (node.queued) {
                unlink(node);
                return true;
            }
            if (&node == turned_away_) return false;
            if (!node.granted) return true;
            --counts_.on_way;
            next = put_back();
        }
        if (next != nullptr) next->wake();
        return false;
    }

    template <class Call, class R>
    void after(call_state& state, Call&, hawser::outcome<R>&) noexcept {
        release(state, &lent_counts::after);
    }
    template <class Call>
    void abandon(call_state& state, Call&) noexcept {
        release(state, &lent_counts::abandoned);
    }

    /// Takes a permit from outside of any call, and gives it back.
    bool try_take() noexcept {
        std::lock_guard const lock{mutex_};
        if (counts_.free == 0) return false;
        --counts_.free;
        ++counts_.held;
        return true;
    }
    void give_back() noexcept {
        if (auto* const next = put_back_held()) next->wake();
    }
    /// The same in two halves: grants under the lock, and leaves the ringing to the caller.
    [[nodiscard]] hawser::waiter* grant_silently() noexcept { return put_back_held(); }

    /// Decides that the first waiter is to be refused, and leaves the ringing to the caller.
    [[nodiscard]] hawser::waiter* turn_away_silently() noexcept {
        std::lock_guard const lock{mutex_};
        turned_away_ = first_;
        unlink(*turned_away_);
        turned_away_->granted = true;
        return turned_away_;
    }

    [[nodiscard]] lent_counts counts() const noexcept {
        std::lock_guard const lock{mutex_};
        return counts_;
    }
    /// Whether no permit was lost or made, at any time.
    [[nodiscard]] bool balances() const noexcept {
        auto const now = counts();
        return now.free + now.held + now.on_way == capacity_;
    }
    /// Whether nothing is lent and nobody waits.
    [[nodiscard]] bool is_whole() const noexcept {
        auto const now = counts();
        return now.free == capacity_ && now.held == 0 && now.on_way == 0 && now.waiting == 0 &&
               now.entered == now.after + now.abandoned;
    }

private:
    hawser::step let_in(call_state& state) noexcept {
        state.holds = true;
        ++counts_.held;
        ++counts_.entered;
        return hawser::step::proceed();
    }
    void release(call_state& state, std::size_t lent_counts::*how) noexcept {
        hawser::waiter* next = nullptr;
        {
            std::lock_guard const lock{mutex_};
            ++(counts_.*how);
            if (!state.holds) return;  // Shows up in `is_whole`.
            state.holds = false;
            --counts_.held;
            next = put_back();
        }
        if (next != nullptr) next->wake();
    }
    hawser::waiter* put_back_held() noexcept {
        std::lock_guard const lock{mutex_};
        --counts_.held;
        return put_back();
    }
    hawser::waiter* put_back() noexcept {
        auto* const next = first_;
        if (next == nullptr) {
            ++counts_.free;
            return nullptr;
        }
        unlink(*next);
        next->granted = true;
        ++counts_.on_way;
        return next;
    }
    void link(hawser::waiter& node) noexcept {
        node.next = nullptr;
        node.previous = last_;
        (last_ != nullptr ? last_->next : first_) = &node;
        last_ = &node;
        node.queued = true;
        ++counts_.waiting;
    }
    void unlink(hawser::waiter& node) noexcept {
        (node.previous != nullptr ? node.previous->next : first_) = node.next;
        (node.next != nullptr ? node.next->previous : last_) = node.previous;
        node.queued = false;
        --counts_.waiting;
    }

    mutable std::mutex mutex_;
    lent_counts counts_;
    std::size_t const capacity_;
    std::size_t const places_;
    hawser::duration const wait_max_;
    hawser::waiter* first_ = nullptr;
    hawser::waiter* last_ = nullptr;
    hawser::waiter* turned_away_ = nullptr;
};

/// Sets a permit aside at the first ask, makes the call wait, and lets it in at the next: what a
/// rate limiter with reservations does.
class reserving_gate {
public:
    using stateful = void;
    static constexpr hawser::layer_role role = hawser::layer_role::rate_limit;
    static constexpr char const* name = "gate";
    struct call_state {
        bool reserved = false;
    };

    reserving_gate(std::size_t capacity, hawser::duration wait) noexcept
        : capacity_{capacity}, wait_{wait} {
        counts_.free = capacity;
    }
    reserving_gate(reserving_gate const&) = delete;
    reserving_gate& operator=(reserving_gate const&) = delete;

    template <class Call>
    hawser::step before(call_state& state, Call&) noexcept {
        std::lock_guard const lock{mutex_};
        if (state.reserved) {
            ++counts_.entered;
            return hawser::step::proceed();
        }
        if (counts_.free == 0) return hawser::step::refuse(hawser::errc::rate_limited, wait_);
        --counts_.free;
        ++counts_.held;
        state.reserved = true;
        return hawser::step::wait(wait_);
    }
    template <class Call>
    void withdraw(call_state& state, Call&) noexcept {
        release(state, &lent_counts::withdrawn);
    }
    template <class Call, class R>
    void after(call_state& state, Call&, hawser::outcome<R>&) noexcept {
        release(state, &lent_counts::after);
    }
    template <class Call>
    void abandon(call_state& state, Call&) noexcept {
        release(state, &lent_counts::abandoned);
    }

    [[nodiscard]] lent_counts counts() const noexcept {
        std::lock_guard const lock{mutex_};
        return counts_;
    }
    [[nodiscard]] bool balances() const noexcept {
        auto const now = counts();
        return now.free + now.held == capacity_;
    }
    [[nodiscard]] bool is_whole() const noexcept {
        auto const now = counts();
        return now.free == capacity_ && now.held == 0 && now.entered == now.after + now.abandoned;
    }

private:
    void release(call_state& state, std::size_t lent_counts::*how) noexcept {
        std::lock_guard const lock{mutex_};
        ++(counts_.*how);
        if (!state.reserved) {
            counts_.free += 1000;  // Given back twice: nothing balances any more.
            return;
        }
        state.reserved = false;
        --counts_.held;
        ++counts_.free;
    }

    mutable std::mutex mutex_;
    lent_counts counts_;
    std::size_t const capacity_;
    hawser::duration const wait_;
};

}  // namespace support

#endif  // HAWSER_TESTS_SUPPORT_TEST_BULKHEAD_HPP
