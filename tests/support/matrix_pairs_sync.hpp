// SPDX-License-Identifier: BSL-1.0
//
// What becomes of a plain call through each pair of policies.
#ifndef HAWSER_TESTS_SUPPORT_MATRIX_PAIRS_SYNC_HPP
#define HAWSER_TESTS_SUPPORT_MATRIX_PAIRS_SYNC_HPP

#include "support/catch.hpp"
#include "support/matrix_pairs.hpp"

#include <functional>
#include <utility>

namespace support {

struct pairs_sync_stand : sync_stand {
    auto environment() { return scene.environment(); }
    hawser::time_point now() const { return scene.time.now(); }

    /// One instantiation for each pair, whatever the operation.
    template <class Line>
    hawser::outcome<reply> run(Line const& line, std::function<reply()> operation) {
        return call(line, std::move(operation));
    }
};

/// A value, not a type: each pair is instantiated once for all fates.
enum class sync_fate {
    success,
    failure,
    refusal,
    cancel,
    cancel_in_wait,
    cancel_in_queue,
    unwinding
};

template <class Stand, class Line>
void meet(Stand& on, Line const& line, sync_fate which) {
    switch (which) {
        case sync_fate::success:
            CHECK(on.run(line, answers).value().value == 7);
            CHECK(on.runs == 1);
            break;
        case sync_fate::failure:
            CHECK((on.run(line, fails).classify() == hawser::verdict::success) == on.stands_in);
            break;
        case sync_fate::refusal: {
            if (!on.has_places) break;
            on.fill();
            auto const out = on.run(line, answers);
            if (on.refusal_is_stood_in_for)
                CHECK(out.value().value == 42);
            else
                CHECK((out.code() == hawser::errc::bulkhead_full ||
                       out.code() == hawser::errc::overloaded));
            CHECK(on.told(" parked for ") == 0);
            CHECK(on.runs == 0);
            CHECK(on.has_heard_nothing());
            on.make_room();
            break;
        }
        case sync_fate::cancel:
            CHECK(on.run(line, [&on] { return on.caller.request_stop(), fails(); }).value().failed);
            CHECK(on.runs == 1);
            break;
        case sync_fate::cancel_in_wait: {
            on.stop_in_wait();
            auto const out = on.run(line, fails);
            if (on.scene.waits > 0) CHECK(out.code() == hawser::errc::cancelled);
            CHECK(on.runs == 1);
            break;
        }
        case sync_fate::cancel_in_queue:
            if (!on.has_queue) break;
            on.exhaust();
            on.stop_in_wait();
            CHECK(on.run(line, answers).code() == hawser::errc::cancelled);
            CHECK(on.runs == 0);
            CHECK(on.has_heard_nothing());
            on.restore();
            break;
        case sync_fate::unwinding:
            CHECK(unwound([&] { (void)on.run(line, [] { return unwind_here(), reply{}; }); }));
            CHECK(on.runs == 1);
            break;
    }
}

/// Plays it for each of `outer` with each of `inner` inside.
template <class Outer, class Inner>
void play_pairs(Outer outer, Inner inner, sync_fate which) {
    with_each_pair<pairs_sync_stand>(outer, inner, [which](auto& on, auto const& line) {
        meet(on, line, which);
        CHECK(on.has_all_back());
    });
}

}  // namespace support

#endif  // HAWSER_TESTS_SUPPORT_MATRIX_PAIRS_SYNC_HPP
