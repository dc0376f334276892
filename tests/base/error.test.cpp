// SPDX-License-Identifier: BSL-1.0
#include <hawser/base/error.hpp>

#include "support/catch.hpp"

#include <cctype>
#include <set>
#include <string>
#include <type_traits>

using namespace std::chrono_literals;
using hawser::errc;
using hawser::refusal;
using hawser::refused;
using hawser::verdict;

static constexpr errc all_codes[] = {errc::circuit_open, errc::probes_full,   errc::isolated,
                                     errc::rate_limited, errc::bulkhead_full, errc::overloaded,
                                     errc::timed_out,    errc::cancelled,     errc::not_permitted,
                                     errc::closed,       errc::too_large,     errc::conflict};

TEST_CASE("errc: every reason has words of its own, in lower case and without a full stop") {
    std::set<std::string> seen;
    for (auto const code : all_codes) {
        std::string const words = to_string(code);
        INFO(words);
        CHECK_FALSE(words.empty());
        CHECK(words != "unknown error");
        CHECK(words.back() != '.');
        for (auto const c : words) CHECK(std::tolower(c) == c);
        CHECK(seen.insert(words).second);
    }
}

TEST_CASE("errc: zero is no error, and a number that stands for none is said to be unknown") {
    CHECK(to_string(errc{}) == std::string{"no error"});
    CHECK(to_string(errc{255}) == std::string{"unknown error"});
    for (auto const code : all_codes) CHECK(code != errc{});
}

TEST_CASE("refusal: is a small value") {
    STATIC_REQUIRE(std::is_trivially_copyable_v<refusal>);
    STATIC_REQUIRE(sizeof(refusal) <= 24);
    refusal const why{.code = errc::rate_limited, .retry_after = 5ms, .policy = "quotes"};
    CHECK(why == refusal{why});
    CHECK_FALSE(why == refusal{});
    CHECK(refusal{}.retry_after == 0s);
}

TEST_CASE("refused: carries the refusal through a throw") {
    refusal const why{.code = errc::circuit_open, .retry_after = 3s, .policy = "quotes"};
    try {
        throw refused{why};
    } catch (std::exception const& caught) {
        CHECK(caught.what() == std::string{"circuit open"});
        auto const& kept = dynamic_cast<refused const&>(caught);
        CHECK(kept.why() == why);
        CHECK(kept.code() == errc::circuit_open);
    }
    STATIC_REQUIRE(std::is_nothrow_copy_constructible_v<refused>);
}

TEST_CASE("verdict: of our own refusals a timeout alone speaks against the dependency") {
    for (auto const code : all_codes) {
        auto const expected = code == errc::timed_out ? verdict::failure : verdict::neutral;
        CHECK(hawser::verdict_of({.code = code}) == expected);
    }
}
