// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: every policy, in every mode, has a test or a reason for every end of a call.
#include "support/catch.hpp"
#include "support/doc_tests.hpp"

#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

std::set<std::string> const policies{"retry",         "circuit_breaker",   "attempt_timeout",
                                     "total_timeout", "fallback",          "rate_limit",
                                     "bulkhead",      "admission_control", "concurrency_limit",
                                     "throttle",      "isolated",          "parking policy"};
std::set<std::string> const ends{"success",
                                 "failure",
                                 "refusal",
                                 "exception",
                                 "caller cancel",
                                 "timeout",
                                 "destroyed while waiting",
                                 "destroyed while suspended",
                                 "forced unwinding"};
std::vector<std::string> const modes{"sync", "callback", "coroutine"};

/// The part of a heading before its file: `sync` of "sync `tests/…`".
std::string first_word(std::string const& cell) { return cell.substr(0, cell.find(' ')); }

std::string file_of(std::string const& heading) {
    auto const named = support::cases_named_in(heading);
    return named.empty() ? "" : named.front().file;
}

/// The cases of tests/matrix that the page names.
std::set<std::string> named_on_page;

/// A cell names cases of its own, which say their place in their names and stand in the column's
/// file: "ends the backoff" for "matrix: retry, sync, caller cancel: ends the backoff". Or it names
/// whole cases of other files, or begins with a dash and gives a reason.
void check_cell(std::string const& cell, std::string const& file, std::string const& place) {
    static std::regex const quoted{R"re("([^"]*)")re"};
    for (auto const& elsewhere : support::cases_named_in(cell)) {
        INFO(elsewhere.file << ": " << elsewhere.name);
        CHECK(support::has_case(elsewhere));
    }
    if (cell.rfind("— ", 0) == 0 || cell.rfind("`tests/", 0) == 0) {
        CHECK(cell.size() > 20);
        return;
    }
    std::sregex_iterator it{cell.begin(), cell.end(), quoted}, end;
    CHECK(it != end);
    for (; it != end; ++it) {
        auto const name = "matrix: " + place + ": " + (*it)[1].str();
        INFO(file << ": " << name);
        CHECK(support::has_case({file, name}));
        CHECK(named_on_page.insert(name).second);
    }
}

}  // namespace

TEST_CASE("matrix: every policy has a test or a reason for every end of a call in every mode") {
    std::istringstream page{support::read_page("docs/reference/matrix.md")};
    std::string policy;
    std::vector<std::string> heading;
    std::map<std::string, std::set<std::string>> seen;
    for (std::string line; std::getline(page, line);) {
        if (line.rfind("## ", 0) == 0) policy = line.substr(3), heading.clear();
        if (line.rfind("- `tests/matrix/", 0) == 0)
            for (auto const& whole : support::cases_named_in(line)) {
                INFO(whole.file << ": " << whole.name);
                CHECK(support::has_case(whole));
                named_on_page.insert(whole.name);
            }
        if (line.rfind("|", 0) != 0 || policies.count(policy) == 0) continue;
        auto const cells = support::cells_of(line);
        INFO(policy << ": " << line);
        REQUIRE(cells.size() == modes.size() + 1);
        if (cells[0].find("---") == 0) continue;
        if (heading.empty()) {
            heading = cells;
            for (std::size_t i = 0; i != modes.size(); ++i)
                CHECK(first_word(heading[i + 1]) == modes[i]);
            continue;
        }
        CHECK(ends.count(cells[0]) == 1);
        seen[policy].insert(cells[0]);
        for (std::size_t i = 1; i != cells.size(); ++i)
            check_cell(cells[i], file_of(heading[i]),
                       policy + ", " + modes[i - 1] + ", " + cells[0]);
    }
    for (auto const& name : policies) {
        INFO(name);
        CHECK(seen[name] == ends);
    }

    for (auto const& entry : std::filesystem::directory_iterator{
             std::filesystem::path{HAWSER_SOURCE_DIR} / "tests/matrix"})
        if (entry.path().extension() == ".cpp") {
            auto const file = "tests/matrix/" + entry.path().filename().string();
            INFO(file);
            auto const cases = support::cases_of(support::read_test(file));
            CHECK_FALSE(cases.empty());
            for (auto const& name : cases) {
                INFO(name);
                CHECK(named_on_page.count(name) == 1);
            }
        }
}
