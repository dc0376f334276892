// SPDX-License-Identifier: BSL-1.0
#include <hawser/hawser.hpp>
#include <hawser/testing/fault_script.hpp>
#include <hawser/testing/manual_environment.hpp>

#include "support/catch.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

using namespace hawser;
using namespace std::chrono_literals;

namespace {

/// What a call of the script comes to, in a word.
template <class R>
std::string outcome_word(testing::script<R>& script) {
    try {
        if constexpr (std::is_void_v<R>)
            return script(), "ok";
        else
            return std::to_string(script());
    } catch (refused const& error) {
        return to_string(error.code());
    } catch (testing::script_ended const&) {
        return "ended";
    } catch (std::exception const& error) {
        return error.what();
    }
}

}  // namespace

TEST_CASE("script: plays its turns in order, each as often as it says, and then throws") {
    testing::script<int> script{testing::ok(2), testing::throws(std::runtime_error{"down"}, 2),
                                testing::refuses(errc::rate_limited, 5ms), testing::returns(7)};
    std::string played;
    for (int call = 0; call != 8; ++call) played += outcome_word(script) + ", ";

    CHECK(played == "0, 0, down, down, rate limited, 7, ended, ended, ");
    CHECK(script.calls() == 8);
}

TEST_CASE("script: plays nothing but its end if it has no turns") {
    testing::script<void> script{};
    CHECK(script.finished());
    CHECK(outcome_word(script) == "ended");
}

TEST_CASE("script: a turn for ever is played for ever, and nothing may follow it") {
    testing::script<void> script{testing::throws(std::runtime_error{"down"}),
                                 testing::ok().forever()};
    CHECK(outcome_word(script) == "down");
    CHECK_FALSE(script.finished());
    for (int call = 0; call != 100; ++call) CHECK(outcome_word(script) == "ok");
    CHECK(script.finished());

    CHECK_THROWS_WITH((testing::script<void>{testing::ok().forever(), testing::ok()}),
                      "script: a turn follows one that goes on for ever");
}

TEST_CASE("script: is finished when the last turn has been played as often as it says") {
    testing::script<int> script{testing::ok(), testing::returns(2, 2)};
    for (int call = 0; call != 3; ++call) {
        CHECK_FALSE(script.finished());
        (void)script();
    }
    CHECK(script.finished());
}

TEST_CASE("script: a failure by value is made into the result type") {
    using result = std::pair<std::errc, int>;
    testing::script<result> script{testing::fails(result{std::errc::io_error, 0}),
                                   testing::returns(result{{}, 3})};
    CHECK(script().first == std::errc::io_error);
    CHECK(script().second == 3);
}

TEST_CASE("script: a function makes the result where it does not copy") {
    int made = 0;
    testing::script<std::unique_ptr<int>> script{
        testing::runs([&] { return std::make_unique<int>(++made); }, 2)};
    CHECK(*script() == 1);
    CHECK(*script() == 2);
}

TEST_CASE("script: a turn takes its time, under manual time alone") {
    manual_time time;
    auto const start = time.now();
    testing::script<int> script{time, testing::returns(1).after(20ms),
                                testing::throws(std::runtime_error{"slow"}, 2).after(5ms)};
    (void)outcome_word(script);
    CHECK(time.now() - start == 20ms);
    (void)outcome_word(script);
    (void)outcome_word(script);
    CHECK(time.now() - start == 30ms);

    CHECK_THROWS_WITH((testing::script<int>{testing::ok().after(1ms)}),
                      "script: a turn takes time, and there is no manual_time");
    CHECK_THROWS_WITH((testing::script<int>{time, testing::ok().after(-1ms)}),
                      "script: a turn takes less than no time");
}

TEST_CASE("script: one that hangs is ended by the deadline of its call, as timed out") {
    manual_time time;
    auto const start = time.now();
    auto const line =
        compose_in(testing::manual_environment{time}, retry{{.max_attempts = 2}, backoff::none{}},
                   attempt_timeout{50ms});
    testing::script<int> script{time, testing::hangs(), testing::returns(7).after(20ms)};

    auto const out = try_execute(line, script);

    CHECK(out.value() == 7);
    CHECK(out.origin().attempts == 2);
    CHECK(time.now() - start == 70ms);
}

TEST_CASE("script: one that hangs without a deadline is a fault of the test") {
    manual_time time;
    testing::script<int> alone{time, testing::hangs()};
    CHECK_THROWS_AS(alone(), std::logic_error);

    testing::script<int> timeless{testing::hangs()};
    auto const line = compose_in(testing::manual_environment{time}, attempt_timeout{50ms});
    auto const out = try_execute(line, timeless);
    CHECK_THROWS_AS(std::rethrow_exception(out.exception()), std::logic_error);
}

TEST_CASE("script: an attempt that was not sent says so to its call") {
    manual_time time;
    auto const line = compose_in(testing::manual_environment{time}, retry{{.max_attempts = 1}});
    testing::script<int> script{testing::throws(std::runtime_error{"reset"}).not_sent(),
                                testing::returns(7)};

    CHECK(execute(line, script) == 7);  // A retry repeats such an attempt without counting it.
}
