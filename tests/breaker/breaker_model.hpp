// SPDX-License-Identifier: BSL-1.0
//
// A circuit breaker written as naively as possible, to compare the machine with: it remembers every
// call of a generation and counts anew each time, knows no table, no position and no watch.
#ifndef HAWSER_TESTS_BREAKER_BREAKER_MODEL_HPP
#define HAWSER_TESTS_BREAKER_BREAKER_MODEL_HPP

#include <hawser/base/error.hpp>
#include <hawser/base/time.hpp>
#include <hawser/breaker/transitions.hpp>
#include <hawser/breaker/vote.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace hawser_tests {

/// The numbers of a breaker with a failure rule and a slow rule. Rates in thousandths; no jitter.
struct model_options {
    std::int64_t rate = 500, window = 3, minimum_calls = 2;
    std::int64_t slow_rate = 1000, slow_window = 3, slow_minimum = 2;
    std::int64_t open_for = 10, open_for_max = 40, factor = 2, forget_after = 0;
    std::int64_t probes = 2, at_once = 0, success_rate = 1000, lease = 7;
};

class breaker_model {
public:
    using state_type = hawser::breaker_state;
    struct answer {
        hawser::errc code{};
        hawser::duration retry_after{};
        bool probe = false;
    };

    explicit breaker_model(model_options const& numbers) : options{numbers} {}

    answer admit(int call) {
        if (state == state_type::open && now >= open_until) enter(state_type::half_open);
        if (state == state_type::isolated) {
            ++refused_isolated;
            return {hawser::errc::isolated, hawser::never};
        }
        if (state == state_type::open) {
            ++refused_open;
            return {hawser::errc::circuit_open, hawser::duration{open_until - now}};
        }
        bool const probe = state == state_type::half_open;
        if (probe) {
            while (full() && oldest()->second <= now) out.erase(oldest());
            if (full()) {
                ++refused_full;
                return {hawser::errc::probes_full, {}};
            }
            out.push_back({++last_probe, now + lease()});
        }
        calls[call] = {generation, state, last_probe};
        return {.probe = probe};
    }

    void report(int call, hawser::vote const& vote) {
        auto const taken = calls.at(call);
        calls.erase(call);
        bool const neutral = vote.health == hawser::verdict::neutral;
        auto const failed = vote.health == hawser::verdict::failure;
        if (taken.state == state_type::disabled) return;
        bool const late = taken.generation != generation;
        auto const mine = std::find_if(out.begin(), out.end(),
                                       [&](auto const& p) { return p.first == taken.probe; });
        bool const lost = taken.state == state_type::half_open && mine == out.end();
        if (late || lost) {
            if (!neutral) ++stale;
            return;
        }
        if (state == state_type::half_open) out.erase(mine);
        if (neutral) return;
        if (state == state_type::half_open) return vote_of_probe(failed || vote.slow, vote);

        ++counted;
        history.push_back({failed, vote.slow});
        auto const failures = seen(options.window, false), slow = seen(options.slow_window, true);
        if (trips(failures, options.rate, options.minimum_calls) ||
            trips(slow, options.slow_rate, options.slow_minimum))
            trip(vote.open_for.count());
    }

    bool command(hawser::breaker_event event) {
        using e = hawser::breaker_event;
        auto const to = event == e::isolate   ? state_type::isolated
                        : event == e::disable ? state_type::disabled
                        : event == e::observe ? state_type::metrics_only
                                              : state_type::closed;
        if (to == state && event != e::reset) return false;
        if (event == e::reset) row = 0;
        enter(to);
        shadow_until = INT64_MIN;
        return true;
    }

    void reconfigure(model_options const& next) {
        // Of the past, each rule knows no more than its window saw.
        failures_from = std::max(failures_from, length() - options.window);
        slow_from = std::max(slow_from, length() - options.slow_window);
        options = next;
    }

    struct counts {
        std::int64_t calls, hits;
    };
    /// Of the last `window` calls, how many there are, and how many failed or were slow.
    [[nodiscard]] counts seen(std::int64_t window, bool slow) const {
        auto const from = std::max({std::int64_t{0}, length() - window,  //
                                    slow ? slow_from : failures_from});
        counts result{length() - from, 0};
        for (auto i = from; i < length(); ++i) {
            auto const& call = history[static_cast<std::size_t>(i)];
            result.hits += slow ? call.slow : call.failed;
        }
        return result;
    }

    /// All that decides what happens next, in text, with instants and generations relative.
    [[nodiscard]] std::string key() const {
        std::string text = std::to_string(static_cast<int>(state));
        auto const add = [&](std::int64_t number) { text += ',' + std::to_string(number); };
        auto const left = [&](std::int64_t until) { add(std::max<std::int64_t>(until - now, 0)); };
        auto const keep = std::max(options.window, options.slow_window);
        for (auto i = std::max<std::int64_t>(0, length() - keep); i < length(); ++i)
            add(history[static_cast<std::size_t>(i)].failed * 2 +
                history[static_cast<std::size_t>(i)].slow);
        add(-1);
        for (auto const& [call, it] : calls) {
            add(call);
            add(generation == it.generation);
            add(static_cast<int>(it.state));
            add(std::find_if(out.begin(), out.end(),
                             [&it = it](auto const& p) { return p.first == it.probe; }) -
                out.begin());
        }
        add(-1);
        for (auto const& [probe, until] : out) left(until);
        add(passed * 100 + failed_probes);
        add(row);
        if (state == state_type::open) left(open_until);
        if (state == state_type::metrics_only) left(shadow_until < now ? now : shadow_until);
        if (state == state_type::closed)
            add(row == 0 ? 0 : std::min(now - closed_at, forget() * 9));
        return text;
    }

    model_options options;
    std::int64_t now = 0;
    state_type state = state_type::closed;
    std::uint64_t generation = 1, stale = 0, counted = 0, would_have_tripped = 0;
    std::uint64_t refused_open = 0, refused_full = 0, refused_isolated = 0;
    std::int64_t row = 0;
    std::int64_t open_until = 0;
    std::vector<std::pair<std::uint64_t, std::int64_t>> out;  // Probe and end of its lease.
    struct admitted {
        std::uint64_t generation;
        state_type state;
        std::uint64_t probe;
    };
    std::map<int, admitted> calls;

private:
    struct record {
        bool failed, slow;
    };

    [[nodiscard]] std::int64_t length() const { return static_cast<std::int64_t>(history.size()); }
    [[nodiscard]] std::int64_t lease() const {
        return options.lease != 0 ? options.lease : options.open_for;
    }
    [[nodiscard]] std::int64_t forget() const {
        return options.forget_after != 0 ? options.forget_after : options.open_for_max;
    }
    [[nodiscard]] bool full() const {
        auto const at_once = options.at_once == 0 ? options.probes : options.at_once;
        auto const wanted = std::max<std::int64_t>(1, options.probes - passed - failed_probes);
        return static_cast<std::int64_t>(out.size()) >= std::min(at_once, wanted);
    }
    [[nodiscard]] std::vector<std::pair<std::uint64_t, std::int64_t>>::iterator oldest() {
        return std::min_element(out.begin(), out.end(),
                                [](auto const& l, auto const& r) { return l.second < r.second; });
    }
    static bool trips(counts const& seen, std::int64_t rate, std::int64_t minimum) {
        return seen.calls >= minimum && seen.hits * 1000 >= rate * seen.calls;
    }

    void vote_of_probe(bool bad, hawser::vote const& vote) {
        ++(bad ? failed_probes : passed);
        // Settled when even the best, or the worst, of the votes to come changes nothing.
        auto const best = options.probes - failed_probes;
        if (passed * 1000 >= options.success_rate * options.probes) {
            enter(state_type::closed);
        } else if (best * 1000 < options.success_rate * options.probes) {
            open(vote.open_for.count());
        }
    }

    void trip(std::int64_t hint) {
        if (state == state_type::closed) {
            auto const forgiven = (now - closed_at) / forget();
            std::int64_t to_cap = 1;
            for (auto wait = options.open_for; wait < options.open_for_max && options.factor > 1;
                 wait *= options.factor)
                ++to_cap;
            if (forgiven > 0) row = std::max<std::int64_t>(0, std::min(row, to_cap) - forgiven);
            return open(hint);
        }
        if (now < shadow_until) return;
        shadow_until = now + options.open_for;
        ++would_have_tripped;
        enter(state_type::metrics_only);
    }

    void open(std::int64_t hint) {
        auto wait = options.open_for;
        ++row;
        for (std::int64_t i = 1; i < row && wait < options.open_for_max; ++i)
            wait *= options.factor;
        enter(state_type::open);
        open_until = now + std::min(std::max(wait, hint), options.open_for_max);
    }

    void enter(state_type next) {
        state = next;
        ++generation;
        history.clear();
        failures_from = slow_from = 0;
        out.clear();
        passed = failed_probes = 0;
        if (next == state_type::closed) closed_at = now;
    }

    std::vector<record> history;  // Of this generation.
    std::int64_t failures_from = 0, slow_from = 0;
    std::int64_t passed = 0, failed_probes = 0;
    std::int64_t closed_at = 0, shadow_until = INT64_MIN;
    std::uint64_t last_probe = 0;
};

}  // namespace hawser_tests
#endif  // HAWSER_TESTS_BREAKER_BREAKER_MODEL_HPP
