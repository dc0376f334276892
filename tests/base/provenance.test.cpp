// SPDX-License-Identifier: BSL-1.0
#include <hawser/base/provenance.hpp>

#include "support/catch.hpp"

#include <memory>
#include <utility>

using hawser::call_error;
using hawser::errc;
using hawser::error_list;

namespace {
call_error thrown(int n) { return {.why = {}, .thrown = std::make_exception_ptr(n)}; }
call_error refused(errc code) { return {.why = {.code = code}, .thrown = {}}; }
}  // namespace

TEST_CASE("provenance: by default the answer is the operation's own, of now") {
    hawser::provenance const origin;
    CHECK(origin.attempts == 0);
    CHECK_FALSE(origin.degraded);
    CHECK_FALSE(origin.stale);
    CHECK_FALSE(origin.late);
    CHECK(origin.source == nullptr);
    CHECK(origin.age == hawser::duration::zero());
}

TEST_CASE("error_list: keeps the first errors, oldest first, and counts the others") {
    error_list list;
    CHECK(list.empty());
    list.add(refused(errc::circuit_open));
    CHECK(list.front().why.code == errc::circuit_open);
    list.add(thrown(2));
    CHECK(list.dropped() == 0);
    list.add(thrown(3));
    CHECK(list.size() == error_list::capacity);
    CHECK(list.dropped() == 1);
    CHECK(list.front().why.code == errc::circuit_open);
    CHECK((list.begin() + 1)->thrown != nullptr);
    CHECK(list.end() - list.begin() == 2);
}

TEST_CASE("error_list: the count of what it dropped stands still at its largest") {
    error_list list;
    for (int i = 0; i < 1000; ++i) list.add(refused(errc::closed));
    CHECK(list.dropped() == 255);
}

TEST_CASE("error_list: moves whole, and leaves an empty one") {
    auto const error = thrown(1);
    error_list from;
    from.add(error);
    from.add(refused(errc::closed));
    from.add(refused(errc::closed));

    error_list to{std::move(from)};
    CHECK(from.empty());
    CHECK(from.dropped() == 0);
    CHECK(to.size() == 2);
    CHECK(to.dropped() == 1);
    CHECK(to.front().thrown == error.thrown);

    error_list other;
    other.add(refused(errc::conflict));
    other = std::move(to);
    CHECK(other.size() == 2);
    CHECK(to.empty());
    auto& same = other;
    other = std::move(same);
    CHECK(other.size() == 2);
}

TEST_CASE("error_list: lets go of its errors when cleared") {
    struct tracked {
        std::shared_ptr<int> alive;
    };
    auto const alive = std::make_shared<int>(0);
    error_list list;
    list.add({.why = {}, .thrown = std::make_exception_ptr(tracked{alive})});
    CHECK(alive.use_count() == 2);
    list.clear();
    CHECK(alive.use_count() == 1);
    CHECK(list.empty());
}
