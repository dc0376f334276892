// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: pairs of policies in asynchronous calls, with an admission_control in each.
#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/hawser.hpp>

#include "support/catch.hpp"
#include "support/matrix_pairs_asio.hpp"

using namespace support;

static void play(fate which) {
    using door = door_kinds<pairs_stand>;
    using limits = limit_kinds<pairs_stand>;
    using learning = learning_kinds<pairs_stand>;
    using retrying = kind_list<retry_kind<pairs_stand>>;
    play_pairs(door{}, door{}, which);
    play_pairs(door{}, limits{}, which);
    play_pairs(limits{}, door{}, which);
    play_pairs(door{}, learning{}, which);
    play_pairs(learning{}, door{}, which);
    play_pairs(door{}, retrying{}, which);
    play_pairs(retrying{}, door{}, which);
}

TEST_CASE("matrix: pairs with an admission_control, callback, success: all comes back") {
    play(fate::success);
}

TEST_CASE("matrix: pairs with an admission_control, callback, failure: all comes back") {
    play(fate::failure);
}

TEST_CASE("matrix: pairs with an admission_control, callback, caller cancel: all comes back") {
    play(fate::cancel);
}

TEST_CASE(
    "matrix: pairs with an admission_control, callback, destroyed while suspended: all comes "
    "back") {
    play(fate::destroyed);
}
