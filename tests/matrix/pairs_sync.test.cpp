// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: every ordered pair of the policies that learn nothing, in plain calls; those
// with an admission_control stand in a file of their own.
#include <hawser/hawser.hpp>

#include "support/catch.hpp"
#include "support/matrix_pairs_sync.hpp"

using namespace support;

static void play(sync_fate which) {
    using plain = plain_kinds<pairs_sync_stand>;
    using limits = limit_kinds<pairs_sync_stand>;
    play_pairs(plain{}, plain{}, which);
    play_pairs(plain{}, limits{}, which);
    play_pairs(limits{}, plain{}, which);
    play_pairs(limits{}, limits{}, which);
}

TEST_CASE("matrix: every pair, sync, success: is passed on, and everything comes back") {
    play(sync_fate::success);
}

TEST_CASE("matrix: every pair, sync, failure: ends once, and everything comes back") {
    play(sync_fate::failure);
}

TEST_CASE("matrix: every pair, sync, refusal: a full limit's is no vote, and all comes back") {
    play(sync_fate::refusal);
}

TEST_CASE("matrix: every pair, sync, caller cancel: one in the operation gives everything back") {
    play(sync_fate::cancel);
}

TEST_CASE("matrix: every pair, sync, caller cancel: one in a wait gives everything back") {
    play(sync_fate::cancel_in_wait);
}

TEST_CASE("matrix: every pair, sync, caller cancel: one in a limit's wait gives everything back") {
    play(sync_fate::cancel_in_queue);
}

TEST_CASE("matrix: every pair, sync, forced unwinding: everything comes back") {
    play(sync_fate::unwinding);
}
