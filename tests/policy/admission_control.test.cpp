// SPDX-License-Identifier: BSL-1.0
#include <hawser/hawser.hpp>
#include <hawser/policy/admission_control.hpp>

#include "support/catch.hpp"
#include "support/counting_waiter.hpp"
#include "support/stage.hpp"

#include <chrono>
#include <cstdint>
#include <iterator>
#include <list>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using hawser::admission_control;
using hawser::errc;
using hawser::step;
using hawser::wait_up_to;
using support::bell_log;
using support::stage;

namespace {

struct known_call {
    static constexpr bool has_facts = true;
    hawser::call_facts<> said;
    hawser::time_point* at;

    [[nodiscard]] auto const& facts() const noexcept { return said; }
    [[nodiscard]] hawser::time_point now() const noexcept { return *at; }
    [[nodiscard]] bool stop_requested() const noexcept { return said.stop.stop_requested(); }
    [[nodiscard]] hawser::duration remaining() const noexcept {
        return hawser::time_between(*at, said.deadline);
    }
    [[nodiscard]] bool fits(hawser::duration wait) const noexcept {
        return wait < remaining() || said.deadline == hawser::no_deadline;
    }
};

/// A call before the door, driven by hand: one thread has many of them waiting.
template <class Door>
struct asking {
    asking(Door& at, int id, bell_log& log, hawser::call_facts<> facts, hawser::time_point& now)
        : door{at}, call{std::move(facts), &now}, node{id, &log} {
        ask();
    }
    void ask() { answer = door.before(held, call, node); }
    bool withdraw() { return door.withdraw(held, call, node); }
    void leave() {
        hawser::outcome<int> out;
        door.after(held, call, out);
    }
    [[nodiscard]] bool parks() const { return answer.action == step::kind::park; }
    [[nodiscard]] bool is_in() const { return answer.action == step::kind::proceed; }
    [[nodiscard]] bool is_refused(errc code) const {
        return answer.action == step::kind::refuse && answer.code == code;
    }

    Door& door;
    known_call call;
    support::counting_waiter node;
    hawser::detail::permits_held held{};
    step answer{};
};

template <class Door>
struct crowd {
    asking<Door>& add(hawser::call_facts<> facts = {}) {
        return calls.emplace_back(door, static_cast<int>(calls.size()), bells, std::move(facts),
                                  now);
    }
    /// Asks again whose bells rang; those that were let in stay.
    void hear() {
        for (auto const id : std::exchange(bells, {})) std::next(calls.begin(), id)->ask();
    }
    /// Turns in a row, one a millisecond: the door has one permit, and learns its pace.
    void warm_up() {
        std::vector<asking<Door>*> turn;
        for (int i = 0; i != 40; ++i) turn.push_back(&add());
        for (auto* one : turn) {
            REQUIRE(one->is_in());
            now += 1ms;
            one->leave();
            hear();
        }
    }

    Door& door;
    hawser::time_point now{1h};
    bell_log bells{};
    std::list<asking<Door>> calls{};
};
template <class Door>
crowd(Door&) -> crowd<Door>;

template <class Door>
bool is_whole(Door& door) {
    auto const now = door.permits().snapshot(hawser::time_point{2h}).permits;
    return now.held == 0 && now.on_the_way == 0 && now.waiting == 0 && now.free == now.capacity;
}

template <class Make>
std::string refused_with(Make make) {
    try {
        make();
    } catch (std::invalid_argument const& wrong) {
        return wrong.what();
    }
    return "not refused";
}

}  // namespace

TEST_CASE(
    "admission_control: lets in as many as there are permits, and the next as one comes out") {
    stage scene;
    admission_control door{{.permits = 1, .places = 1}, wait_up_to{1s}};
    auto const line = hawser::compose_in(scene.environment(), hawser::borrow(door));
    REQUIRE(door.permits().try_acquire());
    scene.on_wait = [&] { door.permits().release(1, scene.time.now()).ring_all(); };

    CHECK(hawser::try_execute(line, [] { return 1; }).has_value());

    CHECK(scene.waits == 1);
    CHECK(is_whole(door));
}

TEST_CASE("admission_control: a permit returns however a call ends") {
    admission_control door{{.permits = 1}, wait_up_to{1ms}};
    auto const line = hawser::compose(hawser::borrow(door));
    for (int call = 0; call != 100; ++call) {
        CHECK(hawser::try_execute(line, []() -> int { throw 1; }).exception() != nullptr);
        CHECK(hawser::try_execute(line, [] { return 1; }).has_value());
    }
    CHECK(is_whole(door));
}

TEST_CASE("admission_control: the priorities of calls are the classes, and the higher go first") {
    admission_control door{{.permits = 1, .places = 10}, wait_up_to{1s}};
    crowd all{door};
    auto* in = &all.add();
    for (int const priority : {1, -300, 3, 0, 4, 300}) all.add({.priority = priority});
    bell_log order;
    for (int i = 0; i != 6; ++i) {
        in->leave();
        REQUIRE(all.bells.size() == 1);
        order.push_back(all.bells[0]);
        in = &*std::next(all.calls.begin(), all.bells[0]);
        all.hear();
    }
    in->leave();
    CHECK(order == bell_log{5, 6, 3, 1, 4, 2});
    CHECK(is_whole(door));
}

TEST_CASE("admission_control: a call whose deadline is before its turn is refused at once") {
    admission_control door{{.permits = 1, .places = 100}, wait_up_to{1s}};
    crowd all{door};
    all.warm_up();
    auto& in = all.add();
    std::vector<asking<decltype(door)>*> waiting;
    for (int i = 0; i != 20; ++i) waiting.push_back(&all.add());

    auto& late = all.add({.deadline = all.now + 15ms});
    CHECK(late.is_refused(errc::overloaded));
    // 21 ms for it, of which 5 are good; by chance, or for the rounding, one more.
    CHECK(late.answer.delay >= 15ms);
    CHECK(late.answer.delay <= 18ms);
    auto& high = all.add({.deadline = all.now + 15ms, .priority = 1});
    CHECK(high.parks());
    auto& patient = all.add({.deadline = all.now + 30ms});
    CHECK(patient.parks());

    CHECK(patient.withdraw());
    CHECK(high.withdraw());
    for (auto* one : waiting) CHECK(one->withdraw());
    in.leave();
    CHECK(is_whole(door));
    CHECK(door.permits().snapshot(all.now).counts.too_late == 1);
}

TEST_CASE("admission_control: a call that may wait for less than its turn takes is refused too") {
    admission_control door{{.permits = 1, .places = 100}, wait_up_to{10ms}};
    crowd all{door};
    all.warm_up();
    auto& in = all.add();
    std::vector<asking<decltype(door)>*> waiting;
    for (int i = 0; i != 11; ++i) waiting.push_back(&all.add());
    CHECK(waiting.back()->parks());
    CHECK(all.add().is_refused(errc::overloaded));
    for (auto* one : waiting) CHECK(one->withdraw());
    in.leave();
    CHECK(is_whole(door));
}

TEST_CASE("admission_control: a call that is stopped, or over, takes nobody's place") {
    admission_control door{{.permits = 1, .places = 1}, wait_up_to{1s}};
    crowd all{door};
    auto& in = all.add();
    auto& low = all.add({.priority = 0});
    std::stop_source caller;
    caller.request_stop();

    auto& stopped = all.add({.stop = caller.get_token(), .priority = 4});
    auto& late = all.add({.deadline = all.now, .priority = 4});

    CHECK(stopped.parks());  // The driver ends them there, as cancelled and timed out.
    CHECK(late.parks());
    CHECK(stopped.withdraw());
    CHECK(late.withdraw());
    CHECK(all.bells.empty());
    in.leave();
    all.hear();
    CHECK(low.is_in());
    low.leave();
    CHECK(is_whole(door));
}

TEST_CASE("admission_control: a full queue turns a low call away for a high one, as overloaded") {
    admission_control door{{.permits = 1, .places = 1}, wait_up_to{1s}};
    crowd all{door};
    auto& in = all.add();
    auto& low = all.add({.priority = -1});
    auto& other = all.add({.priority = -1});
    auto& high = all.add({.priority = 1});

    CHECK(other.is_refused(errc::bulkhead_full));
    CHECK(other.answer.delay == 100ms);
    CHECK(high.parks());
    all.hear();
    CHECK(low.is_refused(errc::overloaded));
    CHECK(low.answer.delay == 100ms);
    in.leave();
    all.hear();
    CHECK(high.is_in());
    high.leave();
    CHECK(is_whole(door));
}

TEST_CASE("admission_control: a wait that is over says when to come again") {
    stage scene;
    admission_control door{{.permits = 1}, wait_up_to{20ms}, hawser::named{"front"}};
    auto const line = hawser::compose_in(scene.environment(), hawser::borrow(door));
    REQUIRE(door.permits().try_acquire());

    auto const out = hawser::try_execute(line, [] { return 1; });

    CHECK(*out.why() == hawser::refusal{errc::bulkhead_full, 100ms, "front"});
    CHECK(scene.elapsed() == 20ms);
    CHECK(door.permits().snapshot(scene.time.now()).permits.waiting == 0);
}

TEST_CASE("admission_control: a wait ends at the deadline of the call, as that") {
    stage scene;
    admission_control door{{.permits = 1}, wait_up_to{1s}};
    auto const line = hawser::compose_in(scene.environment(), hawser::borrow(door));
    REQUIRE(door.permits().try_acquire());

    CHECK(hawser::try_execute(line, {.deadline = scene.time.now() + 5ms}, [] {
              return 1;
          }).code() == errc::timed_out);

    CHECK(scene.elapsed() == 5ms);
    CHECK(door.permits().snapshot(scene.time.now()).permits.waiting == 0);
}

TEST_CASE("admission_control: a call takes as many permits as it costs") {
    std::uint32_t cost = 3;
    auto const size = [&cost](auto const&) noexcept { return cost; };
    hawser::admission_queue queue{{.permits = 4}};
    admission_control door{hawser::borrow(queue), wait_up_to{1ms}, hawser::cost_by{size}};
    auto const line = hawser::compose(hawser::borrow(door));
    auto const held = [&] { return queue.snapshot({}).permits.held; };

    CHECK(hawser::execute(line, held) == 3);
    cost = 5;
    CHECK(*hawser::try_execute(line, held).why() ==
          hawser::refusal{errc::too_large, hawser::never, "admission_control"});
    CHECK(is_whole(door));
}

TEST_CASE("admission_control: what it refuses is no vote further out, and costs no budget") {
    stage scene;
    admission_control door{{.permits = 1, .places = 0}, wait_up_to{1ms}};
    REQUIRE(door.permits().try_acquire());
    hawser::circuit_breaker breaker{{.minimum_calls = 1}};
    hawser::retry_budget budget{{.ratio = 0, .floor = 5, .per = 1h}};
    auto const line = hawser::compose_in(scene.environment(),
                                         hawser::retry{{.max_attempts = 3}, hawser::borrow(budget)},
                                         hawser::borrow(breaker), hawser::borrow(door));
    auto const before = budget.available(scene.time.now());

    for (int call = 0; call != 100; ++call)
        CHECK(hawser::try_execute(line, [] { return 1; }).code() == errc::bulkhead_full);

    CHECK(breaker.state() == hawser::breaker_state::closed);
    CHECK(budget.available(scene.time.now()) == before);
    CHECK(scene.elapsed() == 100 * 2 * 100ms);  // A retry comes again when it was told.
}

TEST_CASE(
    "admission_control: events say who waits, who is refused, and the new number of permits") {
    struct heard_limits {
        std::vector<std::uint32_t> numbers{};
        void on(hawser::limit_changed const& event) { numbers.push_back(event.to); }
    } heard;
    stage scene;
    admission_control door{
        {.permits = 1}, wait_up_to{20ms}, hawser::told_by_reference(heard), hawser::named{"front"}};
    auto const line = hawser::compose_in(scene.environment(), hawser::borrow(door));
    REQUIRE(door.permits().try_acquire());

    (void)hawser::try_execute(line, [] { return 1; });
    door.resize(3, scene.time.now());

    CHECK(heard.numbers == std::vector<std::uint32_t>{3});
    CHECK(door.permits().capacity() == 3);
    auto const told = scene.trace.seen();
    REQUIRE(told.size() >= 2);
    CHECK(told[0].find("front") != std::string::npos);
}

TEST_CASE("admission_control: tells once that an overload began, and once that it is over") {
    struct heard_overloads {
        std::vector<hawser::overload_changed> seen{};
        void on(hawser::overload_changed const& event) { seen.push_back(event); }
    } heard;
    admission_control door{{.permits = 1, .places = 100},
                           wait_up_to{1s},
                           hawser::told_by_reference(heard),
                           hawser::named{"front"}};
    crowd all{door};
    auto* in = &all.add();
    for (int turn = 0; turn != 400; ++turn) {
        all.now += 1ms;
        all.add();
        all.add();
        in->leave();
        for (auto const id : std::exchange(all.bells, {})) {
            auto& one = *std::next(all.calls.begin(), id);
            one.ask();
            if (one.is_in()) in = &one;
        }
    }
    REQUIRE(heard.seen.size() == 1);
    auto const began = heard.seen[0];
    CHECK(began.began);
    CHECK(std::string{began.origin.policy} == "front");
    CHECK(began.origin.attempt == 0);
    CHECK(began.waiting > 0);
    CHECK(began.at_most >= began.waiting);
    CHECK(began.p99_wait > 5ms);

    for (auto& call : all.calls)
        if (call.node.queued) CHECK(call.withdraw());
    CHECK(heard.seen.size() == 1);
    all.now += 100ms;
    in->leave();
    REQUIRE(heard.seen.size() == 2);
    CHECK_FALSE(heard.seen[1].began);
    CHECK(heard.seen[1].waiting == 0);
    CHECK(heard.seen[1].shed > began.shed);
    CHECK(is_whole(door));
}

TEST_CASE("admission_control: says which field is wrong") {
    CHECK(refused_with([] {
              admission_control door{{.permits = 0}, wait_up_to{1ms}};
          }) == "semaphore: permits is not in [1, 1000000000]");
    CHECK(refused_with([] {
              admission_control door{{.permits = 1}, wait_up_to{0ms}};
          }) == "admission_control: wait_up_to is not positive");
    CHECK(refused_with([] {
              admission_control door{{.permits = 1}, wait_up_to{1ms}, hawser::named{nullptr}};
          }) == "admission_control: name is null");
}
