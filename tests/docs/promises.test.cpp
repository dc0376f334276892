// SPDX-License-Identifier: BSL-1.0
//
// The reference names the test that holds a promise: every test that it names exists.
#include "support/catch.hpp"
#include "support/doc_tests.hpp"

#include <filesystem>
#include <string>

namespace fs = std::filesystem;

TEST_CASE("docs: a name of a test is found on a page, with each of its cases") {
    auto const named = support::cases_named_in(
        "Text `tests/a/b.test.cpp`: \"b: one\",\n  \"b: two\nlines\". And `tests/a/c.sh`, \"no\".");
    REQUIRE(named.size() == 4);
    CHECK(named[1].file == "tests/a/b.test.cpp");
    CHECK(named[1].name == "b: one");
    CHECK(named[2].name == "b: two lines");
    CHECK(named[3].file == "tests/a/c.sh");
    CHECK(named[3].name.empty());
}

TEST_CASE("docs: a case is found in its source, also where its name stands in pieces") {
    auto const split = std::string{"TEST_CASE(\n    \"a: b\"\n    \" c\") {}\n"};
    CHECK(support::cases_of(split) == std::vector<std::string>{"a: b c"});
    CHECK(support::has_case({"tests/docs/promises.test.cpp", ""}));
    CHECK_FALSE(support::has_case({"tests/docs/promises.test.cpp", "docs: no such case"}));
    CHECK_FALSE(support::has_case({"tests/docs/no_such.test.cpp", ""}));
}

TEST_CASE("docs: a word in a name is read as what it is defined as") {
    auto const text = std::string{"TEST_CASE(\"a, \" MODE\n          \", b\", \"[tag]\") {}\n"};
    CHECK(support::cases_of("#define MODE \"fast\"\n" + text) ==
          std::vector<std::string>{"a, fast, b"});
    CHECK(support::cases_of("#define MODE \"\"\n" + text) == std::vector<std::string>{"a, , b"});
    CHECK(support::cases_of(text) == std::vector<std::string>{"a, MODE, b"});
}

TEST_CASE("docs: a case is found that a test includes, in the mode of that test alone") {
    std::string const retry = "tests/matrix/retry_";
    for (auto const* mode : {"callback", "coroutine", "sync", "MODE", ""})
        for (auto const* other : {"callback", "coroutine"}) {
            INFO(other << " has the case of " << mode);
            auto const place = "matrix: retry, " + std::string{mode} + ", ";
            auto const file = retry + other + ".test.cpp";
            CHECK(support::has_case({file, place + "exception: is tried again for a token"}) ==
                  (std::string{mode} == other));
            CHECK_FALSE(support::has_case({file, place + "exception: is tried again"}));
        }
    CHECK_FALSE(support::has_case({retry + "none.test.cpp", ""}));
}

TEST_CASE("docs: every test that a page names exists") {
    std::size_t count = 0;
    for (auto const& entry :
         fs::recursive_directory_iterator{fs::path{HAWSER_SOURCE_DIR} / "docs"}) {
        if (entry.path().extension() != ".md") continue;
        auto const page = fs::relative(entry.path(), HAWSER_SOURCE_DIR).string();
        for (auto const& named : support::cases_named_in(support::read_page(page))) {
            INFO(page << " names " << named.file << ": " << named.name);
            CHECK(support::has_case(named));
            ++count;
        }
    }
    CHECK(count > 100);  // Less would mean that the pages, or the way they are read, have changed.
}
