// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: every ordered pair of policies, in plain calls.
#include <hawser/hawser.hpp>

#include "support/catch.hpp"
#include "support/matrix_pairs.hpp"

#include <functional>

using namespace support;

namespace {

struct stand : sync_stand {
    auto environment() { return scene.environment(); }
    hawser::time_point now() const { return scene.time.now(); }

    /// One instantiation for each pair, whatever the operation.
    template <class Line>
    hawser::outcome<reply> run(Line const& line, std::function<reply()> operation) {
        return call(line, std::move(operation));
    }
};

template <class Play>
void with_every_limit(Play const& play) {
    with_each_pair<stand>(limit_kinds<stand>{}, plain_kinds<stand>{}, play);
    with_each_pair<stand>(limit_kinds<stand>{}, limit_kinds<stand>{}, play);
    with_each_pair<stand>(plain_kinds<stand>{}, limit_kinds<stand>{}, play);
}
template <class Play>
void with_every_pair(Play const& play) {
    with_each_pair<stand>(plain_kinds<stand>{}, plain_kinds<stand>{}, play);
    with_every_limit(play);
}

}  // namespace

TEST_CASE("matrix: every pair, sync, success: is passed on, and everything comes back") {
    with_every_pair([](auto& on, auto const& line) {
        CHECK(on.run(line, answers).value().value == 7);
        CHECK(on.runs == 1);
        CHECK(on.has_all_back());
    });
}

TEST_CASE("matrix: every pair, sync, failure: ends once, and everything comes back") {
    with_every_pair([](auto& on, auto const& line) {
        auto const out = on.run(line, fails);
        CHECK((out.classify() == hawser::verdict::success) == on.stands_in);
        CHECK(on.has_all_back());
    });
}

TEST_CASE("matrix: every pair, sync, caller cancel: one in the operation gives everything back") {
    with_every_pair([](auto& on, auto const& line) {
        auto const out = on.run(line, [&] {
            on.caller.request_stop();
            return fails();
        });
        CHECK(out.value().failed);
        CHECK(on.runs == 1);
        CHECK(on.has_all_back());
    });
}

TEST_CASE("matrix: every pair, sync, caller cancel: one in a wait gives everything back") {
    with_every_pair([](auto& on, auto const& line) {
        on.stop_in_wait();
        auto const out = on.run(line, fails);
        if (on.scene.waits > 0) CHECK(out.code() == hawser::errc::cancelled);
        CHECK(on.runs == 1);
        CHECK(on.has_all_back());
    });
}

TEST_CASE("matrix: every pair, sync, caller cancel: one in a limit's wait gives everything back") {
    with_every_limit([](auto& on, auto const& line) {
        on.exhaust();
        on.stop_in_wait();
        CHECK(on.run(line, answers).code() == hawser::errc::cancelled);
        CHECK(on.runs == 0);
        on.restore();
        CHECK(on.has_all_back());
    });
}

TEST_CASE("matrix: every pair, sync, forced unwinding: everything comes back") {
    with_every_pair([](auto& on, auto const& line) {
        CHECK(unwound([&] {
            (void)on.run(line, [] {
                unwind_here();
                return reply{};
            });
        }));
        CHECK(on.runs == 1);
        CHECK(on.has_all_back());
    });
}
