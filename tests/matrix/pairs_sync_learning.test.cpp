// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: every ordered pair, in plain calls, with a limit in it that learns from how
// calls end. What only passes through or waits teaches no overload.
#include <hawser/hawser.hpp>

#include "support/catch.hpp"
#include "support/matrix_pairs_sync.hpp"

using namespace support;

static void play(sync_fate which) {
    using plain = plain_kinds<pairs_sync_stand>;
    using limits = limit_kinds<pairs_sync_stand>;
    using learning = learning_kinds<pairs_sync_stand>;
    play_pairs(learning{}, learning{}, which);
    play_pairs(learning{}, plain{}, which);
    play_pairs(learning{}, limits{}, which);
    play_pairs(plain{}, learning{}, which);
    play_pairs(limits{}, learning{}, which);
}

TEST_CASE("matrix: pairs that learn, sync, success: is passed on, and everything comes back") {
    play(sync_fate::success);
}

TEST_CASE("matrix: pairs that learn, sync, failure: ends once, and everything comes back") {
    play(sync_fate::failure);
}

TEST_CASE(
    "matrix: pairs that learn, sync, refusal: a full limit's is no vote, and all comes back") {
    play(sync_fate::refusal);
}

TEST_CASE("matrix: pairs that learn, sync, caller cancel: one in the operation gives all back") {
    play(sync_fate::cancel);
}

TEST_CASE("matrix: pairs that learn, sync, caller cancel: one in a wait gives everything back") {
    play(sync_fate::cancel_in_wait);
}

TEST_CASE("matrix: pairs that learn, sync, caller cancel: one in a limit's wait gives all back") {
    play(sync_fate::cancel_in_queue);
}

TEST_CASE("matrix: pairs that learn, sync, forced unwinding: everything comes back") {
    play(sync_fate::unwinding);
}
