// SPDX-License-Identifier: BSL-1.0
//
// The drawing of the breaker's states on its page is the one that its table draws.
#include <hawser/breaker/transitions.hpp>

#include "support/catch.hpp"
#include "support/doc_tests.hpp"

#include <string>

TEST_CASE("docs: the breaker's page draws the states as the table has them") {
    auto const page = support::read_page("docs/reference/circuit_breaker.md");
    std::string const open = "```mermaid\n";
    auto const begin = page.find(open);
    REQUIRE(begin != std::string::npos);
    auto const end = page.find("```", begin + open.size());
    REQUIRE(end != std::string::npos);

    CHECK(page.substr(begin + open.size(), end - begin - open.size()) == hawser::breaker_mermaid());
}
