// SPDX-License-Identifier: BSL-1.0
//
// Forced unwinding: a thread that is cancelled (`pthread_cancel`) runs destructors, no handlers,
// and does not return from what it waits in.
#ifndef HAWSER_TESTS_SUPPORT_UNWOUND_HPP
#define HAWSER_TESTS_SUPPORT_UNWOUND_HPP

#include <pthread.h>

#include <functional>
#include <utility>

namespace support {

/// A thread that can be cancelled. Joins where it ends.
class doomed_thread {
public:
    explicit doomed_thread(std::function<void()> work) : work_{std::move(work)} {
        started_ = pthread_create(&thread_, nullptr, &run, this) == 0;
    }
    doomed_thread(doomed_thread const&) = delete;
    doomed_thread& operator=(doomed_thread const&) = delete;
    ~doomed_thread() { (void)join(); }

    void cancel() {
        if (started_) pthread_cancel(thread_);
    }
    /// Whether the cancellation is what ended it.
    bool join() {
        if (!std::exchange(started_, false)) return false;
        void* result = nullptr;
        pthread_join(thread_, &result);
        return result == PTHREAD_CANCELED;
    }

private:
    static void* run(void* self) {
        static_cast<doomed_thread*>(self)->work_();
        return nullptr;
    }

    std::function<void()> work_;
    pthread_t thread_{};
    bool started_ = false;
};

/// Runs `work` on a thread, calls `then_cancel()`, cancels the thread, and answers whether that is
/// what ended it.
template <class ThenCancel>
[[nodiscard]] bool unwound(std::function<void()> work, ThenCancel then_cancel) {
    doomed_thread thread{std::move(work)};
    then_cancel();
    thread.cancel();
    return thread.join();
}

/// The point in an operation at which its thread is unwound: returns only if it is not.
inline void unwind_here() {
    pthread_cancel(pthread_self());
    pthread_testcancel();
}

/// Runs `work`, which somewhere calls `unwind_here`.
[[nodiscard]] inline bool unwound(std::function<void()> work) {
    return doomed_thread{std::move(work)}.join();
}

}  // namespace support

#endif  // HAWSER_TESTS_SUPPORT_UNWOUND_HPP
