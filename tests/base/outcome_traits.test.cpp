// SPDX-License-Identifier: BSL-1.0
#include <hawser/base/outcome_traits.hpp>

#include "support/catch.hpp"

#include <string>

using hawser::outcome_traits;
using hawser::refusal;
using hawser::verdict;

namespace {
struct carries {
    refusal why{};
};
struct carries_wrong_type {};
struct throws_when_classified {};
struct returns_bool {};
}  // namespace

template <>
struct hawser::outcome_traits<carries> {
    static verdict classify(carries const&) noexcept { return verdict::success; }
    static carries from(refusal const& why) { return {why}; }
};
template <>
struct hawser::outcome_traits<carries_wrong_type> {
    static int from(refusal const&) { return 0; }
};
template <>
struct hawser::outcome_traits<throws_when_classified> {
    static verdict classify(throws_when_classified const&) { return verdict::success; }
};
template <>
struct hawser::outcome_traits<returns_bool> {
    static bool classify(returns_bool const&) noexcept { return true; }
};

TEST_CASE("outcome_traits: by default every value is a success and carries no refusal") {
    STATIC_REQUIRE(outcome_traits<int>::classify(0) == verdict::success);
    CHECK(outcome_traits<std::string>::classify("down") == verdict::success);
    STATIC_REQUIRE(hawser::classifiable<int>);
    STATIC_REQUIRE_FALSE(hawser::carries_refusal<int>);
    STATIC_REQUIRE_FALSE(hawser::carries_refusal<void>);
}

TEST_CASE("outcome_traits: a type carries a refusal if it is made from one") {
    STATIC_REQUIRE(hawser::carries_refusal<carries>);
    STATIC_REQUIRE_FALSE(hawser::carries_refusal<carries_wrong_type>);
    CHECK(outcome_traits<carries>::from({.code = hawser::errc::closed}).why.code ==
          hawser::errc::closed);
}

TEST_CASE("outcome_traits: what classifies must not throw and must answer with a verdict") {
    STATIC_REQUIRE(hawser::classifiable<carries>);
    STATIC_REQUIRE_FALSE(hawser::classifiable<throws_when_classified>);
    STATIC_REQUIRE_FALSE(hawser::classifiable<returns_bool>);
}

TEST_CASE("returned_error: keeps the value that failed") {
    hawser::returned_error<std::string> const error{"value"};
    CHECK(error.value == "value");
    std::exception const& base = error;
    CHECK(base.what() == std::string{"the operation returned a failure"});
}
