// SPDX-License-Identifier: BSL-1.0
//
// A call that waits for a grant: the node that a policy's queue holds and the bell it rings.
//
//     idle --(policy's lock: linked)--> queued --(policy's lock: granted)--> granted
//                                         |                                     |
//                                 withdrawn under the lock             wake(), outside the lock
//
// The policy owns the links and the `granted` mark and touches them under its own lock. Granted, a
// waiter's turn has come: asked again, the policy lets it in, or turns it away if that is what it
// has decided. Whoever grants rings the bell after leaving the lock, and that is its last touch of
// the node: the call may be gone the moment after. A policy that takes a waiter out ungranted never
// rings for it. Until its bell has rung, a granted node stays, and its links are the ringer's.
//
// Whoever destroys the context that runs a waiting call must know that no other thread is inside
// `wake` for it: a bell takes the call's executor into use.
#ifndef HAWSER_CONTAINERS_WAITER_HPP
#define HAWSER_CONTAINERS_WAITER_HPP

#include <hawser/base/time.hpp>

#include <cstdint>

namespace hawser::inline v0 {

/// One waiting call, made and kept by its driver.
///
/// What it asks for and how it is to be treated is set by the policy, or by the engine that it asks
/// through, before the node is queued, and stays as it is until the node is out again.
///
/// Thread safety: the links and the marks belong to the lock of the policy that queues it; `wake`
/// may be called from any thread, once for each grant.
class waiter {
public:
    waiter(waiter const&) = delete;
    waiter& operator=(waiter const&) = delete;

    /// Tells the call that it has been granted what it waits for. The node may be destroyed before
    /// this returns to a caller that raced: nothing of it may be touched afterwards.
    void wake() noexcept { ring_(*this); }

    waiter* next = nullptr;
    waiter* previous = nullptr;
    bool queued = false;
    bool granted = false;

    /// Granted its turn, and with it nothing: the queue has decided that the call is refused. Means
    /// something only while `granted`.
    bool turned_away = false;

    /// Its class, for a queue that has classes: from 0 to 7, higher goes before lower.
    std::uint8_t priority = 0;

    /// How many permits it waits for. At least one.
    std::uint32_t permits = 1;

    /// Whose call it is, for a queue that shares out by flows: a key, or the hash of one.
    std::uint64_t flow = 0;

    /// When it was queued.
    time_point since{};

protected:
    explicit waiter(void (*ring)(waiter&) noexcept) noexcept : ring_{ring} {}
    ~waiter() = default;

private:
    void (*ring_)(waiter&) noexcept;
};

}  // namespace hawser::inline v0
#endif  // HAWSER_CONTAINERS_WAITER_HPP
