// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: pairs of policies in asynchronous calls, with fallback or bulkhead outside.
#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/hawser.hpp>

#include "support/catch.hpp"
#include "support/matrix_pairs_asio.hpp"

using namespace support;

static void play(fate which) {
    play_each_pair<fallback_kind<pairs_stand>, parking_kind<pairs_stand>>(which);
}

TEST_CASE("matrix: pairs with fallback or bulkhead outside, callback, success: all comes back") {
    play(fate::success);
}

TEST_CASE("matrix: pairs with fallback or bulkhead outside, callback, failure: all comes back") {
    play(fate::failure);
}

TEST_CASE(
    "matrix: pairs with fallback or bulkhead outside, callback, caller cancel: all comes back") {
    play(fate::cancel);
}

TEST_CASE(
    "matrix: pairs with fallback or bulkhead outside, callback, destroyed while suspended: all "
    "comes back") {
    play(fate::destroyed);
}
