// SPDX-License-Identifier: BSL-1.0
#include <hawser/hawser.hpp>
#include <hawser/policy/rate_limit.hpp>
#include <hawser/rate/fixed_window.hpp>
#include <hawser/rate/joint_limit.hpp>
#include <hawser/rate/keyed.hpp>
#include <hawser/rate/sliding_window_counter.hpp>
#include <hawser/rate/sliding_window_log.hpp>
#include <hawser/testing/manual_environment.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using hawser::errc;
using hawser::full_table;
using hawser::keyed;
using hawser::token_bucket;

namespace {

struct caller {
    std::string_view address, user;
};

/// A hash that throws when it is told to.
struct moody_hash {
    static inline bool throws = false;
    std::size_t operator()(int key) const {
        if (throws) throw std::runtime_error{"moody"};
        return static_cast<std::size_t>(key);
    }
};

/// Stops the call that it hears of.
struct impatient {
    std::stop_source caller{};
    void on(hawser::call_waiting const&) { caller.request_stop(); }
};

struct stand {
    hawser::manual_time time;

    template <class Policy>
    auto line(Policy& policy) {
        return hawser::compose_in(hawser::testing::manual_environment{time},
                                  hawser::borrow(policy));
    }
    /// What a call of `key` was refused with; nothing if it was let in.
    template <class Line, class Key>
    hawser::refusal ask(Line const& line, Key key) {
        hawser::call_facts<Key> const facts{.key = key};
        auto const out = hawser::try_execute(line, facts, [] { return 1; });
        return out.why() != nullptr ? *out.why() : hawser::refusal{};
    }
    /// What became of a call whose caller stops it as soon as it waits.
    template <class Policy, class Key>
    errc stopped_while_it_waits(Policy& policy, Key key) {
        impatient sink;
        auto const line = hawser::compose_in(hawser::testing::manual_and_observed(time, sink),
                                             hawser::borrow(policy));
        hawser::call_facts<Key> const facts{.stop = sink.caller.get_token(), .key = key};
        return hawser::try_execute(line, facts, [] {}).code();
    }
    template <class Line, class Key>
    hawser::duration time_of(Line const& line, Key key) {
        auto const began = time.now();
        (void)ask(line, key);
        return time.now() - began;
    }
};

constexpr hawser::refusal let_in{};

}  // namespace

TEST_CASE("rate_limit: of a keyed limiter, each key has its own tokens") {
    stand on;
    keyed<token_bucket> per_user{{.rate = 1, .burst = 2}};
    hawser::rate_limit limit{hawser::borrow(per_user)};
    auto const line = on.line(limit);

    CHECK(on.ask(line, std::string{"ann"}) == let_in);
    CHECK(on.ask(line, std::string_view{"ann"}) == let_in);  // The same key, and no string made.
    CHECK(on.ask(line, "ann") == hawser::refusal{errc::rate_limited, 1s, "rate_limit"});
    CHECK(on.ask(line, "bob") == let_in);
    CHECK(per_user.size() == 2);
    on.time.advance(1s);
    CHECK(on.ask(line, "ann") == let_in);
}

TEST_CASE("rate_limit: a key that finds no room is refused as overload, and says until when") {
    stand on;
    keyed<token_bucket> per_user{{.rate = 1, .burst = 2}, {.keys = 1}};
    hawser::rate_limit limit{hawser::borrow(per_user)};
    auto const line = on.line(limit);
    REQUIRE(on.ask(line, "ann") == let_in);
    CHECK(on.ask(line, "bob") == hawser::refusal{errc::overloaded, 1s, "rate_limit"});
    on.time.advance(1s);
    CHECK(on.ask(line, "bob") == let_in);

    keyed<token_bucket> shared{{.rate = 1, .burst = 1},
                               {.keys = 1, .when_full = full_table::shares}};
    hawser::rate_limit sharing{hawser::borrow(shared)};
    auto const other = on.line(sharing);
    REQUIRE(on.ask(other, "ann") == let_in);
    CHECK(on.ask(other, "bob") == let_in);
    CHECK(on.ask(other, "eve").code == errc::rate_limited);
}

TEST_CASE("rate_limit: a key whose hash throws is refused as overload, and charges nobody") {
    stand on;
    keyed<token_bucket, int, moody_hash> per_user{{.rate = 1, .burst = 2}};
    hawser::rate_limit limit{hawser::borrow(per_user)};
    hawser::rate_limit waiting{hawser::borrow(per_user), hawser::wait_up_to{1s}};
    token_bucket service{{.rate = 1, .burst = 2}};
    hawser::joint_limit both{service, hawser::keyed_by{per_user, [](int key) { return key; }}};
    hawser::rate_limit joint{hawser::borrow(both)};
    auto const line = on.line(limit);
    auto const waits = on.line(waiting);
    auto const together = on.line(joint);
    moody_hash::throws = true;
    CHECK(on.ask(line, 1) == hawser::refusal{errc::overloaded, 0s, "rate_limit"});
    CHECK(on.ask(waits, 1) == hawser::refusal{errc::overloaded, 0s, "rate_limit"});
    CHECK(on.ask(together, 1) == hawser::refusal{errc::overloaded, 0s, "rate_limit"});
    moody_hash::throws = false;
    CHECK(service.available(on.time.now()) == 2);
    CHECK(on.ask(line, 1) == let_in);
    CHECK(on.ask(waits, 1) == let_in);
}

TEST_CASE("rate_limit: calls of one key wait for each other, and for no other key") {
    stand on;
    keyed<token_bucket> per_user{{.rate = 10, .burst = 1}};
    hawser::rate_limit limit{hawser::borrow(per_user), hawser::wait_up_to{150ms}};
    auto const line = on.line(limit);

    CHECK(on.time_of(line, "ann") == 0ms);
    CHECK(on.time_of(line, "ann") == 100ms);
    CHECK(on.time_of(line, "bob") == 0ms);
    REQUIRE(per_user.reserve("ann", on.time.now(), 1, 1s));
    auto const refused = on.ask(line, "ann");
    CHECK(refused == hawser::refusal{errc::rate_limited, 200ms, "rate_limit"});
}

TEST_CASE("rate_limit: a call that stops waiting gives its key's turn back") {
    stand on;
    keyed<token_bucket> per_user{{.rate = 10, .burst = 1}};
    hawser::rate_limit limit{hawser::borrow(per_user), hawser::wait_up_to{1s}};
    auto const line = on.line(limit);
    REQUIRE(on.ask(line, "ann") == let_in);

    CHECK(on.stopped_while_it_waits(limit, "ann") == errc::cancelled);

    on.time.advance(100ms);
    CHECK(per_user.available("ann", on.time.now()) == 1);
}

TEST_CASE("rate_limit: several limits of several keys are one, and refuse without charging") {
    stand on;
    keyed<token_bucket> per_address{{.rate = 1, .burst = 3}};
    keyed<hawser::fixed_window> per_user{{.limit = 2, .window = 1min}};
    token_bucket service{{.rate = 1, .burst = 10}};
    hawser::joint_limit all{hawser::keyed_by{per_address, &caller::address},
                            hawser::keyed_by{per_user, &caller::user}, service};
    hawser::rate_limit limit{hawser::borrow(all), hawser::named{"callers"}};
    auto const line = on.line(limit);

    CHECK(on.ask(line, caller{"192.0.2.1", "ann"}) == let_in);
    CHECK(on.ask(line, caller{"192.0.2.1", "ann"}) == let_in);
    auto const by_user = on.ask(line, caller{"192.0.2.1", "ann"});
    CHECK(by_user.code == errc::rate_limited);
    CHECK(by_user.retry_after > 1s);
    CHECK(by_user.policy == std::string{"callers"});
    CHECK(on.ask(line, caller{"192.0.2.1", "bob"}) == let_in);
    CHECK(on.ask(line, caller{"192.0.2.1", "eve"}).retry_after == 1s);
    CHECK(service.available(on.time.now()) == 7);
    CHECK(per_user.available("eve", on.time.now()) == 2);
}

TEMPLATE_TEST_CASE(
    "rate_limit: calls wait for a window, each once, and give back what they do not use", "",
    hawser::fixed_window, hawser::sliding_window_log, hawser::sliding_window_counter) {
    stand on;
    on.time.advance(1h - on.time.now().time_since_epoch() % 1h);  // A window begins here.
    TestType window{{.limit = 2, .window = 1s}};
    hawser::rate_limit limit{hawser::borrow(window), hawser::wait_up_to{1500ms}};
    auto const line = on.line(limit);
    auto const began = on.time.now();

    CHECK(on.time_of(line, 0) == 0ms);
    CHECK(on.time_of(line, 0) == 0ms);
    CHECK(on.stopped_while_it_waits(limit, 0) == errc::cancelled);
    (void)on.ask(line, 0);
    CHECK(on.time.now() - began >= 1s);  // It waited until one was there, and no longer:
    CHECK(on.time.now() - began <= 1500ms);

    auto const full = on.time.now();
    REQUIRE(window.reserve(full, 2, 10s));
    CHECK(on.ask(line, 0).code == errc::rate_limited);
    CHECK(on.time.now() == full);  // A wait that is too long is not begun.
}
