// SPDX-License-Identifier: BSL-1.0
#include <hawser/base/outcome.hpp>

#include "support/catch.hpp"

#include <memory>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;
using hawser::errc;
using hawser::outcome;
using hawser::refusal;
using hawser::verdict;

namespace {

constexpr refusal full{.code = errc::bulkhead_full, .retry_after = 5ms, .policy = "pool"};

std::exception_ptr error(char const* what) {
    return std::make_exception_ptr(std::runtime_error{what});
}

/// Counts how many of it live.
struct counted {
    static inline int alive = 0;
    counted() { ++alive; }
    counted(counted const&) { ++alive; }
    counted& operator=(counted const&) = default;
    ~counted() { --alive; }
};

struct reply {
    int status;
};
struct coded {
    int code;
};

}  // namespace

template <>
struct hawser::outcome_traits<reply> {
    static verdict classify(reply const& r) noexcept {
        return r.status == 0 ? verdict::neutral
                             : (r.status < 500 ? verdict::success : verdict::failure);
    }
};
template <>
struct hawser::outcome_traits<coded> {
    static verdict classify(coded const& c) noexcept {
        return c.code == 0 ? verdict::success : verdict::failure;
    }
    static std::exception_ptr to_exception(coded const& c) {
        return std::make_exception_ptr(c.code);
    }
};
template <>
struct hawser::outcome_traits<std::unique_ptr<int>> {
    static verdict classify(std::unique_ptr<int> const& p) noexcept {
        return p ? verdict::success : verdict::failure;
    }
};

TEST_CASE("outcome: starts empty, which is a neutral nothing") {
    outcome<int> const out;
    CHECK(out.empty());
    CHECK_FALSE(out.has_value());
    CHECK(out.why() == nullptr);
    CHECK(out.exception() == nullptr);
    CHECK(out.code() == errc{});
    CHECK(out.classify() == verdict::neutral);
    CHECK(out.earlier().empty());
}

TEST_CASE("outcome: holds a value, a refusal or an exception, one at a time") {
    outcome<std::string> out;
    out.emplace(3U, 'x');
    CHECK(out);
    CHECK(out.value() == "xxx");
    CHECK(out.classify() == verdict::success);

    out.refuse(full);
    CHECK_FALSE(out);
    REQUIRE(out.why() != nullptr);
    CHECK(*out.why() == full);
    CHECK(out.code() == errc::bulkhead_full);
    CHECK(out.classify() == verdict::neutral);

    auto const thrown = error("down");
    out.fail(thrown);
    CHECK(out.why() == nullptr);
    CHECK(out.code() == errc{});
    CHECK(out.exception() == thrown);
    CHECK(out.classify() == verdict::failure);

    out.reset();
    CHECK(out.empty());
    CHECK(out.exception() == nullptr);
}

TEST_CASE("outcome: asked for a value it has not, throws why") {
    outcome<int> out;
    out.refuse(full);
    try {
        (void)out.value();
        FAIL("does not throw");
    } catch (hawser::refused const& refused) {
        CHECK(refused.why() == full);
    }
    out.fail(error("down"));
    CHECK_THROWS_AS(std::as_const(out).value(), std::runtime_error);
    CHECK_THROWS_AS(std::move(out).value(), std::runtime_error);
}

TEST_CASE("outcome: destroys what it held, once, whatever comes next") {
    {
        outcome<counted> out;
        out.emplace();
        CHECK(counted::alive == 1);
        SECTION("a refusal") { out.refuse(full); }
        SECTION("an exception") { out.fail(error("down")); }
        SECTION("nothing") { out.reset(); }
        SECTION("a fallback") { (void)out.set_aside(); }
        SECTION("another outcome") { out = outcome<counted>{}; }
        SECTION("its end") {}
    }
    CHECK(counted::alive == 0);
}

TEST_CASE("outcome: made in place, a value is neither copied nor moved") {
    struct fixed {
        explicit fixed(int n) : value{n} {}
        fixed(fixed const&) = delete;
        int value;
    };
    outcome<fixed> out;
    out.emplace_from([] { return fixed{5}; });
    CHECK(out.value().value == 5);

    outcome<fixed> const filled{std::in_place, [](outcome<fixed>& to) { to.emplace(6); }};
    CHECK(filled.value().value == 6);
}

TEST_CASE("outcome: stays empty if making the value throws") {
    outcome<std::string> out;
    CHECK_THROWS(out.emplace_from([]() -> std::string { throw 1; }));
    CHECK(out.empty());
}

TEST_CASE("outcome: of nothing has a value when it has been made") {
    outcome<void> out;
    CHECK_FALSE(out.has_value());
    bool ran = false;
    out.emplace_from([&] { ran = true; });
    CHECK(ran);
    CHECK(out.has_value());
    CHECK(out.classify() == verdict::success);
    out.value();
    std::move(out).value();
}

TEST_CASE("outcome: of a reference refers to the same object") {
    int target = 3;
    outcome<int&> out;
    out.emplace_from([&]() -> int& { return target; });
    CHECK(&out.value() == &target);
    CHECK(&std::as_const(out).value() == &target);
    STATIC_REQUIRE(std::is_same_v<decltype(std::move(out).value()), int&>);

    outcome<std::string const&> text;
    std::string const here = "here";
    text.emplace_from([&]() -> std::string const& { return here; });
    CHECK(&text.value() == &here);
}

TEST_CASE("outcome: moves with all that belongs to it") {
    outcome<std::unique_ptr<int>> from;
    from.fail(error("first"));
    (void)from.set_aside();
    from.emplace(std::make_unique<int>(5));
    from.origin().attempts = 3;
    from.origin().degraded = true;

    auto to = std::move(from);

    CHECK(*to.value() == 5);
    CHECK(to.origin().attempts == 3);
    CHECK(to.origin().degraded);
    CHECK(to.earlier().size() == 1);

    outcome<std::unique_ptr<int>> other;
    other.refuse(full);
    to = std::move(other);
    CHECK(to.code() == errc::bulkhead_full);
    CHECK(to.earlier().empty());
}

TEST_CASE("outcome: moves an exception and keeps its identity") {
    auto const thrown = error("down");
    outcome<int> from;
    from.fail(thrown);
    outcome<int> const to{std::move(from)};
    CHECK(to.exception() == thrown);
}

TEST_CASE("outcome: assigned to itself stays what it is") {
    outcome<std::string> out;
    out.emplace("kept");
    auto& same = out;
    out = std::move(same);
    CHECK(out.value() == "kept");
}

TEST_CASE("outcome: a value counts as its traits say") {
    outcome<reply> out;
    out.emplace(reply{200});
    CHECK(out.classify() == verdict::success);
    out.reset();
    out.emplace(reply{503});
    CHECK(out.classify() == verdict::failure);
    out.reset();
    out.emplace(reply{0});
    CHECK(out.classify() == verdict::neutral);
}

TEST_CASE("outcome: a refusal counts against the dependency if it did not answer in time") {
    outcome<int> out;
    out.refuse({.code = errc::timed_out});
    CHECK(out.classify() == verdict::failure);
    // A wait that was not begun: it says how long it would have been. Nobody was asked.
    out.refuse({.code = errc::timed_out, .retry_after = 1s});
    CHECK(out.classify() == verdict::neutral);
    out.refuse({.code = errc::cancelled});
    CHECK(out.classify() == verdict::neutral);
}

TEST_CASE("outcome: sets an error aside for the fallback, which is told of it") {
    outcome<int> out;
    SECTION("a refusal") {
        out.refuse(full);
        CHECK(out.set_aside().why == full);
    }
    SECTION("an exception") {
        auto const thrown = error("down");
        out.fail(thrown);
        CHECK(out.set_aside().thrown == thrown);
        CHECK(out.earlier().front().thrown == thrown);
    }
    CHECK(out.empty());
    CHECK(out.earlier().size() == 1);
}

TEST_CASE("outcome: sets a failed value aside as an exception") {
    outcome<reply> copied;
    copied.emplace(reply{503});
    auto const error = copied.set_aside();
    try {
        std::rethrow_exception(error.thrown);
    } catch (hawser::returned_error<reply> const& failed) {
        CHECK(failed.value.status == 503);
        CHECK(failed.what() == std::string{"the operation returned a failure"});
    }

    outcome<coded> translated;
    translated.emplace(coded{7});
    CHECK_THROWS_AS(std::rethrow_exception(translated.set_aside().thrown), int);

    outcome<std::unique_ptr<int>> unique;  // Neither says how, nor copies: nothing is kept.
    unique.emplace(nullptr);
    CHECK(unique.set_aside().thrown == nullptr);
    CHECK(unique.earlier().size() == 1);
}

TEST_CASE("outcome: provenance and earlier errors outlive the value they came with") {
    outcome<int> out;
    out.origin().attempts = 2;
    out.fail(error("first"));
    (void)out.set_aside();
    out.reset();
    CHECK(out.origin().attempts == 2);
    CHECK(out.earlier().size() == 1);
}
