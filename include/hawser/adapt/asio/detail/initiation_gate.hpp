// SPDX-License-Identifier: BSL-1.0
//
// Keeps the handlers of a call back until its initiating function is done with it.
//
// An asynchronous call may be started from any thread: `use_future` is used just so. What it starts
// can then end on a thread of the executor while the initiating one is still on its way out.
#ifndef HAWSER_ADAPT_ASIO_DETAIL_INITIATION_GATE_HPP
#define HAWSER_ADAPT_ASIO_DETAIL_INITIATION_GATE_HPP

#include <atomic>
#include <thread>

namespace hawser::inline v0::detail {

/// Closed to all threads but the one that makes it, until that one opens it.
class initiation_gate {
public:
    /// Returns once the gate is open. Closed for some instructions of another thread only.
    void await() const noexcept {
        // Acquire, with the release of `open`: what the initiating function did is seen.
        if (open_.load(std::memory_order_acquire) == 0 && initiator_ != std::this_thread::get_id())
            [[unlikely]]
            open_.wait(0, std::memory_order_acquire);
    }

    /// Its last touch of the gate's value: the call may be gone before this returns. The
    /// notification goes by address only.
    void open() noexcept {
        auto& value = open_;
        value.store(1, std::memory_order_release);
        value.notify_all();
    }

private:
    std::thread::id const initiator_ = std::this_thread::get_id();
    std::atomic<int> open_{0};  // An int: what the system itself can wait on.
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_ADAPT_ASIO_DETAIL_INITIATION_GATE_HPP
