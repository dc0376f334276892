// SPDX-License-Identifier: BSL-1.0
//
// Compiled as C++23, with a compiler that has <expected>.
#include <hawser/adapt/boost_system.hpp>
#include <hawser/adapt/expected.hpp>
#include <hawser/hawser.hpp>
#include <hawser/testing/fault_script.hpp>

#include "support/catch.hpp"

#include <exception>
#include <expected>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

using namespace hawser;
using namespace std::chrono_literals;

namespace {

enum class shop_error { busy, sold_out, broken };

/// Made from an error code, as many programs' error types are.
struct wrapped_code {
    wrapped_code(boost::system::error_code from) : code{from} {}
    boost::system::error_code code;
};

/// Says nothing of refusals.
struct opaque {
    int number = 0;
};

template <class E>
std::expected<int, E> refused_with() {
    circuit_breaker breaker{{.name = "orders"}};
    breaker.isolate();
    return execute(compose(borrow(breaker)), [] { return std::expected<int, E>{7}; });
}

template <class E>
verdict classify(E error) {
    using result = std::expected<int, E>;
    return outcome_traits<result>::classify(result{std::unexpect, std::move(error)});
}

}  // namespace

template <>
struct hawser::error_from<shop_error> {
    static shop_error from(refusal const&) { return shop_error::busy; }
    static verdict classify(shop_error error) noexcept {
        return error == shop_error::broken ? verdict::failure : verdict::neutral;
    }
};

TEST_CASE("expected: a refusal becomes the error, however the error type says it") {
    CHECK(refused_with<errc>().error() == errc::isolated);
    CHECK(refused_with<refusal>().error().policy == std::string{"orders"});
    CHECK(refused_with<shop_error>().error() == shop_error::busy);
    CHECK(refused_with<std::error_code>().error() == to_std_error_code(errc::isolated));
    CHECK(refused_with<boost::system::error_code>().error() == errc::isolated);
    CHECK(refused_with<wrapped_code>().error().code == errc::isolated);
    CHECK_THROWS_AS(std::rethrow_exception(refused_with<std::exception_ptr>().error()), refused);
}

TEST_CASE("expected: without a way to say it, a refusal is thrown") {
    STATIC_REQUIRE_FALSE(carries_refusal<std::expected<int, opaque>>);
    STATIC_REQUIRE_FALSE(carries_refusal<std::expected<int, std::string>>);
    CHECK_THROWS_AS(refused_with<opaque>(), refused);
}

TEST_CASE("expected: a value is a success, an error a failure unless its type says neutral") {
    CHECK(outcome_traits<std::expected<int, opaque>>::classify(7) == verdict::success);
    CHECK(outcome_traits<std::expected<void, opaque>>::classify({}) == verdict::success);
    CHECK(classify(opaque{1}) == verdict::failure);
    CHECK(classify(shop_error::sold_out) == verdict::neutral);
    CHECK(classify(shop_error::broken) == verdict::failure);
    CHECK(classify(errc::circuit_open) == verdict::neutral);
    CHECK(classify(errc::timed_out) == verdict::failure);
    CHECK(classify(refusal{errc::cancelled, {}, ""}) == verdict::neutral);
    CHECK(classify(std::make_error_code(std::errc::io_error)) == verdict::failure);
    CHECK(classify(std::make_error_code(std::errc::operation_canceled)) == verdict::neutral);
    CHECK(classify(std::exception_ptr{}) == verdict::failure);
}

TEST_CASE("expected: an error that calls itself a success is a failure") {
    CHECK(classify(std::error_code{}) == verdict::failure);
    CHECK(classify(boost::system::error_code{}) == verdict::failure);
}

TEST_CASE("expected: failures are retried, and neutral errors are not") {
    using result = std::expected<int, shop_error>;
    auto const line = compose(retry{{.max_attempts = 3}, backoff::none{}});

    testing::script<result> flaky{testing::fails(std::unexpected{shop_error::broken}, 2),
                                  testing::returns(7)};
    CHECK(execute(line, flaky).value() == 7);

    testing::script<result> sold{testing::fails(std::unexpected{shop_error::sold_out}, 3)};
    CHECK(execute(line, sold).error() == shop_error::sold_out);
    CHECK(sold.calls() == 1);
}

TEST_CASE("expected: an error that a fallback replaces is kept as an exception") {
    auto const kept = []<class E>(E error) {
        using result = std::expected<void, E>;
        return outcome_traits<result>::to_exception(result{std::unexpect, std::move(error)});
    };
    CHECK_THROWS_AS(std::rethrow_exception(kept(opaque{3})), std::bad_expected_access<opaque>);
    CHECK_THROWS_AS(std::rethrow_exception(kept(std::make_error_code(std::errc::io_error))),
                    std::system_error);
    CHECK_THROWS_AS(std::rethrow_exception(kept(std::make_exception_ptr(7))), int);

    using result = std::expected<int, opaque>;
    auto const line = compose(fallback{[] { return result{-1}; }});
    auto const out = try_execute(line, [] { return result{std::unexpected{opaque{3}}}; });
    CHECK(out.value() == -1);
    CHECK(out.earlier().size() == 1);
}

TEST_CASE("expected: void and values that only move go through a pipeline") {
    auto const line = compose(retry{});
    using pointer = std::expected<std::unique_ptr<int>, errc>;
    CHECK(**execute(line, [] { return pointer{std::make_unique<int>(3)}; }) == 3);
    CHECK(execute(line, [] { return std::expected<void, errc>{}; }).has_value());
}
