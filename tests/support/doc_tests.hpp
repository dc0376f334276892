// SPDX-License-Identifier: BSL-1.0
//
// Which test cases a page names, and whether the sources have them.
//
// A page names cases as `tests/retry/budget.test.cpp`: "subject: promise", "subject: another", on
// one line or several. In a table whose heading names a file for a column, a cell of that column
// that begins with a quotation mark names a case of that file.
//
// A test may include its cases from a header of tests/, and a word that is defined as a literal may
// be a part of their names, so each is read as a compiler reads it.
#ifndef HAWSER_TESTS_SUPPORT_DOC_TESTS_HPP
#define HAWSER_TESTS_SUPPORT_DOC_TESTS_HPP

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace support {

inline std::string read_page(std::string const& path) {
    std::ifstream in{std::filesystem::path{HAWSER_SOURCE_DIR} / path};
    return {std::istreambuf_iterator<char>{in}, {}};
}

/// Appends a file of tests/, and in place of each `#include "…"` what that names, once.
inline void append_test(std::string& text, std::string const& path, std::set<std::string>& read) {
    static std::regex const include{R"re(#include "([^"]+)")re"};
    if (!read.insert(path).second) return;
    std::istringstream lines{read_page(path)};
    std::smatch header;
    for (std::string line; std::getline(lines, line);)
        if (std::regex_match(line, header, include))
            append_test(text, "tests/" + header[1].str(), read);
        else
            text += line + '\n';
}

/// The text of a test as a compiler reads it, as far as it stands in tests/.
inline std::string read_test(std::string const& path) {
    std::string text;
    std::set<std::string> read;
    append_test(text, path, read);
    return text;
}

/// A test case as a page names it; without a name, the file alone.
struct named_case {
    std::string file;
    std::string name;
};

/// The names in the text of a test, put together from their pieces. A word among the literals
/// stands for the one that it is defined as in the text, or else for itself.
inline std::vector<std::string> cases_of(std::string const& source) {
    static std::regex const definition{R"re(#define (\w+) "([^"]*)")re"},
        head{R"re(TEST_CASE\(((\s|\w|"[^"]*")+))re"}, piece{R"re("([^"]*)"|\w+)re"};
    std::map<std::string, std::string> meaning;
    for (std::sregex_iterator it{source.begin(), source.end(), definition}, end; it != end; ++it)
        meaning[(*it)[1]] = (*it)[2];
    std::vector<std::string> names;
    for (std::sregex_iterator it{source.begin(), source.end(), head}, end; it != end; ++it) {
        std::string const pieces = (*it)[1];
        auto& name = names.emplace_back();
        for (std::sregex_iterator in{pieces.begin(), pieces.end(), piece}; in != end; ++in) {
            auto const defined = meaning.find(in->str());
            if ((*in)[1].matched)
                name += (*in)[1];
            else
                name += defined == meaning.end() ? in->str() : defined->second;
        }
    }
    return names;
}

inline bool has_case(named_case const& named) {
    static std::map<std::string, std::vector<std::string>> read;
    auto [at, first] = read.try_emplace(named.file);
    if (first) at->second = cases_of(read_test(named.file));
    for (auto const& name : at->second)
        if (name == named.name) return true;
    return named.name.empty() &&
           std::filesystem::exists(std::filesystem::path{HAWSER_SOURCE_DIR} / named.file);
}

/// Every file of tests that the text names, with the cases that follow it.
inline std::vector<named_case> cases_named_in(std::string const& text) {
    static std::regex const file{R"(`(tests/[\w./]+\.(cpp|sh))`(:(\s*"[^"]*",?)+)?)"},
        quoted{R"re("([^"]*)")re"}, gap{R"(\s+)"};
    std::vector<named_case> named;
    for (std::sregex_iterator it{text.begin(), text.end(), file}, end; it != end; ++it) {
        named.push_back({(*it)[1], ""});
        std::string const list = (*it)[3];
        for (std::sregex_iterator in{list.begin(), list.end(), quoted}; in != end; ++in)
            named.push_back({(*it)[1], std::regex_replace((*in)[1].str(), gap, " ")});
    }
    return named;
}

/// The cells of a line of a table, without the blanks around them.
inline std::vector<std::string> cells_of(std::string const& line) {
    static std::regex const cell{R"(\|\s*([^|]*[^|\s])?\s*(?=\|))"};
    std::vector<std::string> cells;
    for (std::sregex_iterator it{line.begin(), line.end(), cell}, end; it != end; ++it)
        cells.push_back((*it)[1]);
    return cells;
}

}  // namespace support
#endif  // HAWSER_TESTS_SUPPORT_DOC_TESTS_HPP
