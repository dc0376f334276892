// SPDX-License-Identifier: BSL-1.0
#include <hawser/base/parts.hpp>

#include "support/catch.hpp"

#include <concepts>
#include <memory>
#include <string>

using namespace hawser::detail;

namespace {

struct number_kind {
    template <class Part>
    static constexpr bool is = std::integral<Part>;
    using standard = int;
};
struct text_kind {
    template <class Part>
    static constexpr bool is = std::same_as<Part, std::string>;
    using standard = std::string;
};
struct owner_kind {
    template <class Part>
    static constexpr bool is = std::same_as<Part, std::unique_ptr<int>>;
    using standard = std::unique_ptr<int>;
};
using some_kinds = kinds<number_kind, text_kind>;

}  // namespace

TEST_CASE("parts: each is found by its kind, wherever it stands") {
    long number = 5;
    std::string text = "five";
    STATIC_REQUIRE(std::is_same_v<part_t<number_kind, std::string, long>, long>);
    CHECK(take_part<number_kind>(number, text) == 5);
    CHECK(take_part<number_kind>(text, number) == 5);
    std::string again = "five";
    CHECK(take_part<text_kind>(number, again) == "five");
}

TEST_CASE("parts: where none is given the standard one stands") {
    long number = 5;
    STATIC_REQUIRE(std::is_same_v<part_t<text_kind, long>, std::string>);
    CHECK(take_part<text_kind>(number).empty());
    CHECK(take_part<text_kind>().empty());
}

TEST_CASE("parts: are moved out of where they were") {
    int number = 0;
    auto owner = std::make_unique<int>(7);
    auto const taken = take_part<owner_kind>(number, owner);
    CHECK(*taken == 7);
    CHECK(owner == nullptr);
}

TEST_CASE("parts: a list of kinds knows its parts, and no more than one of each") {
    STATIC_REQUIRE(some_kinds::know_all<int, std::string>);
    STATIC_REQUIRE(some_kinds::know_all<>);
    STATIC_REQUIRE_FALSE(some_kinds::know_all<int, double>);
    STATIC_REQUIRE(some_kinds::none_twice<int, std::string>);
    STATIC_REQUIRE_FALSE(some_kinds::none_twice<int, long>);
    STATIC_REQUIRE(count_of<number_kind, int, long, std::string> == 2);
}

TEST_CASE("parts: what is of two kinds is of none that could be chosen") {
    STATIC_REQUIRE_FALSE(kinds<number_kind, number_kind>::know_all<int>);
}
