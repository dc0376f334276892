// SPDX-License-Identifier: BSL-1.0
//
// Every ordered pair of the policies, each of which can say whether it has everything back.
//
// A policy comes as a kind, on the stand that it plays on: its `layer()` goes into a pipeline, and
// `is_whole(stand, now)` answers when the call is over. Of a call that ended in a refusal further
// in or in a cancel, one that judges calls says whether it `heard_nothing(now)`.
#ifndef HAWSER_TESTS_SUPPORT_MATRIX_PAIRS_HPP
#define HAWSER_TESTS_SUPPORT_MATRIX_PAIRS_HPP

#include <hawser/hawser.hpp>
#include <hawser/policy/admission_control.hpp>
#include <hawser/policy/bulkhead.hpp>
#include <hawser/policy/concurrency_limit.hpp>
#include <hawser/policy/rate_limit.hpp>
#include <hawser/policy/throttle.hpp>

#include "support/matrix.hpp"
#include "support/told_limit.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

namespace support {

/// The trace of either stand.
template <class Stand>
auto lines_of(Stand const& on) {
    if constexpr (requires { on.trace; })
        return on.trace.seen();
    else
        return on.scene.trace.seen();
}

/// Two attempts, and three tokens. Its wait is 10 ms, and written in the trace.
template <class Stand>
struct retry_kind {
    static constexpr bool stands_in = false;
    char const* name;
    hawser::retry_budget budget{{.ratio = 0, .floor = 3, .per = std::chrono::hours{1}}};

    retry_kind(char const* called, hawser::time_point) : name{called} {}
    auto layer() {
        return hawser::retry{{.max_attempts = 2, .name = name},
                             hawser::backoff::constant{std::chrono::milliseconds{10}},
                             hawser::jitter::none{},
                             hawser::borrow(budget)};
    }
    /// Each backoff has cost a token if an attempt came of it: the wait may have been withdrawn, or
    /// the layer inside have refused the attempt.
    bool is_whole(Stand const& on, hawser::time_point now) const {
        auto const all = lines_of(on);
        auto const wait = std::string{name} + " again in 10ms by backoff";
        std::uint32_t spent = 0;
        for (auto at = all.begin(); at != all.end(); ++at) {
            if (*at != wait) continue;
            // What a limit inside makes it wait belongs to the attempt.
            auto const next = std::find_if(at + 1, all.end(), [](std::string const& line) {
                return line.find(" waits for ") == std::string::npos;
            });
            spent += next != all.end() && next->starts_with("attempt ");
        }
        return budget.available(now) + spent == 3;
    }
};

/// Was opened so long ago that the next call is its one probe.
template <class Stand>
struct breaker_kind {
    static constexpr bool stands_in = false;
    hawser::circuit_breaker breaker;

    breaker_kind(char const* name, hawser::time_point now)
        : breaker{{.window = 1,
                   .minimum_calls = 1,
                   .open_for = std::chrono::seconds{1},
                   .jitter = 0,
                   .probes = 1,
                   .name = name}} {
        auto const then = now - std::chrono::seconds{1};
        auto permit = breaker.try_acquire(then);
        permit.report({.health = hawser::verdict::failure}, [then]() noexcept { return then; });
    }
    auto layer() { return hawser::borrow(breaker); }
    bool is_whole(Stand const&, hawser::time_point now) const {
        return breaker.snapshot(now).probes_out == 0;
    }
    /// A vote of its one probe would have closed it, or opened it a second time.
    bool heard_nothing(hawser::time_point now) const {
        auto const seen = breaker.snapshot(now);
        return seen.state != hawser::breaker_state::closed && seen.consecutive_opens == 1;
    }
};

/// Has nothing to give back.
template <class Policy, class Stand>
struct timeout_kind {
    static constexpr bool stands_in = false;
    static constexpr std::chrono::milliseconds limit{
        Policy::role == hawser::layer_role::total_timeout ? 200 : 100};
    char const* name;

    timeout_kind(char const* called, hawser::time_point) : name{called} {}
    auto layer() { return Policy{limit, hawser::late_result::keep, name}; }
    bool is_whole(Stand const& on, hawser::time_point) const {
        return on.told(std::string{name} + " fired") == 0;
    }
};

template <class Stand>
struct fallback_kind {
    static constexpr bool stands_in = true;
    char const* name;

    fallback_kind(char const* called, hawser::time_point) : name{called} {}
    auto layer() {
        return hawser::fallback{Stand::answer(42), hawser::fallback_options{.name = name}};
    }
    /// What was invoked has ended.
    bool is_whole(Stand const& on, hawser::time_point) const {
        return on.told(std::string{name} + " invoked") == on.told(std::string{name} + " ended");
    }
};

template <class Stand>
struct parking_kind {
    static constexpr bool stands_in = false;
    test_bulkhead bulkhead{1};

    parking_kind(char const*, hawser::time_point) {}
    auto layer() { return hawser::borrow(bulkhead); }
    bool is_whole(Stand const&, hawser::time_point) const { return bulkhead.is_whole(); }
};

/// Other calls, which have taken the one permit there is, and the one place to wait for it.
struct crowd final : hawser::waiter {
    crowd() noexcept : waiter{[](waiter&) noexcept {}} {
        priority = 7;  // Nobody is worth more, and pushes it out.
    }

    void fill(auto& limited, hawser::time_point now) {
        (void)limited.try_acquire();
        (void)limited.acquire(*this, 1, now);
    }
    void leave(auto& limited, hawser::time_point now) {
        if (queued) (void)limited.withdraw(*this, now);
        limited.release(1, now).ring_all();
    }
};

inline bool is_free(hawser::semaphore_snapshot const& seen) {
    return seen.free == 1 && seen.held == 0 && seen.on_the_way == 0 && seen.waiting == 0;
}

/// One token, and a turn every 20 ms: the first attempt goes in at once, another one waits.
template <class Stand>
struct rate_kind {
    static constexpr bool stands_in = false;
    static constexpr std::chrono::milliseconds turn{20};
    hawser::rate_limit<hawser::token_bucket, hawser::wait_up_to, hawser::named> limit;

    rate_kind(char const* name, hawser::time_point)
        : limit{{.rate = 1, .period = turn, .burst = 1},
                hawser::wait_up_to{std::chrono::seconds{1}},
                hawser::named{name}} {}
    auto layer() { return hawser::borrow(limit); }
    void exhaust(hawser::time_point now) { (void)limit.limiter().try_acquire(now); }
    void restore(hawser::time_point) {}
    /// A turn that was taken has come.
    bool is_whole(Stand const&, hawser::time_point now) {
        return limit.limiter().available(now + turn) == 1;
    }
};

template <class Stand>
struct bulkhead_kind {
    static constexpr bool stands_in = false;
    hawser::bulkhead<hawser::semaphore, hawser::wait_up_to, hawser::named> limit;
    crowd others;

    bulkhead_kind(char const* name, hawser::time_point)
        : limit{{.permits = 1, .places = 1},
                hawser::wait_up_to{std::chrono::seconds{1}},
                hawser::named{name}} {}
    auto layer() { return hawser::borrow(limit); }
    void exhaust(hawser::time_point) { (void)limit.permits().try_acquire(); }
    void fill(hawser::time_point now) { others.fill(limit.permits(), now); }
    void restore(hawser::time_point now) { others.leave(limit.permits(), now); }
    bool is_whole(Stand const&, hawser::time_point) { return is_free(limit.permits().snapshot()); }
};

/// Nobody has had a turn yet: no wait is known to be too long.
template <class Stand>
struct admission_kind {
    static constexpr bool stands_in = false;
    hawser::admission_control<hawser::admission_queue, hawser::wait_up_to, hawser::named> limit;
    crowd others;

    admission_kind(char const* name, hawser::time_point)
        : limit{{.permits = 1, .places = 1},
                hawser::wait_up_to{std::chrono::seconds{1}},
                hawser::named{name}} {}
    auto layer() { return hawser::borrow(limit); }
    void exhaust(hawser::time_point) { (void)limit.permits().try_acquire(); }
    void fill(hawser::time_point now) { others.fill(limit.permits(), now); }
    void restore(hawser::time_point now) { others.leave(limit.permits(), now); }
    bool is_whole(Stand const&, hawser::time_point now) {
        return is_free(limit.permits().snapshot(now).permits);
    }
};

/// One permit, and none has been in beside another; nothing here is overload.
template <class Stand>
struct concurrency_kind {
    static constexpr bool stands_in = false;
    std::vector<hawser::limit_sample> heard;
    std::uint32_t number = 1;
    hawser::concurrency_limit<told_limit, hawser::wait_up_to, hawser::places, hawser::named> limit;
    crowd others;

    concurrency_kind(char const* name, hawser::time_point)
        : limit{told_options{&heard, &number}, hawser::wait_up_to{std::chrono::seconds{1}},
                hawser::places{1}, hawser::named{name}} {}
    auto layer() { return hawser::borrow(limit); }
    void exhaust(hawser::time_point) { (void)limit.permits().try_acquire(); }
    void fill(hawser::time_point now) { others.fill(limit.permits(), now); }
    void restore(hawser::time_point now) { others.leave(limit.permits(), now); }
    bool is_whole(Stand const&, hawser::time_point) {
        return is_free(limit.permits().snapshot()) &&
               std::all_of(heard.begin(), heard.end(), [](auto const& sample) {
                   return sample.inflight_at_start == 1 &&
                          sample.outcome != hawser::sample_outcome::dropped;
               });
    }
    bool heard_nothing(hawser::time_point) const {
        return std::all_of(heard.begin(), heard.end(), [](auto const& sample) {
            return sample.outcome == hawser::sample_outcome::ignored;
        });
    }
};

/// Refuses from the first call on that was too much; and none here is.
template <class Stand>
struct throttle_kind {
    static constexpr bool stands_in = false;
    hawser::throttle<hawser::adaptive_throttle, hawser::named> shed;

    throttle_kind(char const* name, hawser::time_point)
        : shed{{.multiplier = 1, .requests_min = 1}, hawser::named{name}} {}
    auto layer() { return hawser::borrow(shed); }
    bool is_whole(Stand const&, hawser::time_point now) {
        return shed.chances().rejection_probability(now) == 0;
    }
};

template <class...>
struct kind_list {};
template <class Stand>
using plain_kinds =
    kind_list<retry_kind<Stand>, breaker_kind<Stand>, timeout_kind<hawser::attempt_timeout, Stand>,
              timeout_kind<hawser::total_timeout, Stand>, fallback_kind<Stand>,
              parking_kind<Stand>>;
template <class Stand>
using limit_kinds = kind_list<rate_kind<Stand>, bulkhead_kind<Stand>>;
/// A bulkhead that has classes and measures its queue; apart, so that no file has too many pairs.
template <class Stand>
using door_kinds = kind_list<admission_kind<Stand>>;
/// The limits that learn from how calls end.
template <class Stand>
using learning_kinds = kind_list<concurrency_kind<Stand>, throttle_kind<Stand>>;

/// A policy in which a call waits for what others have taken.
template <class Kind>
inline constexpr bool makes_wait = requires(Kind& kind, hawser::time_point now) {
    kind.exhaust(now);
};
/// One that refuses at once where others have taken the places to wait as well.
template <class Kind>
inline constexpr bool can_be_full = requires(Kind& kind, hawser::time_point now) {
    kind.fill(now);
};

/// Two policies in a pipeline; `Stand` plus `environment()` and `now()`.
template <class Stand, class Outer, class Inner>
struct pair_stand : Stand {
    static constexpr bool stands_in = Outer::stands_in || Inner::stands_in;
    static constexpr bool has_queue = makes_wait<Outer> || makes_wait<Inner>;
    static constexpr bool has_places = can_be_full<Outer> || can_be_full<Inner>;
    static constexpr bool refusal_is_stood_in_for = Outer::stands_in;
    Outer first{"outer", this->now()};
    Inner second{"inner", this->now()};

    auto line() {
        return hawser::compose_in(this->environment(),
                                  hawser::allow<hawser::order::fallback_inside_retry,
                                                hawser::order::total_timeout_inside_retry,
                                                hawser::order::attempt_timeout_outside_retry>{},
                                  first.layer(), second.layer());
    }
    bool has_all_back() {
        return first.is_whole(*this, this->now()) && second.is_whole(*this, this->now());
    }

    /// Others take what the limits have, and give it back.
    void exhaust() {
        with_limits([this](auto& limit) { limit.exhaust(this->now()); });
    }
    void restore() {
        with_limits([this](auto& limit) { limit.restore(this->now()); });
    }
    /// Others take all that one limit has, the inner one if both could be full: the outer one lets
    /// the call in then, and has to take back what it lent.
    void fill() {
        if constexpr (can_be_full<Inner>)
            second.fill(this->now());
        else if constexpr (can_be_full<Outer>)
            first.fill(this->now());
    }
    void make_room() {
        if constexpr (can_be_full<Inner>)
            second.restore(this->now());
        else if constexpr (can_be_full<Outer>)
            first.restore(this->now());
    }
    /// Whether neither has taken the end of the call for the health of what it calls.
    bool has_heard_nothing() const { return heard_nothing(first) && heard_nothing(second); }

private:
    template <class Kind>
    bool heard_nothing([[maybe_unused]] Kind const& kind) const {
        if constexpr (requires { kind.heard_nothing(this->now()); })
            return kind.heard_nothing(this->now());
        else
            return true;
    }
    template <class Do>
    void with_limits(Do const& act) {
        if constexpr (makes_wait<Outer>) act(first);
        if constexpr (makes_wait<Inner>) act(second);
    }
};

/// Calls `play(on, line)` on a fresh stand for `Outer` with each policy inside.
template <class Stand, class Outer, class Play, class... Inner>
void with_each_inside(kind_list<Inner...>, Play const& play) {
    auto const with = [&]<class Kind>(std::type_identity<Kind>) {
        pair_stand<Stand, Outer, Kind> on;
        auto const line = on.line();
        play(on, line);
    };
    (with(std::type_identity<Inner>{}), ...);
}

/// The same for each of several outside.
template <class Stand, class Play, class... Outer, class Inner>
void with_each_pair(kind_list<Outer...>, Inner inner, Play const& play) {
    (with_each_inside<Stand, Outer>(inner, play), ...);
}

}  // namespace support

#endif  // HAWSER_TESTS_SUPPORT_MATRIX_PAIRS_HPP
