// SPDX-License-Identifier: BSL-1.0
#include <hawser/run/transfer.hpp>

#include "support/catch.hpp"

#include <array>
#include <memory>
#include <set>
#include <string>
#include <type_traits>
#include <utility>

using hawser::errc;
using hawser::received;
using hawser::sent;
using hawser::transfer;

static constexpr std::array all{transfer::done,      transfer::would_wait, transfer::closed,
                                transfer::timed_out, transfer::cancelled,  transfer::crowded,
                                transfer::too_large};

TEST_CASE("transfer: every answer has words of its own") {
    std::set<std::string> words;
    for (auto const what : all) words.insert(to_string(what));
    CHECK(words.size() == all.size());
    CHECK_FALSE(words.contains("unknown transfer"));
    CHECK(to_string(static_cast<transfer>(200)) == std::string{"unknown transfer"});
}

TEST_CASE("transfer: every answer but success is a reason of refusal") {
    for (auto const what : all) CHECK((code_of(what) == errc{}) == (what == transfer::done));
    CHECK(code_of(transfer::closed) == errc::closed);
    CHECK(code_of(transfer::timed_out) == errc::timed_out);
    CHECK(code_of(transfer::cancelled) == errc::cancelled);
    CHECK(code_of(transfer::would_wait) == errc::overloaded);
    CHECK(code_of(transfer::crowded) == errc::overloaded);
    CHECK(code_of(transfer::too_large) == errc::too_large);
    CHECK(code_of(static_cast<transfer>(200)) == errc::overloaded);
}

TEST_CASE("transfer: a send is true if the value has been sent") {
    for (auto const what : all) {
        CHECK(bool{sent{what}} == (what == transfer::done));
        CHECK(sent{what}.what() == what);
        CHECK(sent{what} == what);
    }
    static_assert(!std::is_convertible_v<sent, bool>, "a count of successes is written out");
}

TEST_CASE("transfer: a receive is true if there is a value, and says why else") {
    received<int> got;
    for (auto const what : all) {
        if (what == transfer::done) continue;
        hawser::detail::end_with(got, what);
        CHECK_FALSE(got);
        CHECK_FALSE(got.has_value());
        CHECK(got.what() == what);
    }
    hawser::detail::slot_of(got) = 7;
    CHECK(got);
    CHECK(got.what() == transfer::done);
    CHECK(*got == 7);
    CHECK(*std::as_const(got) == 7);
}

TEST_CASE("transfer: a value is reached in place, and moved out") {
    received<std::unique_ptr<std::string>> got;
    hawser::detail::slot_of(got) = std::make_unique<std::string>("cargo");
    CHECK((*got)->size() == 5);
    CHECK(got->get() == (*got).get());
    CHECK(std::as_const(got)->get() == got->get());
    auto const moved = *std::move(got);
    CHECK(*moved == "cargo");
}
