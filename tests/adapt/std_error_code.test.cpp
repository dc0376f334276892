// SPDX-License-Identifier: BSL-1.0
#include <hawser/adapt/boost_system.hpp>
#include <hawser/adapt/std_error_code.hpp>
#include <hawser/hawser.hpp>
#include <hawser/testing/fault_script.hpp>

#include "support/catch.hpp"

#include <exception>
#include <string>
#include <system_error>
#include <tuple>
#include <utility>

using namespace hawser;
using namespace std::chrono_literals;

namespace {

std::error_code const reset = std::make_error_code(std::errc::connection_reset);
std::error_code const aborted = std::make_error_code(std::errc::operation_canceled);

template <class R>
verdict classify(R const& result) {
    return outcome_traits<R>::classify(result);
}

/// Why `execute` through a breaker that an operator has isolated says it failed.
template <class Operation>
auto refused_by_breaker(Operation operation) {
    circuit_breaker breaker;
    breaker.isolate();
    return execute(compose(borrow(breaker)), operation);
}

}  // namespace

TEST_CASE("std error codes: a refusal becomes a code of ours, and back") {
    for (int value = 1; value <= 12; ++value) {
        auto const code = to_std_error_code(errc(value));
        CAPTURE(value);
        CHECK(code);
        CHECK(code.category() == std_category());
        CHECK(to_errc(code) == errc(value));
        CHECK(code == errc(value));
        CHECK(code != errc(value % 12 + 1));
        CHECK(code.message() == to_string(errc(value)));
    }
    CHECK(std::string{std_category().name()} == "hawser");
    CHECK(to_errc(reset) == errc{});
}

TEST_CASE("std error codes: no error is no error") {
    CHECK_FALSE(to_std_error_code(errc{}));
    CHECK(to_std_error_code(errc{}) == std::error_code{});
    CHECK(std::error_code{} == errc{});
    CHECK(to_errc(std::error_code{}) == errc{});
}

TEST_CASE("std error codes: ours equal the conditions a caller would test for") {
    CHECK(to_std_error_code(errc::timed_out) == std::errc::timed_out);
    CHECK(to_std_error_code(errc::cancelled) == std::errc::operation_canceled);
    CHECK(to_std_error_code(errc::too_large) == std::errc::message_size);
    CHECK(to_std_error_code(errc::not_permitted) == std::errc::operation_not_permitted);
    for (auto const code : {errc::circuit_open, errc::probes_full, errc::isolated,
                            errc::rate_limited, errc::bulkhead_full, errc::overloaded})
        CHECK(to_std_error_code(code) == std::errc::resource_unavailable_try_again);
    for (auto const code : {errc::closed, errc::conflict})
        CHECK(to_std_error_code(code) != std::errc::resource_unavailable_try_again);
}

TEST_CASE("std error codes: go together with Boost's in one file") {
    boost::system::error_code const boost_code = errc::circuit_open;
    auto const std_code = to_std_error_code(errc::circuit_open);

    CHECK(boost_code == errc::circuit_open);
    CHECK(std_code == errc::circuit_open);
    CHECK(errc::circuit_open == std_code);
    CHECK(to_errc(boost_code) == to_errc(std_code));
    CHECK(verdict_of(boost_code) == verdict_of(std_code));
    CHECK(outcome_traits<boost::system::error_code>::from({errc::closed, {}, ""}) == errc::closed);
}

TEST_CASE("std error codes: a cancel and refusals of ours are neutral, the rest fails") {
    CHECK(classify(std::error_code{}) == verdict::success);
    CHECK(classify(reset) == verdict::failure);
    CHECK(classify(aborted) == verdict::neutral);
    CHECK(classify(to_std_error_code(errc::circuit_open)) == verdict::neutral);
    CHECK(classify(to_std_error_code(errc::cancelled)) == verdict::neutral);
    CHECK(classify(to_std_error_code(errc::timed_out)) == verdict::failure);
    CHECK(classify(std::make_error_code(std::errc::timed_out)) == verdict::failure);

    CHECK(classify(std::tuple{reset, 1, 2}) == verdict::failure);
    CHECK(classify(std::tuple{std::error_code{}, 1}) == verdict::success);
    CHECK(classify(std::tuple{aborted}) == verdict::neutral);
    CHECK(classify(std::pair{reset, 1}) == verdict::failure);
    CHECK(classify(std::pair{std::error_code{}, 1}) == verdict::success);
}

TEST_CASE("std error codes: a pipeline returns its refusals as codes, beside empty values") {
    CHECK(refused_by_breaker([] { return std::error_code{}; }) == errc::isolated);

    auto const tuple = refused_by_breaker([] { return std::tuple{std::error_code{}, 7, 8}; });
    CHECK(std::get<0>(tuple) == errc::isolated);
    CHECK(std::get<1>(tuple) == 0);
    CHECK(std::get<2>(tuple) == 0);

    auto const pair = refused_by_breaker([] { return std::pair{std::error_code{}, 7}; });
    CHECK(pair.first == errc::isolated);
    CHECK(pair.second == 0);

    struct no_default {
        explicit no_default(int) {}
    };
    STATIC_REQUIRE_FALSE(carries_refusal<std::pair<std::error_code, no_default>>);
    STATIC_REQUIRE_FALSE(carries_refusal<std::tuple<std::error_code, no_default>>);
}

TEST_CASE("std error codes: a failed code is retried, and kept as a system_error by a fallback") {
    testing::script<std::error_code> script{testing::fails(reset, 2)};
    auto const line =
        compose(fallback{std::error_code{}}, retry{{.max_attempts = 2}, backoff::none{}});

    auto const out = try_execute(line, script);

    CHECK(out.value() == std::error_code{});
    CHECK(out.origin().attempts == 2);
    REQUIRE(out.earlier().size() == 1);
    try {
        std::rethrow_exception(out.earlier().front().thrown);
    } catch (std::system_error const& error) {
        CHECK(error.code() == reset);
    }
    CHECK_THROWS_AS(std::rethrow_exception(
                        outcome_traits<std::pair<std::error_code, int>>::to_exception({reset, 0})),
                    std::system_error);
    CHECK_THROWS_AS(std::rethrow_exception(
                        outcome_traits<std::tuple<std::error_code, int>>::to_exception({reset, 0})),
                    std::system_error);
}
