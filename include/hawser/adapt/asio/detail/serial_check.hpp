// SPDX-License-Identifier: BSL-1.0
//
// Notices, in builds without NDEBUG, that two threads run one call at once.
#ifndef HAWSER_ADAPT_ASIO_DETAIL_SERIAL_CHECK_HPP
#define HAWSER_ADAPT_ASIO_DETAIL_SERIAL_CHECK_HPP

#include <hawser/base/contract.hpp>

#include <atomic>
#include <thread>

namespace hawser::inline v0::detail {

#ifdef NDEBUG
class serial_check {
public:
    struct [[maybe_unused]] nothing {};
    nothing enter() noexcept { return {}; }
};
#else
class serial_check {
public:
    /// Lasts while one of the call's handlers runs, which may end the call and this check with it.
    class inside {
    public:
        explicit inside(serial_check* check) noexcept : check_{check} {
            if (check_ != nullptr) check_->running_ = this;
        }
        inside(inside const&) = delete;
        inside& operator=(inside const&) = delete;
        ~inside() {
            if (check_ == nullptr) return;
            check_->running_ = nullptr;
            check_->owner_.store({}, std::memory_order_release);
        }

    private:
        friend class serial_check;
        serial_check* check_;
    };

    serial_check() = default;
    serial_check(serial_check const&) = delete;
    serial_check& operator=(serial_check const&) = delete;
    ~serial_check() {
        if (running_ != nullptr) running_->check_ = nullptr;
    }

    inside enter() noexcept {
        std::thread::id nobody{};
        auto const me = std::this_thread::get_id();
        if (owner_.compare_exchange_strong(nobody, me, std::memory_order_acquire))
            return inside{this};
        // Handlers of one call may nest on one thread. On two threads at once, the call's executor
        // does not serialise: it must be a strand, or a context that a single thread runs.
        HAWSER_ASSERT(nobody == me &&
                      "hawser: two threads run one call: its handler needs a strand");
        return inside{nullptr};
    }

private:
    std::atomic<std::thread::id> owner_{};
    inside* running_ = nullptr;
};
#endif

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_ADAPT_ASIO_DETAIL_SERIAL_CHECK_HPP
