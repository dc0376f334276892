// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: pairs of policies in asynchronous calls, with a limit in each. A turn or a
// permit is taken for every attempt where the limit is inside, and once where it is outside.
#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/hawser.hpp>

#include "support/catch.hpp"
#include "support/matrix_pairs_asio.hpp"

using namespace support;

static void play(fate which) {
    using limits = limit_kinds<pairs_stand>;
    using retrying = kind_list<retry_kind<pairs_stand>>;
    play_pairs(limits{}, limits{}, which);
    play_pairs(limits{}, retrying{}, which);
    play_pairs(retrying{}, limits{}, which);
}

TEST_CASE("matrix: pairs with a limit, callback, success: all comes back") { play(fate::success); }

TEST_CASE("matrix: pairs with a limit, callback, failure: all comes back") { play(fate::failure); }

TEST_CASE("matrix: pairs with a limit, callback, caller cancel: all comes back") {
    play(fate::cancel);
}

TEST_CASE("matrix: pairs with a limit, callback, destroyed while suspended: all comes back") {
    play(fate::destroyed);
}
