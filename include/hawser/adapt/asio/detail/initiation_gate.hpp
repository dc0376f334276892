// SPDX-License-Identifier: BSL-1.0
//
// Keeps the handlers of a call back until its initiating function is done with it.
//
// An asynchronous call may be started from any thread: `use_future` is used just so. What it starts
// can then end on a thread of the executor while the initiating one is still on its way out.
#ifndef HAWSER_ADAPT_ASIO_DETAIL_INITIATION_GATE_HPP
#define HAWSER_ADAPT_ASIO_DETAIL_INITIATION_GATE_HPP

#include <atomic>
#include <chrono>
#include <thread>

namespace hawser::inline v0::detail {

/// Its address tells the running threads apart, without a call.
inline thread_local constinit char this_thread_mark = 0;

/// Closed to all threads but the one that makes it, until that one opens it.
class initiation_gate {
public:
    /// Returns once the gate is open. Closed for some instructions of another thread only.
    [[gnu::always_inline]] void await() const noexcept {
        if (!is_open() && initiator_ != &this_thread_mark) [[unlikely]]
            wait();
    }

    /// The last touch of the call by the thread that began it: the call may be gone before this
    /// returns. So nobody can be woken here, and who waits looks again instead.
    void open() noexcept { open_.store(true, std::memory_order_release); }

private:
    /// Acquire, with the release of `open`: what the initiating function did is seen.
    [[nodiscard]] bool is_open() const noexcept { return open_.load(std::memory_order_acquire); }

    [[gnu::cold, gnu::noinline]] void wait() const noexcept {
        // Enough for a thread that runs; one that was preempted gets the processor.
        for (int looks = 0; looks < 64 && !is_open(); ++looks) std::this_thread::yield();
        while (!is_open()) std::this_thread::sleep_for(std::chrono::microseconds{50});
    }

    char const* const initiator_ = &this_thread_mark;
    std::atomic<bool> open_{false};
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_ADAPT_ASIO_DETAIL_INITIATION_GATE_HPP
