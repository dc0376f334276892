// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: pairs of policies in asynchronous calls, with a concurrency_limit in each.
#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/hawser.hpp>

#include "support/catch.hpp"
#include "support/matrix_pairs_asio.hpp"

using namespace support;

static void play(fate which) {
    using limits = limit_kinds<pairs_stand>;
    using this_one = kind_list<concurrency_kind<pairs_stand>>;
    using retrying = kind_list<retry_kind<pairs_stand>>;
    play_pairs(this_one{}, limits{}, which);
    play_pairs(limits{}, this_one{}, which);
    play_pairs(this_one{}, learning_kinds<pairs_stand>{}, which);
    play_pairs(this_one{}, retrying{}, which);
    play_pairs(retrying{}, this_one{}, which);
}

TEST_CASE("matrix: pairs with a concurrency_limit, callback, success: all comes back") {
    play(fate::success);
}

TEST_CASE("matrix: pairs with a concurrency_limit, callback, failure: all comes back") {
    play(fate::failure);
}

TEST_CASE("matrix: pairs with a concurrency_limit, callback, caller cancel: all comes back") {
    play(fate::cancel);
}

TEST_CASE(
    "matrix: pairs with a concurrency_limit, callback, destroyed while suspended: all comes back") {
    play(fate::destroyed);
}
