// SPDX-License-Identifier: BSL-1.0
#include <hawser/compose/operation.hpp>
#include <hawser/hawser.hpp>

#include "support/catch.hpp"

#include <memory>

using hawser::at_most_once;

TEST_CASE("at_most_once: calls the operation as it is, with the context if it takes it") {
    auto const line = hawser::compose(hawser::fallback{7});
    CHECK(hawser::execute(line, at_most_once([] { return 3; })) == 3);
    CHECK(hawser::execute(line, at_most_once([](auto& call) {
                              return static_cast<int>(call.attempt());
                          })) == 1);
    CHECK(hawser::execute(line,
                          at_most_once([held = std::make_unique<int>(4)] { return *held; })) == 4);
}

TEST_CASE("at_most_once: is a mark that a pipeline can see, and so is that of a retry") {
    auto const marked = at_most_once([] {});
    STATIC_REQUIRE(hawser::at_most_once_operation<std::remove_const_t<decltype(marked)>>);
    STATIC_REQUIRE_FALSE(hawser::at_most_once_operation<int (*)()>);

    auto const once = hawser::compose(hawser::fallback{7});
    auto const again = hawser::compose(hawser::retry{});
    STATIC_REQUIRE_FALSE(hawser::repeats<std::remove_const_t<decltype(once)>>);
    STATIC_REQUIRE(hawser::repeats<std::remove_const_t<decltype(again)>>);
}

TEST_CASE("at_most_once: may be repeated by whoever allows it") {
    auto const line = hawser::compose(hawser::allow<hawser::order::repeated_at_most_once>{},
                                      hawser::retry{{.max_attempts = 3}, hawser::backoff::none{}});
    int calls = 0;
    (void)hawser::try_execute(line, at_most_once([&] {
                                  ++calls;
                                  throw 1;
                              }));
    CHECK(calls == 3);
}

TEST_CASE("at_most_once: is noexcept where the operation is") {
    auto quiet = at_most_once([]() noexcept {});
    auto loud = at_most_once([] {});
    STATIC_REQUIRE(noexcept(quiet()));
    STATIC_REQUIRE_FALSE(noexcept(loud()));
}
