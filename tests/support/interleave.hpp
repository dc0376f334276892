// SPDX-License-Identifier: BSL-1.0
//
// Every order in which the operations of a few threads can follow each other, tried one by one: a
// model checker that runs the code itself.
//
//     explore({.preemptions = 2}, [](support::run& run) {
//         machine<support::interleaved> m;              // its atomics and its mutex hand over
//         run.fiber([&] { m.this_thing(); });
//         run.fiber([&] { m.that_thing(); });
//         run.go();                                     // until all have ended
//         run.check(m.is_whole(), "whole");
//     });
//
// The threads are fibers. Before each operation on an atomic, a mutex or a `wait_until` a scheduler
// decides who goes on, and keeps a list of what else it could have decided; the function is called
// again for each of those, until none is left. Operations follow each other in one order that all
// see (sequential consistency): what weaker orders allow is for the thread sanitizer.
//
// Two things keep it short. A fiber that could go on is stopped in favour of another so many times
// in a run at most ("preemptions"); giving way where it cannot go on is free. And a state that has
// been seen is not gone into again: two schedules in which every operation has seen the same
// writes lead to the same state, and a hash of what each fiber has seen tells. A fiber that spins
// (`pause`, `yield`) goes on when somebody has written something.
#ifndef HAWSER_TESTS_SUPPORT_INTERLEAVE_HPP
#define HAWSER_TESTS_SUPPORT_INTERLEAVE_HPP

#include "support/schedules.hpp"

#include <atomic>
#include <utility>

namespace support {

/// What the code under test is made of, in place of the standard's.
struct interleaved {
    template <class T>
    class atomic {
    public:
        atomic() = default;
        explicit(false) atomic(T value) : value_{value} {}
        atomic(atomic const&) = delete;
        atomic& operator=(atomic const&) = delete;

        T load(std::memory_order = {}) const {
            if (auto* const r = run::current()) {
                r->point();
                r->sees(object_.writes);
            }
            return value_;
        }
        void store(T fresh, std::memory_order = {}) {
            change([&](T) { return fresh; });
        }
        T fetch_or(T bits, std::memory_order = {}) {
            return change([&](T old) { return static_cast<T>(old | bits); });
        }
        T fetch_and(T bits, std::memory_order = {}) {
            return change([&](T old) { return static_cast<T>(old & bits); });
        }
        bool compare_exchange_weak(T& expected, T fresh, std::memory_order = {},
                                   std::memory_order = {}) {
            auto* const r = run::current();
            if (r != nullptr) r->point();
            if (value_ != expected) {
                if (r != nullptr) r->sees(object_.writes);
                expected = value_;
                return false;
            }
            if (r != nullptr) r->writes(object_);
            value_ = fresh;
            return true;
        }

    private:
        template <class Change>
        T change(Change to) {
            if (auto* const r = run::current()) {
                r->point();
                r->writes(object_);
            }
            return std::exchange(value_, to(value_));
        }
        T value_{};
        run::object object_;
    };

    class mutex {
    public:
        void lock() {
            if (auto* const r = run::current()) {
                r->wait_until([this] { return !held_; });
                r->writes(object_);
            }
            held_ = true;
        }
        /// No point: what others could do before, they can do after.
        void unlock() {
            if (auto* const r = run::current()) r->writes(object_);
            held_ = false;
        }

    private:
        bool held_ = false;
        run::object object_;
    };

    static void pause() {
        if (auto* const r = run::current()) r->spin();
    }
    static void yield() { pause(); }
};

}  // namespace support

#endif  // HAWSER_TESTS_SUPPORT_INTERLEAVE_HPP
