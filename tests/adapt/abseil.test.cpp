// SPDX-License-Identifier: BSL-1.0
#include <hawser/adapt/abseil.hpp>
#include <hawser/hawser.hpp>
#include <hawser/testing/fault_script.hpp>

#include "support/catch.hpp"

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/cord.h>

#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace hawser;
using namespace std::chrono_literals;

namespace {

struct quote {
    double price = 0;
};

using code = absl::StatusCode;

}  // namespace

template <>
inline constexpr auto hawser::status_detail_of<absl::StatusOr<quote>> =
    hawser::status_detail::code_only;

namespace {

template <class Result, class Line>
Result run(Line const& line, Result result) {
    return execute(line, [&] { return std::move(result); });
}

absl::Status with_payload(code status_code, char const* payload) {
    absl::Status status{status_code, "peer"};
    status.SetPayload(refusal_type_url, absl::Cord{payload});
    return status;
}

}  // namespace

TEST_CASE("abseil: each refusal has its status code") {
    std::vector<std::pair<errc, code>> const table{{errc::circuit_open, code::kUnavailable},
                                                   {errc::probes_full, code::kUnavailable},
                                                   {errc::isolated, code::kUnavailable},
                                                   {errc::rate_limited, code::kResourceExhausted},
                                                   {errc::bulkhead_full, code::kResourceExhausted},
                                                   {errc::overloaded, code::kUnavailable},
                                                   {errc::timed_out, code::kDeadlineExceeded},
                                                   {errc::cancelled, code::kCancelled},
                                                   {errc::not_permitted, code::kFailedPrecondition},
                                                   {errc::closed, code::kFailedPrecondition},
                                                   {errc::too_large, code::kOutOfRange},
                                                   {errc::conflict, code::kAborted}};
    for (auto const& [reason, expected] : table) {
        CAPTURE(to_string(reason));
        CHECK(to_status({reason, 0s, "p"}).code() == expected);
        CHECK(to_status({reason, 0s, "p"}, status_detail::code_only).code() == expected);
    }
    CHECK(to_string(errc(table.size() + 1)) == std::string{"unknown error"});
    CHECK(to_status({}).ok());
}

TEST_CASE("abseil: a status carries the exact refusal, and gives it back") {
    for (int value = 1; value <= 12; ++value)
        for (auto const wait : {duration{0}, duration{1}, duration{5s}, never}) {
            auto const read = refusal_of(to_status({errc(value), wait, "orders api"}));
            REQUIRE(read);
            CHECK(read->code == errc(value));
            CHECK(read->retry_after == wait);
            CHECK(read->policy == "orders api");
        }
    CHECK(refusal_of(to_status({errc::isolated, never, ""}))->policy.empty());
    CHECK(refusal_of(to_status({errc::isolated, never, nullptr}))->policy.empty());
}

TEST_CASE("abseil: the message says the reason and the policy") {
    CHECK(to_status({errc::circuit_open, 5s, "orders"}).message() == "circuit open (orders)");
    CHECK(to_status({errc::circuit_open, 5s, ""}).message() == "circuit open");
}

TEST_CASE("abseil: with the code alone, nothing else is told") {
    auto const status = to_status({errc::rate_limited, 5s, "orders"}, status_detail::code_only);
    CHECK(status.message().empty());
    CHECK_FALSE(refusal_of(status));
}

TEST_CASE("abseil: a status that is not ours carries no refusal") {
    CHECK_FALSE(refusal_of(absl::OkStatus()));
    CHECK_FALSE(refusal_of(absl::UnavailableError("down")));
    for (auto const* payload : {"", " ", "1", "1 ", "1 5", "x 5 p", "1 x p", "1  p", "-1 5 p",
                                "0 5 p", "257 5 p", "1 99999999999999999999 p", "4 5 p"}) {
        CAPTURE(payload);  // The last one is rate_limited, which is never Unavailable.
        CHECK_FALSE(refusal_of(with_payload(code::kUnavailable, payload)));
    }
    CHECK_FALSE(refusal_of(with_payload(code::kUnknown, "200 5 p")));
    CHECK(refusal_of(with_payload(code::kUnavailable, "1 5 p")));
    CHECK(refusal_of(with_payload(code::kUnavailable, "1 5 "))->policy.empty());
}

TEST_CASE("abseil: the caller's faults and a cancel are neutral, the dependency's are failures") {
    CHECK(verdict_of(absl::OkStatus()) == verdict::success);
    for (auto const failing : {code::kUnknown, code::kDeadlineExceeded, code::kResourceExhausted,
                               code::kInternal, code::kUnavailable, code::kDataLoss})
        CHECK(verdict_of(absl::Status{failing, ""}) == verdict::failure);
    for (auto const neutral :
         {code::kCancelled, code::kInvalidArgument, code::kNotFound, code::kAlreadyExists,
          code::kPermissionDenied, code::kFailedPrecondition, code::kAborted, code::kOutOfRange,
          code::kUnimplemented, code::kUnauthenticated})
        CHECK(verdict_of(absl::Status{neutral, ""}) == verdict::neutral);
    CHECK(verdict_of(absl::Status{static_cast<code>(77), ""}) == verdict::failure);
    CHECK(verdict_of(with_payload(code::kUnavailable, "nonsense")) == verdict::failure);
}

TEST_CASE("abseil: a refusal that comes back as a status counts as the refusal") {
    for (int value = 1; value <= 12; ++value) {
        refusal const why{errc(value), 1s, "inner"};
        CAPTURE(to_string(why.code));
        CHECK(verdict_of(to_status(why)) == verdict_of(why));
        refusal const at_once{errc(value), 0s, "inner"};
        CHECK(verdict_of(to_status(at_once)) == verdict_of(at_once));
        CHECK(outcome_traits<absl::StatusOr<int>>::classify(to_status(why)) == verdict_of(why));
    }
}

TEST_CASE("abseil: a pipeline returns its refusals as statuses") {
    circuit_breaker breaker{{.name = "orders"}};
    breaker.isolate();
    auto const line = compose(borrow(breaker));

    auto const status = run(line, absl::OkStatus());
    CHECK(refusal_of(status)->code == errc::isolated);
    CHECK(refusal_of(status)->policy == "orders");

    auto const number = run(line, absl::StatusOr<int>{7});
    CHECK(number.status() == status);

    auto const brief = run(line, absl::StatusOr<quote>{quote{1.5}});
    CHECK(brief.status() == absl::Status{code::kUnavailable, ""});
}

TEST_CASE("abseil: failures are retried, and neutral statuses are not") {
    auto const line = compose(retry{{.max_attempts = 3}, backoff::none{}});

    testing::script<absl::StatusOr<int>> flaky{testing::fails(absl::UnavailableError("down"), 2),
                                               testing::returns(7)};
    CHECK(execute(line, flaky).value() == 7);

    testing::script<absl::Status> wrong{testing::fails(absl::NotFoundError("no such"), 3)};
    CHECK(execute(line, wrong).code() == code::kNotFound);
    CHECK(wrong.calls() == 1);
}

TEST_CASE("abseil: a status that a fallback replaces is kept as what value() throws") {
    auto const line = compose(fallback{[] { return absl::StatusOr<int>{-1}; }});
    testing::script<absl::StatusOr<int>> down{testing::fails(absl::InternalError("down"))};

    auto const out = try_execute(line, down);

    CHECK(out.value().value() == -1);
    REQUIRE(out.earlier().size() == 1);
    try {
        std::rethrow_exception(out.earlier().front().thrown);
    } catch (absl::BadStatusOrAccess const& error) {
        CHECK(error.status() == absl::InternalError("down"));
    }
    CHECK_THROWS_AS(std::rethrow_exception(
                        outcome_traits<absl::Status>::to_exception(absl::InternalError("down"))),
                    absl::BadStatusOrAccess);
}

TEST_CASE("abseil: a value that only moves goes through a pipeline") {
    auto const line = compose(retry{});
    auto const pointer = execute(
        line, [] { return absl::StatusOr<std::unique_ptr<int>>{std::make_unique<int>(3)}; });
    CHECK(**pointer == 3);
}
