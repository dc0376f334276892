// SPDX-License-Identifier: BSL-1.0
#include <hawser/trace/event.hpp>
#include <hawser/trace/sink.hpp>

#include "support/catch.hpp"

#include <stdexcept>
#include <utility>

using hawser::attempt_ended;
using hawser::attempt_started;
using hawser::emit;

namespace {

struct starts_only {
    int starts = 0;
    void on(attempt_started const&) noexcept { ++starts; }
};
struct thrower {
    static void on(attempt_started const&) { throw std::runtime_error{"full"}; }
};

}  // namespace

TEST_CASE("sink: is given the events that it wants") {
    starts_only sink;
    emit<attempt_started>(sink, [] { return attempt_started{}; });
    CHECK(sink.starts == 1);
}

TEST_CASE("sink: an event that it does not want is not even made") {
    starts_only sink;
    bool made = false;
    emit<attempt_ended>(sink, [&] {
        made = true;
        return attempt_ended{};
    });
    hawser::null_sink nobody;
    emit<attempt_started>(nobody, [&] {
        made = true;
        return attempt_started{};
    });
    CHECK_FALSE(made);
    STATIC_REQUIRE_FALSE(hawser::listens_to<hawser::null_sink, attempt_started>);
    STATIC_REQUIRE(hawser::listens_to<starts_only, attempt_started>);
    STATIC_REQUIRE_FALSE(hawser::listens_to<starts_only, attempt_ended>);
}

TEST_CASE("sink: what it throws is counted and goes no further") {
    thrower sink;
    auto const before = hawser::sink_failures();
    emit<attempt_started>(sink, [] { return attempt_started{}; });
    CHECK(hawser::sink_failures() == before + 1);
}

TEST_CASE("sink: a reference passes on what its sink wants, and owns nothing") {
    starts_only sink;
    hawser::sink_reference to{sink};
    STATIC_REQUIRE(hawser::listens_to<decltype(to), attempt_started>);
    STATIC_REQUIRE_FALSE(hawser::listens_to<decltype(to), attempt_ended>);
    STATIC_REQUIRE(noexcept(to.on(std::declval<attempt_started const&>())));
    auto copy = to;
    emit<attempt_started>(copy, [] { return attempt_started{}; });
    CHECK(sink.starts == 1);
}

TEST_CASE("sink: a reference to a sink that throws is one that throws") {
    thrower sink;
    hawser::sink_reference to{sink};
    STATIC_REQUIRE_FALSE(noexcept(to.on(std::declval<attempt_started const&>())));
    auto const before = hawser::sink_failures();
    emit<attempt_started>(to, [] { return attempt_started{}; });
    CHECK(hawser::sink_failures() == before + 1);
}
