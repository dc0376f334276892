// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: every ordered pair, in plain calls, with an admission_control in it.
#include <hawser/hawser.hpp>

#include "support/catch.hpp"
#include "support/matrix_pairs_sync.hpp"

using namespace support;

static void play(sync_fate which) {
    using plain = plain_kinds<pairs_sync_stand>;
    using limits = limit_kinds<pairs_sync_stand>;
    using learning = learning_kinds<pairs_sync_stand>;
    using door = door_kinds<pairs_sync_stand>;
    play_pairs(door{}, door{}, which);
    play_pairs(door{}, plain{}, which);
    play_pairs(door{}, limits{}, which);
    play_pairs(door{}, learning{}, which);
    play_pairs(plain{}, door{}, which);
    play_pairs(limits{}, door{}, which);
    play_pairs(learning{}, door{}, which);
}

TEST_CASE(
    "matrix: pairs with an admission_control, sync, success: is passed on, and all comes back") {
    play(sync_fate::success);
}

TEST_CASE("matrix: pairs with an admission_control, sync, failure: ends once, and all comes back") {
    play(sync_fate::failure);
}

TEST_CASE(
    "matrix: pairs with an admission_control, sync, refusal: a full limit's is no vote, and all "
    "comes back") {
    play(sync_fate::refusal);
}

TEST_CASE(
    "matrix: pairs with an admission_control, sync, caller cancel: one in the operation gives all "
    "back") {
    play(sync_fate::cancel);
}

TEST_CASE(
    "matrix: pairs with an admission_control, sync, caller cancel: one in a wait gives all back") {
    play(sync_fate::cancel_in_wait);
}

TEST_CASE(
    "matrix: pairs with an admission_control, sync, caller cancel: one in a limit's wait gives all "
    "back") {
    play(sync_fate::cancel_in_queue);
}

TEST_CASE(
    "matrix: pairs with an admission_control, sync, forced unwinding: everything comes back") {
    play(sync_fate::unwinding);
}
