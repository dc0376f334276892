// SPDX-License-Identifier: BSL-1.0
#include <hawser/base/borrow.hpp>

#include "support/catch.hpp"

#include <memory>
#include <optional>

TEST_CASE("borrow: lends the object itself, to as many as want it") {
    int object = 5;
    auto const first = hawser::borrow(object), second = hawser::borrow(object);
    CHECK(&*first == &object);
    CHECK(&*second == &object);
    *first = 6;
    CHECK(object == 6);
}

TEST_CASE("borrow: lends objects that hide their address") {
    struct shy {
        int value = 1;
        shy* operator&() { return nullptr; }  // NOLINT(google-runtime-operator)
    };
    shy object;
    CHECK((*hawser::borrow(object)).value == 1);
}

TEST_CASE("borrow: a const object stays const") {
    int const object = 5;
    STATIC_REQUIRE(std::is_same_v<decltype(*hawser::borrow(object)), int const&>);
}

TEST_CASE("smart_pointer: is what owns and can be asked for its pointer") {
    STATIC_REQUIRE(hawser::smart_pointer<std::shared_ptr<int>>);
    STATIC_REQUIRE(hawser::smart_pointer<std::unique_ptr<int>>);
    STATIC_REQUIRE_FALSE(hawser::smart_pointer<int*>);
    STATIC_REQUIRE_FALSE(hawser::smart_pointer<std::optional<int>>);
    STATIC_REQUIRE_FALSE(hawser::smart_pointer<hawser::borrowed<int>>);
}
