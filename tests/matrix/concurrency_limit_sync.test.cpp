// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: concurrency_limit, in plain calls. There is one permit and one place to
// wait, so that either shows if it is not given back, and what each call taught is written down.
#include <hawser/hawser.hpp>
#include <hawser/policy/concurrency_limit.hpp>

#include "support/catch.hpp"
#include "support/counting_waiter.hpp"
#include "support/matrix.hpp"
#include "support/told_limit.hpp"

#include <cstdint>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using namespace support;
using hawser::errc;
using hawser::sample_outcome;

namespace {

struct stand : sync_stand {
    std::vector<hawser::limit_sample> heard;
    std::uint32_t number = 1;
    hawser::concurrency_limit<told_limit, hawser::wait_up_to, hawser::places> limit{
        told_options{&heard, &number}, hawser::wait_up_to{100ms}, hawser::places{1}};

    auto line() {
        return hawser::compose_in(scene.environment(), hawser::borrow(outer), hawser::borrow(limit),
                                  hawser::borrow(gate), hawser::attempt_timeout{100ms});
    }
    auto permits() { return limit.permits().snapshot(); }
    /// Another call takes the permit, and gives it back, to the one that waits if one does.
    void take_the_permit() { REQUIRE(limit.permits().try_acquire()); }
    void give_it_back() { give_back_silently().ring_all(); }
    hawser::wake_list give_back_silently() { return limit.permits().release(1, scene.time.now()); }

    bool is_free() {
        auto const now = permits();
        return now.free == 1 && now.held == 0 && now.on_the_way == 0 && now.waiting == 0;
    }
    bool has_all_back() { return is_free() && is_whole(); }
    /// Whether the queue was left without a permit, which the other call then gives back, and
    /// nothing was learned.
    bool left_the_queue() {
        auto const seen = permits();
        give_it_back();
        return seen.waiting == 0 && seen.held == 1 && gate.counts().entered == 0 && heard.empty() &&
               has_all_back();
    }
    /// Whether one call was in, alone, and this is what it said of the load.
    bool taught(sample_outcome what) const {
        return heard.size() == 1 && heard[0].inflight_at_start == 1 && heard[0].outcome == what;
    }
    /// Is granted the permit as the wait begins; the bell rings when the grant has been taken back.
    template <class Meanwhile>
    auto granted_in_wait(Meanwhile meanwhile) {
        scene.on_wait = [this, meanwhile] {
            bell_ = give_back_silently();
            meanwhile();
        };
        return std::jthread{[this] {
            scene.await_waits(1);
            while (!is_free()) std::this_thread::yield();
            bell_.ring_all();
        }};
    }

private:
    hawser::wake_list bell_;
};

}  // namespace

TEST_CASE("matrix: concurrency_limit, sync, success: teaches its time, without that of its wait") {
    stand on;
    auto const line = on.line();
    on.take_the_permit();
    on.scene.on_wait = [&] {
        on.scene.time.advance(20ms);
        on.give_it_back();
    };
    auto const works = [&] { return on.scene.time.advance(5ms), answers(); };
    CHECK(on.call(line, works).value().value == 7);
    CHECK(on.taught(sample_outcome::success));
    CHECK(is_measure(on.heard[0], 5ms, 20ms));
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: concurrency_limit, sync, failure: teaches nothing, and the permit comes back") {
    stand on;
    auto const line = on.line();
    CHECK(on.call(line, fails).value().failed);
    CHECK(on.taught(sample_outcome::ignored));
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: concurrency_limit, sync, refusal: a wait that is over leaves the queue") {
    stand on;
    auto const line = on.line();
    on.take_the_permit();
    auto const out = on.call(line, answers);
    REQUIRE(out.why() != nullptr);
    CHECK(*out.why() == hawser::refusal{errc::overloaded, 0ms, "concurrency_limit"});
    CHECK(on.scene.elapsed() == 100ms);
    CHECK(on.runs == 0);
    CHECK(on.left_the_queue());
}

TEST_CASE("matrix: concurrency_limit, sync, refusal: takes no permit when the queue is full") {
    stand on;
    auto const line = on.line();
    on.take_the_permit();
    counting_waiter other;
    REQUIRE(on.limit.permits().acquire(other, 1, on.scene.start).result ==
            hawser::acquired::queued);
    CHECK(on.call(line, answers).code() == errc::overloaded);
    CHECK(on.scene.waits == 0);
    CHECK(on.runs == 0);
    CHECK_FALSE(on.limit.permits().withdraw(other, on.scene.start).bell_will_ring);
    CHECK(on.left_the_queue());
}

TEST_CASE("matrix: concurrency_limit, sync, refusal: one from further in teaches nothing") {
    stand on;
    auto const line = on.line();
    on.gate.answer = hawser::step::refuse(errc::rate_limited);
    CHECK(on.call(line, answers).code() == errc::rate_limited);
    CHECK(on.taught(sample_outcome::ignored));
    CHECK(on.has_all_back());
}

TEST_CASE(
    "matrix: concurrency_limit, sync, exception: teaches nothing, and the permit comes back") {
    stand on;
    auto const line = on.line();
    CHECK_THROWS_WITH((void)on.call(line, throws).value(), "down");
    CHECK(on.taught(sample_outcome::ignored));
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: concurrency_limit, sync, caller cancel: leaves the queue") {
    stand on;
    auto const line = on.line();
    on.take_the_permit();
    on.stop_in_wait();
    CHECK(on.call(line, answers).code() == errc::cancelled);
    CHECK(on.runs == 0);
    CHECK(on.left_the_queue());
}

TEST_CASE("matrix: concurrency_limit, sync, caller cancel: a grant on its way comes back") {
    stand on;
    auto const line = on.line();
    on.take_the_permit();
    {
        auto const ringer = on.granted_in_wait([&] { on.caller.request_stop(); });
        CHECK(on.call(line, answers).code() == errc::cancelled);
    }
    CHECK(on.runs == 0);
    CHECK(on.heard.empty());
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: concurrency_limit, sync, caller cancel: one in the operation teaches nothing") {
    stand on;
    auto const line = on.line();
    auto const out = on.call(line, [&] {
        on.caller.request_stop();
        return on.fails_after(100ms)();
    });
    CHECK(out.value().failed);
    CHECK(on.taught(sample_outcome::ignored));
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: concurrency_limit, sync, timeout: leaves the queue") {
    stand on;
    auto const line = on.line();
    on.take_the_permit();
    CHECK(on.call(line, answers, on.scene.start + 30ms).code() == errc::timed_out);
    CHECK(on.scene.elapsed() == 30ms);
    CHECK(on.runs == 0);
    CHECK(on.left_the_queue());
}

TEST_CASE("matrix: concurrency_limit, sync, timeout: a grant on its way comes back") {
    stand on;
    auto const line = on.line();
    on.take_the_permit();
    {
        auto const ringer = on.granted_in_wait([] {});
        CHECK(on.call(line, answers, on.scene.start + 30ms).code() == errc::timed_out);
    }
    CHECK(on.runs == 0);
    CHECK(on.heard.empty());
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: concurrency_limit, sync, timeout: one further in is overload") {
    stand on;
    auto const line = on.line();
    CHECK(on.call(line, on.fails_after(100ms)).value().failed);
    CHECK(on.told("attempt_timeout fired") == 1);
    CHECK(on.taught(sample_outcome::dropped));
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: concurrency_limit, sync, timeout: a deadline from further out teaches nothing") {
    stand on;
    auto const line = on.line();
    CHECK(on.call(line, on.fails_after(50ms), on.scene.start + 50ms).value().failed);
    CHECK(on.taught(sample_outcome::ignored));
    CHECK(on.has_all_back());
}

TEST_CASE("matrix: concurrency_limit, sync, destroyed while waiting: leaves the queue") {
    stand on;
    auto const line = on.line();
    on.take_the_permit();
    CHECK(on.unwound_in_wait(line, answers));
    CHECK(on.runs == 0);
    CHECK(on.left_the_queue());
}

TEST_CASE(
    "matrix: concurrency_limit, sync, destroyed while waiting: a grant on its way comes back") {
    stand on;
    auto const line = on.line();
    on.take_the_permit();
    {
        auto const ringer = on.granted_in_wait([] {});
        CHECK(on.unwound_in_wait(line, answers));
    }
    CHECK(on.runs == 0);
    CHECK(on.heard.empty());
    CHECK(on.has_all_back());
}

TEST_CASE(
    "matrix: concurrency_limit, sync, forced unwinding: nothing is learned, the permit is back") {
    stand on;
    auto const line = on.line();
    CHECK(on.unwound_in_operation(line));
    CHECK(on.gate.counts().abandoned == 1);
    CHECK(on.heard.empty());
    CHECK(on.has_all_back());
}
