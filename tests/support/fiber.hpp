// SPDX-License-Identifier: BSL-1.0
//
// Threads that take turns because they say so: a stack each, and one processor.
#ifndef HAWSER_TESTS_SUPPORT_FIBER_HPP
#define HAWSER_TESTS_SUPPORT_FIBER_HPP

#include <pthread.h>
#include <ucontext.h>

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#define HAWSER_TESTS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAWSER_TESTS_ASAN 1
#endif
#endif
#ifdef HAWSER_TESTS_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

namespace support {

using work = std::function<void()>;

/// One stack. Whoever resumes another stands still until somebody resumes it.
class fiber {
public:
    /// The thread itself, which is running.
    explicit fiber(pthread_t self) {
        pthread_attr_t attributes;
        void* address = nullptr;
        pthread_getattr_np(self, &attributes);
        pthread_attr_getstack(&attributes, &address, &size_);
        pthread_attr_destroy(&attributes);
        bottom_ = address;
    }
    fiber() : stack_{std::make_unique<std::byte[]>(stack_size)}, size_{stack_size} {
        bottom_ = stack_.get();
        getcontext(&registers_);
        registers_.uc_stack.ss_sp = stack_.get();
        registers_.uc_stack.ss_size = stack_size;
        makecontext(&registers_, &enter, 0);
    }
    fiber(fiber const&) = delete;
    fiber& operator=(fiber const&) = delete;

    /// What it does when it is next resumed, having ended what it did. `todo` does not return
    /// before it resumes another for good.
    void begin(work todo) { todo_ = std::move(todo); }

    void resume() {
        auto& from = *std::exchange(running, this);
#ifdef HAWSER_TESTS_ASAN
        __sanitizer_start_switch_fiber(&from.fake_stack_, bottom_, size_);
#endif
        swapcontext(&from.registers_, &registers_);
        from.resumed();
    }

    static inline fiber* running = nullptr;

private:
    static constexpr std::size_t stack_size = std::size_t{256} * 1024;

    void resumed() {
#ifdef HAWSER_TESTS_ASAN
        __sanitizer_finish_switch_fiber(fake_stack_, nullptr, nullptr);
#endif
    }
    static void enter() {
        auto& self = *running;
        self.resumed();
        for (;;) {
            auto const todo = std::move(self.todo_);
            todo();
        }
    }

    ucontext_t registers_{};
    std::unique_ptr<std::byte[]> stack_;
    void const* bottom_ = nullptr;
    std::size_t size_ = 0;
    [[maybe_unused]] void* fake_stack_ = nullptr;  // Of the address sanitizer.
    work todo_;
};

/// Fibers that are used again and again.
class fiber_pool {
public:
    static fiber& main() {
        static fiber thread{pthread_self()};
        if (fiber::running == nullptr) fiber::running = &thread;
        return thread;
    }
    static fiber& take(std::size_t number) {
        static std::deque<fiber> pool;
        (void)main();
        while (pool.size() <= number) pool.emplace_back();
        return pool[number];
    }
};

}  // namespace support

#endif  // HAWSER_TESTS_SUPPORT_FIBER_HPP
