// SPDX-License-Identifier: BSL-1.0
//
// The machine beside the naive model of `breaker_model.hpp`: every order in which up to three calls
// of up to three generations can meet commands and the passing of time, and long random traces.
#include <hawser/breaker/breaker_machine.hpp>

#include "breaker_model.hpp"
#include "support/catch.hpp"

#include <array>
#include <deque>
#include <optional>
#include <random>
#include <string>
#include <unordered_set>

using namespace std::chrono_literals;
using hawser::breaker_event;
using hawser::breaker_state;
using hawser::duration;
using hawser::time_point;
using hawser::verdict;
using hawser_tests::breaker_model;
using hawser_tests::model_options;
namespace trip = hawser::trip;

static constexpr time_point t0{1h};

/// One thing that happens: `call` is a place in a fixed set of calls.
struct action {
    enum kind { admit, report, abandon, advance, command, reconfigure } what{};
    int call = 0;
    hawser::vote vote{};
    std::int64_t number = 0;  // Ticks, or the event of a command.
};

static std::string name_of(action const& a) {
    auto const call = " " + std::to_string(a.call);
    switch (a.what) {
        case action::admit: return "admit" + call;
        case action::report:
            return "report" + call + " " +
                   std::array{"success", "failure",
                              "neutral"}[static_cast<std::size_t>(a.vote.health)] +
                   (a.vote.slow ? " slow" : "");
        case action::abandon: return "abandon" + call;
        case action::advance: return "advance " + std::to_string(a.number);
        case action::command: return to_string(static_cast<breaker_event>(a.number));
        case action::reconfigure: return "reconfigure";
    }
    return "";
}

/// The machine, with the calls that it admitted.
class rig {
public:
    explicit rig(model_options const& o) : machine_{options_of(o), 1, failures_of(o), slow_of(o)} {}

    /// Does the same to both, and says how they differ; empty if they do not.
    std::string apply(breaker_model& model, action const& a) {
        if (a.what == action::admit) {
            auto const expected = model.admit(a.call);
            auto admission = machine_.try_acquire(now());
            auto& ticket = tickets_.at(static_cast<std::size_t>(a.call));
            ticket = std::move(admission.ticket);
            if (admission.why.code != expected.code) return "code of admission";
            if (admission.why.retry_after != expected.retry_after) return "retry_after";
            if (ticket.is_probe() != expected.probe) return "is_probe";
            if (bool{ticket} != (expected.code == hawser::errc{})) return "ticket";
            return "";
        }
        auto& ticket = tickets_.at(static_cast<std::size_t>(a.call));
        if (a.what == action::report) {
            model.report(a.call, a.vote);
            machine_.report(ticket, a.vote, now());
            machine_.report(ticket, a.vote, now());  // A second report of a ticket does nothing.
        } else if (a.what == action::abandon) {
            model.report(a.call, {verdict::neutral});
            machine_.abandon(ticket);
        } else if (a.what == action::advance) {
            now_ = model.now += a.number;
        } else if (a.what == action::command) {
            auto const event = static_cast<breaker_event>(a.number);
            auto const at = now()();
            bool const did = event == breaker_event::isolate   ? machine_.isolate(at)
                             : event == breaker_event::disable ? machine_.disable(at)
                             : event == breaker_event::observe ? machine_.observe(at)
                                                               : machine_.reset(at);
            if (did != model.command(event)) return "answer of command";
        }
        return "";
    }

    void reconfigure(model_options const& o) {
        machine_.reconfigure(options_of(o), now()(), failures_of(o), slow_of(o));
    }

    /// How the states differ; empty if they do not.
    [[nodiscard]] std::string difference(breaker_model const& model) const {
        auto const mine = machine_.snapshot(now()());
        if (mine.state != model.state) return "state";
        if (mine.generation != model.generation) return "generation";
        if (mine.stale != model.stale) return "stale";
        if (mine.calls != model.counted) return "calls";
        if (mine.probes_out != model.out.size()) return "probes_out";
        if (mine.consecutive_opens != model.row) return "consecutive_opens";
        if (mine.would_have_tripped != model.would_have_tripped) return "would_have_tripped";
        if (mine.refused_open != model.refused_open) return "refused_open";
        if (mine.refused_probes_full != model.refused_full) return "refused_probes_full";
        if (mine.refused_isolated != model.refused_isolated) return "refused_isolated";
        auto const differs = [](hawser::rule_reading const& rule, breaker_model::counts seen) {
            return rule.calls != seen.calls || rule.hits != seen.hits;
        };
        if (differs(mine.rules[0], model.seen(model.options.window, false))) return "failures";
        if (differs(mine.rules[1], model.seen(model.options.slow_window, true))) return "slow";
        if (model.state == breaker_state::open &&
            mine.retry_after.count() != std::max<std::int64_t>(0, model.open_until - model.now))
            return "retry_after of snapshot";
        return "";
    }

    hawser::breaker_machine<trip::failure_rate, trip::slow_rate>& machine() { return machine_; }

private:
    static double share(std::int64_t thousandths) {
        return static_cast<double>(thousandths) / 1000;
    }
    static std::uint32_t count(std::int64_t number) { return static_cast<std::uint32_t>(number); }
    static hawser::circuit_breaker_options options_of(model_options const& o) {
        return {.open_for = duration{o.open_for},
                .open_for_max = duration{o.open_for_max},
                .open_for_factor = static_cast<double>(o.factor),
                .jitter = 0,
                .forget_after = duration{o.forget_after},
                .probes = count(o.probes),
                .probes_at_once = count(o.at_once),
                .probe_success_rate = share(o.success_rate),
                .probe_lease = duration{o.lease}};
    }
    static trip::failure_rate failures_of(model_options const& o) {
        return {share(o.rate), count(o.window), count(o.minimum_calls)};
    }
    static trip::slow_rate slow_of(model_options const& o) {
        // As long as it gets: calls are slow by their mark alone.
        return {hawser::never - 1ns, share(o.slow_rate), count(o.slow_window),
                count(o.slow_minimum)};
    }
    struct clock {
        time_point at;
        time_point operator()() const noexcept { return at; }
    };
    [[nodiscard]] clock now() const { return {t0 + duration{now_}}; }

    hawser::breaker_machine<trip::failure_rate, trip::slow_rate> machine_;
    std::array<hawser::breaker_ticket, 8> tickets_;
    std::int64_t now_ = 0;
};

/// What can happen next in the state of `model` with `calls` places for calls.
static std::vector<action> actions_of(breaker_model const& model, int calls) {
    std::vector<action> list;
    bool room = false;
    for (int call = 0; call < calls; ++call) {
        if (!model.calls.contains(call)) {
            if (!std::exchange(room, true)) list.push_back({action::admit, call});
            continue;
        }
        list.push_back({action::report, call, {verdict::success}});
        list.push_back({action::report, call, {verdict::failure}});
        list.push_back({action::report, call, {verdict::neutral}});
        list.push_back({action::report, call, {verdict::success, true}});
        list.push_back({action::abandon, call});
    }
    list.push_back({action::advance, 0, {}, model.options.open_for});
    list.push_back({action::advance, 0, {}, model.options.lease});
    for (auto const event : {breaker_event::isolate, breaker_event::disable, breaker_event::observe,
                             breaker_event::reset})
        list.push_back({action::command, 0, {}, static_cast<std::int64_t>(event)});
    return list;
}

/// Plays `path` to a new machine and to a new model; fails at the first difference.
static breaker_model play(model_options const& options, std::vector<action> const& path,
                          bool check_all) {
    breaker_model model{options};
    rig machine{options};
    for (std::size_t i = 0; i < path.size(); ++i) {
        auto difference = machine.apply(model, path[i]);
        if (difference.empty() && (check_all || i + 1 == path.size()))
            difference = machine.difference(model);
        if (difference.empty()) continue;
        std::string trace;
        for (std::size_t k = 0; k <= i; ++k) trace += "\n  " + name_of(path[k]);
        FAIL("differs in " << difference << " after" << trace);
    }
    return model;
}

static std::size_t walk(model_options const& options, std::vector<action>& path, int depth) {
    auto const model = play(options, path, false);
    std::size_t nodes = 1;
    if (depth == 0) return nodes;
    for (auto const& next : actions_of(model, 3)) {
        path.push_back(next);
        nodes += walk(options, path, depth - 1);
        path.pop_back();
    }
    return nodes;
}

static std::vector<std::vector<action>> beginnings() {
    action const ask0{action::admit, 0}, ask1{action::admit, 1}, ask2{action::admit, 2};
    action const fail0{action::report, 0, {verdict::failure}};
    action const fail1{action::report, 1, {verdict::failure}};
    action const wait{action::advance, 0, {}, 10};
    return {{},
            {ask0, ask1, ask2, fail0, fail1},              // Open, one call out.
            {ask0, ask1, ask2, fail0, fail1, wait, ask0},  // Half-open as well.
            {ask0, ask1, ask2, fail0, fail1, wait, ask0, fail0, wait, ask0}};  // Three generations.
}

TEST_CASE("breaker_machine: does what a naive breaker does, in every order of events") {
    std::size_t nodes = 0;
    for (auto path : beginnings()) {
        static_cast<void>(play({}, path, true));
        nodes += walk({}, path, 5);
    }
    CHECK(nodes > 500'000);
}

TEST_CASE("breaker_machine: does what a naive breaker does, in every state within its reach") {
    // Each state of the model is left by every action once: deeper than all orders could go.
    std::unordered_set<std::string> known;
    std::deque<std::vector<action>> waiting;
    for (auto& path : beginnings()) waiting.push_back(std::move(path));
    constexpr std::size_t limit = 400'000;
    for (std::size_t played = 0; !waiting.empty() && played < limit; ++played) {
        auto path = std::move(waiting.front());
        waiting.pop_front();
        auto const model = play({}, path, false);
        if (!known.insert(model.key()).second) continue;
        for (auto const& next : actions_of(model, 3)) {
            waiting.push_back(path);
            waiting.back().push_back(next);
        }
    }
    CHECK(known.size() > 2'000);
}

/// Options drawn at random, all legal.
static model_options draw_options(std::mt19937& random) {
    auto const in = [&](std::int64_t low, std::int64_t high) {
        return std::uniform_int_distribution<std::int64_t>{low, high}(random);
    };
    model_options o;
    o.window = in(1, 20), o.minimum_calls = in(1, o.window), o.rate = in(1, 10) * 100;
    o.slow_window = in(1, 20), o.slow_minimum = in(1, o.slow_window), o.slow_rate = in(3, 10) * 100;
    o.open_for = in(1, 20), o.open_for_max = o.open_for * in(1, 9), o.factor = in(1, 3);
    o.forget_after = in(0, 1) * in(1, 50);
    o.probes = in(1, 5), o.at_once = in(0, o.probes), o.success_rate = in(1, 10) * 100;
    o.lease = in(1, 20);
    return o;
}

static action draw_action(std::mt19937& random, breaker_model const& model) {
    auto const in = [&](int low, int high) {
        return std::uniform_int_distribution<int>{low, high}(random);
    };
    auto const dice = in(0, 99);
    if (dice < 1) return {action::reconfigure};
    if (dice < 2) return {action::command, 0, {}, in(4, 7)};
    if (dice < 3) return {action::command, 0, {}, static_cast<int>(breaker_event::reset)};
    if (dice < 15) return {action::advance, 0, {}, in(0, 12)};
    auto const call = in(0, 7);
    if (!model.calls.contains(call)) return {action::admit, call};
    if (dice < 20) return {action::abandon, call};
    auto const health = std::array{verdict::success, verdict::success, verdict::failure,
                                   verdict::neutral}[static_cast<std::size_t>(in(0, 3))];
    auto const hint = in(0, 9) == 0 ? duration{in(0, 60)} : duration{};
    return {action::report, call, {health, in(0, 5) == 0, hint}};
}

TEST_CASE("breaker_machine: does what a naive breaker does, over long random traces") {
    auto const seed = GENERATE(range(1U, 201U));
    INFO("seed " << seed);
    std::mt19937 random{seed};
    auto const options = draw_options(random);
    breaker_model model{options};
    rig machine{options};
    hawser::breaker_transition step;
    auto state = breaker_state::closed;
    std::uint64_t generation = 1;

    for (int i = 0; i < 10'000; ++i) {
        auto const next = draw_action(random, model);
        if (next.what == action::reconfigure) {
            auto const changed = draw_options(random);
            model.reconfigure(changed);
            machine.reconfigure(changed);
        }
        auto difference = machine.apply(model, next);
        if (difference.empty()) difference = machine.difference(model);
        if (!difference.empty())
            FAIL("differs in " << difference << " at step " << i << ": " << name_of(next));

        // The journal is one chain that ends where the machine stands.
        while (machine.machine().pop_transition(step)) {
            if (step.from != state || step.generation != generation + 1) FAIL("broken chain");
            state = step.to;
            generation = step.generation;
        }
        if (state != model.state || generation != model.generation) FAIL("incomplete chain");
    }
}
