// SPDX-License-Identifier: BSL-1.0
//
// What an outcome owns and brings along when it becomes something else.
#include <hawser/base/outcome.hpp>

#include "support/catch.hpp"

#include <memory>
#include <stdexcept>

using hawser::errc;
using hawser::outcome;

namespace {

/// An exception that keeps `alive` in existence for as long as it lives itself.
std::exception_ptr holding(std::shared_ptr<int> alive) {
    struct holder {
        std::shared_ptr<int> held;
    };
    return std::make_exception_ptr(holder{std::move(alive)});
}

}  // namespace

TEST_CASE("outcome: destroys the exception it held when it becomes a refusal, or is reset") {
    auto alive = std::make_shared<int>(1);
    outcome<int> out;

    out.fail(holding(alive));
    out.refuse({errc::timed_out, {}, "timeout"});
    CHECK(alive.use_count() == 1);

    out.fail(holding(alive));
    out.reset();
    CHECK(alive.use_count() == 1);
}

TEST_CASE("outcome: an assigned outcome brings its provenance and its earlier errors") {
    outcome<int> from, to;
    from.fail(std::make_exception_ptr(std::runtime_error{"down"}));
    (void)from.set_aside();
    from.emplace(2);
    from.origin().attempts = 3;
    from.origin().degraded = true;

    to.emplace(1);
    to.origin().attempts = 1;
    to = std::move(from);

    CHECK(to.value() == 2);
    CHECK(to.origin().attempts == 3);
    CHECK(to.origin().degraded);
    CHECK(to.earlier().size() == 1);
}
