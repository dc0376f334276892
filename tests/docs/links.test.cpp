// SPDX-License-Identifier: BSL-1.0
//
// Links between pages, and from pages to files of the tree, lead somewhere.
#include "support/catch.hpp"
#include "support/doc_tests.hpp"

#include <cctype>
#include <filesystem>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace {

/// The targets of the links of a page that are no addresses on the web, code set aside.
std::vector<std::string> links_of(std::string const& page) {
    static std::regex const code{"```[^`]*```|`[^`]*`"}, link{R"(\]\(([^)\s]+)\))"};
    auto const text = std::regex_replace(page, code, "code");
    std::vector<std::string> links;
    for (std::sregex_iterator it{text.begin(), text.end(), link}, end; it != end; ++it)
        if ((*it)[1].str().find("://") == std::string::npos) links.push_back((*it)[1]);
    return links;
}

/// A heading as a link names it: lower case, blanks as dashes, no punctuation.
std::string anchor_of(std::string const& heading) {
    std::string anchor;
    for (char const letter : heading) {
        auto const c = static_cast<unsigned char>(letter);
        if (c == ' ')
            anchor += '-';
        else if (std::isalnum(c) != 0 || c == '_' || c == '-' || c > 127)
            anchor += static_cast<char>(std::tolower(c));
    }
    return anchor;
}

bool has_anchor(fs::path const& page, std::string const& anchor) {
    std::istringstream lines{support::read_page(page.string())};
    for (std::string line; std::getline(lines, line);) {
        auto const text = line.find_first_not_of('#');
        if (text == 0 || text == std::string::npos || line[text] != ' ') continue;
        if (anchor_of(line.substr(text + 1)) == anchor) return true;
    }
    return false;
}

/// `page` is relative to the root of the tree.
bool leads_somewhere(fs::path const& page, std::string const& link) {
    auto const hash = link.find('#');
    auto const file = link.substr(0, hash);
    auto const target = file.empty() ? page : (page.parent_path() / file).lexically_normal();
    if (!fs::exists(fs::path{HAWSER_SOURCE_DIR} / target)) return false;
    return hash == std::string::npos || has_anchor(target, link.substr(hash + 1));
}

}  // namespace

TEST_CASE("docs: links are found outside of code, and those to the web are left alone") {
    CHECK(links_of("[a](b.md) `[c](d.md)` [e](https://f) and [g](../h.md#i).") ==
          std::vector<std::string>{"b.md", "../h.md#i"});
    CHECK(anchor_of("Why it is exact") == "why-it-is-exact");
    CHECK(leads_somewhere("docs/explanation/time.md", "#lateness"));
    CHECK(leads_somewhere("docs/explanation/time.md", "../changelog.md"));
    CHECK_FALSE(leads_somewhere("docs/explanation/time.md", "#earliness"));
    CHECK_FALSE(leads_somewhere("docs/explanation/time.md", "no_such_page.md"));
}

TEST_CASE("docs: every link leads somewhere") {
    fs::path const root{HAWSER_SOURCE_DIR};
    std::vector<fs::path> pages{"README.md", "bench/README.md"};
    for (auto const& entry : fs::recursive_directory_iterator{root / "docs"})
        if (entry.path().extension() == ".md") pages.push_back(fs::relative(entry.path(), root));
    for (auto const& page : pages)
        for (auto const& link : links_of(support::read_page(page.string()))) {
            INFO(page << " links to " << link);
            CHECK(leads_somewhere(page, link));
        }
}
