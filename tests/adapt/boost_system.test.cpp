// SPDX-License-Identifier: BSL-1.0
#include <hawser/adapt/boost_system.hpp>
#include <hawser/compose/execute.hpp>
#include <hawser/compose/pipeline.hpp>
#include <hawser/policy/fallback.hpp>

#include "support/catch.hpp"

#include <cstring>
#include <string>
#include <system_error>
#include <tuple>
#include <utility>

using boost::system::error_code;
using hawser::errc;
using hawser::refusal;
using hawser::verdict;
namespace generic = boost::system::errc;

static constexpr errc all[] = {errc::circuit_open, errc::probes_full,   errc::isolated,
                               errc::rate_limited, errc::bulkhead_full, errc::overloaded,
                               errc::timed_out,    errc::cancelled,     errc::not_permitted,
                               errc::closed,       errc::too_large,     errc::conflict};

TEST_CASE("boost_category: every reason is a code that fails and comes back as itself") {
    for (auto const reason : all) {
        error_code const code = reason;
        CHECK(code.failed());
        CHECK(code == reason);
        CHECK(code.category() == hawser::boost_category());
        CHECK(hawser::to_errc(code) == reason);
        CHECK(code.message() == to_string(reason));
    }
    CHECK_FALSE(make_error_code(errc{}).failed());
}

TEST_CASE("boost_category: a code of somebody else is none of our reasons") {
    CHECK(hawser::to_errc(make_error_code(generic::timed_out)) == errc{});
    CHECK(hawser::to_errc({}) == errc{});
}

TEST_CASE("boost_category: codes compare equal to the conditions a caller would test for") {
    CHECK(make_error_code(errc::timed_out) == generic::timed_out);
    CHECK(make_error_code(errc::cancelled) == generic::operation_canceled);
    CHECK(make_error_code(errc::too_large) == generic::message_size);
    CHECK(make_error_code(errc::not_permitted) == generic::operation_not_permitted);
    for (auto const load : {errc::circuit_open, errc::probes_full, errc::isolated,
                            errc::rate_limited, errc::bulkhead_full, errc::overloaded})
        CHECK(make_error_code(load) == generic::resource_unavailable_try_again);
    for (auto const other : {errc::closed, errc::conflict})
        CHECK(make_error_code(other) != generic::resource_unavailable_try_again);
}

TEST_CASE("boost_category: has a name and messages that need no memory") {
    CHECK(std::strcmp(hawser::boost_category().name(), "hawser") == 0);
    char none[1];
    CHECK(std::strcmp(hawser::boost_category().message(1, none, 0), "circuit open") == 0);
}

TEST_CASE("boost_category: a copy of it in another library is the same") {
    hawser::boost_category_type const copy;
    CHECK(copy == hawser::boost_category());
    CHECK(error_code(7, copy) == errc::timed_out);
}

TEST_CASE("boost_category: converts to a code of the standard library") {
    std::error_code const code = make_error_code(errc::timed_out);
    CHECK(code.message() == "timed out");
    CHECK(code == std::errc::timed_out);
}

template <class R>
static verdict classify(R const& result) {
    return hawser::outcome_traits<R>::classify(result);
}

TEST_CASE("outcome_traits of error_code: a code votes as what it stands for") {
    CHECK(classify(error_code{}) == verdict::success);
    CHECK(classify(make_error_code(generic::connection_reset)) == verdict::failure);
    CHECK(classify(make_error_code(generic::operation_canceled)) == verdict::neutral);
    CHECK(classify(make_error_code(errc::timed_out)) == verdict::failure);
    for (auto const reason : all)
        if (reason != errc::timed_out) CHECK(classify(make_error_code(reason)) == verdict::neutral);
}

TEST_CASE("outcome_traits of result, tuple and pair: the code in front decides") {
    auto const bad = make_error_code(generic::io_error);
    CHECK(classify(boost::system::result<int>{3}) == verdict::success);
    CHECK(classify(boost::system::result<int>{bad}) == verdict::failure);
    CHECK(classify(std::tuple{error_code{}, 3}) == verdict::success);
    CHECK(classify(std::tuple{bad, 3}) == verdict::failure);
    CHECK(classify(std::pair{error_code{}, 3}) == verdict::success);
    CHECK(classify(std::pair{bad, 3}) == verdict::failure);
}

TEST_CASE("outcome_traits of error_code: a refusal is a code beside empty values") {
    refusal const why{errc::rate_limited, {}, "limit"};
    CHECK(hawser::outcome_traits<error_code>::from(why) == errc::rate_limited);
    CHECK(hawser::outcome_traits<boost::system::result<int>>::from(why).error() ==
          errc::rate_limited);
    using tuple = std::tuple<error_code, int, std::string>;
    CHECK(hawser::outcome_traits<tuple>::from(why) ==
          tuple{make_error_code(errc::rate_limited), 0, ""});
    using pair = std::pair<error_code, int>;
    CHECK(hawser::outcome_traits<pair>::from(why) == pair{make_error_code(errc::rate_limited), 0});
}

TEST_CASE("outcome_traits of tuple: carries no refusal if a value has no empty state") {
    struct full {
        explicit full(int) {}
    };
    STATIC_REQUIRE(hawser::carries_refusal<std::tuple<error_code, int>>);
    STATIC_REQUIRE_FALSE(hawser::carries_refusal<std::tuple<error_code, full>>);
    STATIC_REQUIRE_FALSE(hawser::carries_refusal<std::pair<error_code, full>>);
}

TEST_CASE("outcome_traits of error_code: a fallback keeps the failed code as an exception") {
    auto const bad = make_error_code(generic::io_error);
    auto const line = hawser::compose(hawser::fallback{std::pair{error_code{}, 5}});
    auto const out = hawser::try_execute(line, [&] { return std::pair<error_code, int>{bad, 0}; });
    CHECK(out.value().second == 5);
    REQUIRE(out.earlier().size() == 1);
    CHECK_THROWS_AS(std::rethrow_exception(out.earlier().front().thrown),
                    boost::system::system_error);

    auto const code_of = [](auto&& thrown) {
        try {
            std::rethrow_exception(thrown);
        } catch (boost::system::system_error const& error) {
            return error.code();
        }
    };
    CHECK(code_of(hawser::outcome_traits<error_code>::to_exception(bad)) == bad);
    CHECK(code_of(hawser::outcome_traits<std::tuple<error_code, int>>::to_exception({bad, 0})) ==
          bad);
    CHECK(code_of(hawser::outcome_traits<boost::system::result<int>>::to_exception(bad)) == bad);
}
