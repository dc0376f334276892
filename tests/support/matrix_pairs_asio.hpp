// SPDX-License-Identifier: BSL-1.0
//
// What becomes of an asynchronous call through each pair of policies.
#ifndef HAWSER_TESTS_SUPPORT_MATRIX_PAIRS_ASIO_HPP
#define HAWSER_TESTS_SUPPORT_MATRIX_PAIRS_ASIO_HPP

#include "support/catch.hpp"
#include "support/matrix_asio.hpp"
#include "support/matrix_pairs.hpp"

namespace support {

struct pairs_stand : callback_stand {
    hawser::time_point now() const { return time.now(); }
};

/// A value, not a type: each pair is instantiated once for all fates.
enum class fate { success, failure, cancel, destroyed };

template <class Stand>
void meet(Stand& on, fate which) {
    switch (which) {
        case fate::success:
            on.succeed();
            CHECK(on.succeeded());
            break;
        case fate::failure:  // As often as it is tried, within ten seconds.
            for (int step = 0; step != 1000 && on.got.completed == 0; ++step) {
                if (on.remote->waiting() != 0) on.remote->fail();
                on.time.advance(std::chrono::milliseconds{10});
            }
            CHECK(on.got.completed == 1);
            CHECK(on.got.value == (on.stands_in ? 42 : 0));
            break;
        case fate::cancel:
            on.cancel();
            on.time.run();
            CHECK(on.was_cancelled());
            CHECK(on.remote->starts == 1);
            break;
        case fate::destroyed:
            on.destroy_operation();
            on.time.run();
            CHECK(on.was_dropped());
            break;
    }
}

/// Plays it for each of `outer` with each of `inner` inside.
template <class Outer, class Inner>
void play_pairs(Outer outer, Inner inner, fate which) {
    with_each_pair<pairs_stand>(outer, inner, [which](auto& on, auto const& line) {
        on.start(line);
        meet(on, which);
        CHECK(on.has_all_back());
    });
}

/// Plays it for each of `Outer` with each policy inside that is no limit.
template <class... Outer>
void play_each_pair(fate which) {
    play_pairs(kind_list<Outer...>{}, plain_kinds<pairs_stand>{}, which);
}

}  // namespace support

#endif  // HAWSER_TESTS_SUPPORT_MATRIX_PAIRS_ASIO_HPP
