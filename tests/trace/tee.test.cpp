// SPDX-License-Identifier: BSL-1.0
#include <hawser/trace/counter.hpp>
#include <hawser/trace/event.hpp>
#include <hawser/trace/recorder.hpp>
#include <hawser/trace/tee.hpp>

#include "support/catch.hpp"

#include <vector>

using namespace hawser;

namespace {

struct notes {
    std::vector<int>& order;
    int number;
    void on(attempt_started const&) { order.push_back(number); }
};

struct throws_always {
    void on(attempt_started const&) { throw 1; }
};

struct wants_gave_up {
    int heard = 0;
    void on(retry_gave_up const&) noexcept { ++heard; }
};

}  // namespace

TEST_CASE("tee: wants an event if and only if one of its sinks does") {
    using both = tee<throws_always, wants_gave_up>;

    STATIC_REQUIRE(listens_to<both, attempt_started>);
    STATIC_REQUIRE(listens_to<both, retry_gave_up>);
    STATIC_REQUIRE_FALSE(listens_to<both, attempt_ended>);
    STATIC_REQUIRE_FALSE(listens_to<tee<>, attempt_started>);
    STATIC_REQUIRE_FALSE(listens_to<tee<null_sink, null_sink>, attempt_started>);
}

TEST_CASE("tee: gives an event to all who want it, in their order, and to nobody else") {
    std::vector<int> order;
    notes first{order, 1}, second{order, 2};
    wants_gave_up other;
    tee const all{first, other, second};

    all.on(attempt_started{});
    CHECK(order == std::vector<int>{1, 2});
    CHECK(other.heard == 0);

    all.on(retry_gave_up{});
    CHECK(order.size() == 2);
    CHECK(other.heard == 1);
}

TEST_CASE("tee: a sink that throws is counted and keeps the event from nobody") {
    std::vector<int> order;
    throws_always bad;
    notes good{order, 1};
    tee const both{bad, good};
    auto const before = sink_failures();

    CHECK_NOTHROW(both.on(attempt_started{}));

    CHECK(order == std::vector<int>{1});
    CHECK(sink_failures() == before + 1);
}

TEST_CASE("tee: hands the same event to all, without a copy") {
    struct sees_address {
        void const* seen = nullptr;
        void on(call_ended const& event) noexcept { seen = &event; }
    } left, right;
    tee const inner{right};
    tee const outer{left, inner};

    call_ended const event{};
    outer.on(event);

    CHECK(left.seen == &event);
    CHECK(right.seen == &event);
}

TEST_CASE("tee: counting and recording go together") {
    event_counter counts;
    recorder recent{1};
    tee const both{counts, recent};

    for (int i = 0; i < 3; ++i) both.on(retry_scheduled{});

    CHECK(counts.snapshot().retries_scheduled.total() == 3);
    CHECK(recent.snapshot().size() == 1);
}
