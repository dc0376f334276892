// SPDX-License-Identifier: BSL-1.0
//
// The call machine without Asio: a driver made by hand feeds it every short sequence of events, and
// after each the hooks must have kept their contract and every permit must be accounted for.
#include <hawser/compose/call_machine.hpp>
#include <hawser/compose/pipeline.hpp>
#include <hawser/policy/fallback.hpp>
#include <hawser/policy/timeout.hpp>
#include <hawser/testing/manual_environment.hpp>

#include "support/catch.hpp"
#include "support/test_bulkhead.hpp"

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
using hawser::errc;
using hawser::next;
using hawser::step;
using support::test_bulkhead;

/// Keeps account of the hooks of one call's layers, and of the first rule that was broken.
struct ledger {
    enum class place { out, waiting, inside };
    std::array<place, 4> at{};
    std::vector<std::size_t> inside;
    std::string broken;

    void require(bool holds, char const* rule) {
        if (!holds && broken.empty()) broken = rule;
    }
    void entered(std::size_t layer) {
        require(at[layer] != place::inside, "before of a layer that the call is inside of");
        at[layer] = place::inside;
        inside.push_back(layer);
    }
    void waits(std::size_t layer) {
        require(at[layer] != place::inside, "before of a layer that the call is inside of");
        at[layer] = place::waiting;
    }
    void refused(std::size_t layer) { at[layer] = place::out; }
    void withdrawn(std::size_t layer) {
        require(at[layer] == place::waiting, "withdraw without a wait");
        at[layer] = place::out;
    }
    void left(std::size_t layer, bool waits_next = false) {
        require(at[layer] == place::inside, "after or abandon without before");
        require(!inside.empty() && inside.back() == layer, "layers left out of order");
        if (!inside.empty()) inside.pop_back();
        at[layer] = waits_next ? place::waiting : place::out;
    }
    void require_end() {
        require(inside.empty(), "the call ended inside a layer");
        for (auto const where : at) require(where == place::out, "the call ended in a wait");
    }
};

/// Lets the call in after `waits` waits, and has failures tried again `agains` times.
struct kept_layer {
    using stateful = void;
    struct call_state {
        int waited = 0;
        int tried = 0;
    };
    ledger* book;
    std::size_t id;
    int waits = 0;
    int agains = 0;

    template <class Call>
    step before(call_state& state, Call&) noexcept {
        if (state.waited++ < waits) {
            book->waits(id);
            return step::wait(5ms);
        }
        state.waited = 0;
        book->entered(id);
        return step::proceed();
    }
    template <class Call>
    void withdraw(call_state&, Call&) noexcept {
        book->withdrawn(id);
    }
    template <class Call, class R>
    next after(call_state& state, Call& call, hawser::outcome<R>& out) noexcept {
        bool const again = state.tried++ < agains && call.cause() == hawser::stop_cause::none &&
                           out.classify() == hawser::verdict::failure;
        book->left(id, again);
        return again ? next::again(40ms) : next::done();
    }
    template <class Call>
    void abandon(call_state&, Call&) noexcept {
        book->left(id);
    }
};

/// The bulkhead, with its hooks in the book.
struct kept_bulkhead : test_bulkhead {
    using test_bulkhead::test_bulkhead;
    ledger* book = nullptr;
    std::size_t id = 0;

    template <class Call>
    step before(call_state& state, Call& call, hawser::waiter& node) noexcept {
        auto const answer = test_bulkhead::before(state, call, node);
        if (answer.action == step::kind::proceed) book->entered(id);
        if (answer.action == step::kind::park) book->waits(id);
        if (answer.action == step::kind::refuse) book->refused(id);
        return answer;
    }
    template <class Call>
    bool withdraw(call_state& state, Call& call, hawser::waiter& node) noexcept {
        book->withdrawn(id);
        return test_bulkhead::withdraw(state, call, node);
    }
    template <class Call, class R>
    void after(call_state& state, Call& call, hawser::outcome<R>& out) noexcept {
        book->left(id);
        test_bulkhead::after(state, call, out);
    }
    template <class Call>
    void abandon(call_state& state, Call& call) noexcept {
        book->left(id);
        test_bulkhead::abandon(state, call);
    }
};

/// A driver whose events come when the test says.
template <class Line>
struct hand_driven final
    : hawser::call_machine<hand_driven<Line>, Line, hawser::call_facts<>, int> {
    using machine = hawser::call_machine<hand_driven<Line>, Line, hawser::call_facts<>, int>;
    using machine::awaits_bell, machine::begin, machine::bell_lost, machine::is_operating,
        machine::next_time, machine::stop, machine::teardown, machine::timer_fired, machine::woken;

    explicit hand_driven(Line const& line) : machine{line, {}} {}

    void start_operation() {
        ++starts;
        if (!at_once) return;
        this->out_.emplace(starts);
        this->operation_ended(machine::size);
    }
    template <class Alternative>
    void start_alternative(Alternative&, hawser::call_error const&, std::size_t level) {
        alternative_at = level;
    }
    void cancel_operation(hawser::stop_cause cause) { cancels.push_back(cause); }
    void arm(hawser::time_point at) {
        if (!armed || at < *armed) armed = at;
    }
    void ring_arrives() noexcept { ++rings; }
    void settle() { settled = true; }

    void end(bool well) {
        auto const level = std::exchange(alternative_at, machine::size);
        if (well)
            this->out_.emplace(1);
        else
            this->out_.refuse({errc::timed_out, {}, "operation"});  // A failure.
        this->operation_ended(level);
    }
    auto& outcome() { return this->out_; }

    bool at_once = false;
    bool settled = false;
    int starts = 0;
    int rings = 0;
    std::size_t alternative_at = machine::size;
    std::vector<hawser::stop_cause> cancels;
    std::optional<hawser::time_point> armed;
};

static auto make_line(hawser::manual_time& time, kept_layer& outer, kept_layer& retrying,
                      kept_bulkhead& bulkhead, kept_layer& slow) {
    return hawser::compose_in(hawser::testing::manual_environment{time},
                              hawser::total_timeout{100ms}, hawser::borrow(outer),
                              hawser::borrow(retrying), hawser::borrow(bulkhead),
                              hawser::borrow(slow), hawser::attempt_timeout{30ms});
}

/// One call through layers that gate, try again, park and wait, and what the world can do to it.
class scene {
public:
    /// Letters of the events: see `happen`.
    static constexpr std::string_view events = "+-tesgrb";

    scene() {
        bulkhead_.book = &book_;
        bulkhead_.id = 2;
        (void)bulkhead_.try_take();
        call_.begin();
    }

    [[nodiscard]] bool possible(char event) const {
        switch (event) {
            case '+':
            case '-': return call_.is_operating();
            case 't':
            case 'e': return call_.armed.has_value() && *call_.armed != hawser::no_deadline;
            case 's': return !call_.finished();
            case 'g': return holding_;
            case 'r': return granted_ != nullptr;
            default: return call_.rings > 0;
        }
    }
    void happen(char event) {
        switch (event) {
            case '+': call_.end(true); break;   // The operation ends,
            case '-': call_.end(false); break;  // well or badly.
            case 't': fire(*call_.armed); break;
            case 'e': fire(time_.now()); break;  // The timer comes early.
            case 's': call_.stop(hawser::stop_cause::caller); break;
            case 'g':  // Somebody else gives a permit back, under the lock,
                holding_ = false;
                granted_ = bulkhead_.grant_silently();
                break;
            case 'r': std::exchange(granted_, nullptr)->wake(); break;  // then rings the bell,
            default: --call_.rings, call_.woken();                      // and the ring arrives.
        }
        check_at_rest();
    }
    /// Whatever is possible, until the call has ended.
    void run_to_end() {
        while (!call_.finished())
            for (auto const event : std::string_view{"rbg-t"})
                if (possible(event)) {
                    happen(event);
                    break;
                }
        check_end();
    }
    void destroy() {
        bool const ringing = call_.teardown();
        book_.require(ringing == (granted_ != nullptr || call_.rings > 0),
                      "teardown is wrong about the bell");
        check_end();
    }
    /// As `destroy`, when a ring that had been posted is destroyed with it.
    void destroy_with_ring() {
        if (call_.rings == 0) return destroy();
        call_.bell_lost();
        book_.require(!call_.teardown(), "teardown waits for a bell that is lost");
        check_end();
    }
    [[nodiscard]] std::string const& broken() const { return book_.broken; }
    [[nodiscard]] auto const& call() const { return call_; }

private:
    void fire(hawser::time_point at) {
        call_.armed.reset();
        if (at > time_.now()) time_.set(at);
        call_.timer_fired();
    }
    void check_at_rest() {
        bool const waits = !call_.finished() && !call_.is_operating() && !call_.awaits_bell();
        if (waits || (call_.is_operating() && call_.cancels.empty()))
            book_.require(call_.armed && *call_.armed <= call_.next_time(),
                          "at rest with the next event of time unknown");
        book_.require(bulkhead_.balances(), "permits do not balance");
        book_.require(!call_.finished() || call_.settled, "finished without settling");
    }
    void check_end() {
        if (granted_ != nullptr) std::exchange(granted_, nullptr)->wake();
        if (holding_) bulkhead_.give_back();
        book_.require_end();
        book_.require(bulkhead_.is_whole(), "a permit is missing");
    }

    hawser::manual_time time_;
    ledger book_;
    kept_layer outer_{&book_, 0};
    kept_layer retrying_{&book_, 1, 0, 2};
    kept_bulkhead bulkhead_{1, 10, 20ms};
    kept_layer slow_{&book_, 3, 1};
    decltype(make_line(time_, outer_, retrying_, bulkhead_, slow_)) line_ =
        make_line(time_, outer_, retrying_, bulkhead_, slow_);
    hand_driven<decltype(line_)> call_{line_};
    bool holding_ = true;
    hawser::waiter* granted_ = nullptr;
};

/// Every sequence of possible events up to `depth`, each followed by `ending`.
template <class Ending>
static std::size_t explore(std::string& path, std::size_t depth, Ending const& ending,
                           std::string& failure) {
    scene now;
    for (auto const event : path) now.happen(event);
    std::string possible;
    for (auto const event : scene::events)
        if (now.possible(event)) possible += event;
    bool const over = now.call().finished();
    ending(now);
    if (!now.broken().empty() && failure.empty()) failure = path + ": " + now.broken();
    std::size_t count = 1;
    if (over || path.size() == depth) return count;
    for (auto const event : possible) {
        path.push_back(event);
        count += explore(path, depth, ending, failure);
        path.pop_back();
    }
    return count;
}

template <class Ending>
static void explore(Ending const& ending) {
    std::string path, failure;
    auto const explored = explore(path, 11, ending, failure);
    INFO(failure);
    CHECK(failure.empty());
    CHECK(explored > 30'000);
}

TEST_CASE("call_machine: whatever happens to a call, its hooks keep their contract to its end") {
    explore([](scene& now) { now.run_to_end(); });
}

TEST_CASE("call_machine: a call destroyed at any point leaves every layer and returns its permit") {
    explore([](scene& now) {
        if (!now.call().finished()) now.destroy();
    });
}

TEST_CASE("call_machine: a call destroyed with its ring on the way expects no other") {
    explore([](scene& now) {
        if (!now.call().finished()) now.destroy_with_ring();
    });
}

/// Goes in again, at once, for as long as it may.
struct tries_again {
    using stateful = void;
    int left = 200'000;

    template <class Call, class R>
    next after(hawser::detail::unit&, Call&, hawser::outcome<R>&) noexcept {
        return --left > 0 ? next::again(0ms) : next::done();
    }
};

TEST_CASE("call_machine: an operation that ends where it starts does not grow the stack") {
    hawser::manual_time time;
    tries_again often;
    auto const line =
        hawser::compose_in(hawser::testing::manual_environment{time}, hawser::borrow(often));
    hand_driven<decltype(line)> call{line};
    call.at_once = true;
    call.begin();
    CHECK(call.finished());
    CHECK(call.starts == 200'000);
    CHECK(call.outcome().value() == 200'000);
}

TEST_CASE("call_machine: an alternative that has started is cancelled like an operation") {
    hawser::manual_time time;
    auto const line = hawser::compose_in(hawser::testing::manual_environment{time},
                                         hawser::fallback{1}, hawser::attempt_timeout{30ms});
    hand_driven<decltype(line)> call{line};
    call.begin();
    call.end(false);
    REQUIRE(call.is_operating());
    call.stop(hawser::stop_cause::caller);
    CHECK(call.cancels == std::vector{hawser::stop_cause::caller});
    call.end(false);
    CHECK(call.finished());
    CHECK(call.outcome().code() == errc::cancelled);
    CHECK(call.outcome().earlier().size() == 1);
}
