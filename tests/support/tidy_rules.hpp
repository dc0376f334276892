// SPDX-License-Identifier: BSL-1.0
//
// Rules about the code that a compiler does not check. Each takes one file and returns what is
// wrong with it, so that a rule can be tested on a few lines as well as held over the tree.
#ifndef HAWSER_TESTS_SUPPORT_TIDY_RULES_HPP
#define HAWSER_TESTS_SUPPORT_TIDY_RULES_HPP

#include "support/tidy_code.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace tidy {

using complaints = std::vector<std::string>;

// A header may include its own folder and folders on lower floors: so arrows only point down.
inline std::map<std::string, int> const floor_of{
    {"base", 0},    {"trace", 1}, {"stats", 1}, {"containers", 1}, {"breaker", 2}, {"retry", 2},
    {"rate", 2},    {"limit", 2}, {"flow", 2},  {"cache", 2},      {"saga", 2},    {"policy", 3},
    {"compose", 4}, {"run", 5},   {"store", 5}, {"adapt", 6},      {"testing", 7}};
inline constexpr int outside_world = 6;  // The floor on which other people's libraries may enter.

inline bool starts_with(std::string const& text, std::string const& start) {
    return text.compare(0, start.size(), start) == 0;
}

/// `rate` for `rate/token_bucket.hpp`; empty for a header on the roof, such as `hawser.hpp`.
inline std::string folder_of(std::string const& path) {
    auto const slash = path.find('/');
    return slash == std::string::npos ? std::string{} : path.substr(0, slash);
}

inline complaints names_its_licence(source const& file) {
    if (!file.lines.empty() && file.lines[0] == "// SPDX-License-Identifier: BSL-1.0") return {};
    return {"the first line is not the SPDX line"};
}

/// `path` is relative to include/hawser, here and below.
inline complaints is_guarded(source const& file, std::string const& path) {
    auto guard = "HAWSER_" + path;
    for (char& c : guard)
        c = std::isalnum(static_cast<unsigned char>(c))
                ? static_cast<char>(std::toupper(static_cast<unsigned char>(c)))
                : '_';
    for (auto const& line : {"#ifndef " + guard, "#define " + guard})
        if (std::find(file.lines.begin(), file.lines.end(), line) == file.lines.end())
            return {"has no line: " + line};
    return {};
}

inline complaints is_no_longer_than(source const& file, std::size_t lines) {
    if (file.lines.size() <= lines) return {};
    return {std::to_string(file.lines.size()) + " lines, and may have " + std::to_string(lines)};
}

inline complaints has_short_lines(source const& file) {
    complaints found;
    for (std::size_t line = 0; line != file.lines.size(); ++line) {
        auto const& text = file.lines[line];
        // Characters, not bytes: all but the continuation bytes of UTF-8.
        auto const columns =
            std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; });
        if (columns > 100)
            found.push_back("line " + std::to_string(line + 1) + " has " + std::to_string(columns) +
                            " columns");
    }
    return found;
}

inline complaints has_short_functions(source const& file) {
    complaints found;
    for (auto const& function : functions_of(code_of(file)))
        if (function.lines > 40)
            found.push_back("line " + std::to_string(function.first_line) + ": a function of " +
                            std::to_string(function.lines) + " lines: " + function.head);
    return found;
}

inline complaints includes_only_downwards(source const& file, std::string const& path) {
    auto const from = folder_of(path);
    if (from.empty()) return {};  // Umbrella headers stand on the roof.
    if (!floor_of.contains(from)) return {"stands in a folder without a floor: " + from};
    complaints found;
    for (auto const& header : includes_of(file)) {
        if (!starts_with(header, "hawser/")) continue;
        auto const target = header.substr(7), to = folder_of(target);
        if (to.empty()) {
            if (target != "version.hpp")
                found.push_back("includes a header on the roof: " + header);
        } else if (!floor_of.contains(to)) {
            found.push_back("includes from a folder without a floor: " + header);
        } else if (to != from && floor_of.at(to) >= floor_of.at(from)) {
            found.push_back("includes sideways or upwards: " + header);
        } else if (from == "policy" && to == "policy" && target != "policy/concept.hpp" &&
                   !starts_with(target, "policy/detail/")) {
            found.push_back("a policy includes another: " + header);
        }
    }
    return found;
}

inline complaints keeps_its_diet(source const& file, std::string const& path) {
    auto const folder = folder_of(path);
    bool const below =
        !folder.empty() && floor_of.contains(folder) && floor_of.at(folder) < outside_world;
    complaints found;
    for (auto const& header : includes_of(file)) {
        bool const foreign = header.find('/') != std::string::npos &&
                             !starts_with(header, "hawser/") && !starts_with(header, "boost/") &&
                             !starts_with(header, "sys/") && !starts_with(header, "bits/");
        bool const heavy = header == "iostream" || header == "functional" || header == "regex";
        if (header == "boost/asio.hpp")
            found.push_back("includes all of Asio; include the parts");
        else if (below && (heavy || foreign || starts_with(header, "boost/asio/")))
            found.push_back("includes <" + header + ">, which stays out of floors 0 to 5");
    }
    return found;
}

/// Complains about each line of code that has one of the words in it.
inline complaints says_nowhere(source const& file, std::vector<std::string> const& words) {
    complaints found;
    auto const code = code_of(file);
    for (std::size_t line = 0; line != code.lines.size(); ++line)
        for (auto const& word : words)
            if (has_word(code.lines[line], word))
                found.push_back("line " + std::to_string(line + 1) + ": " + word);
    return found;
}

/// Deadlines that follow the wall clock jump when it is set.
inline complaints reads_no_wall_clock(source const& file) {
    return says_nowhere(file, {"system_clock"});
}

/// A test that sleeps is slow, or fails on a busy machine, or both. It chooses the time instead.
inline complaints never_sleeps(source const& file) {
    return says_nowhere(file, {"sleep_for", "sleep_until", "usleep", "nanosleep", "sleep"});
}

/// What the project is built from stands in it: no path leads out of the tree.
inline complaints stays_in_the_tree(source const& file) {
    complaints found;
    for (std::size_t line = 0; line != file.lines.size(); ++line)
        for (auto const* up : {"..", "/work"})
            if (file.lines[line].find(std::string{up} + "/shared") != std::string::npos)
                found.push_back("line " + std::to_string(line + 1) + " leads out of the tree");
    return found;
}

/// Lines `<header> <test>: <why>` of tests/covered_elsewhere.txt, by header.
inline std::map<std::string, std::string> covered_elsewhere(source const& file) {
    std::map<std::string, std::string> covered;
    for (auto const& line : file.lines) {
        auto const space = line.find(' '), colon = line.find(": ");
        if (line.empty() || line[0] == '#' || space > colon || colon == std::string::npos) continue;
        covered[line.substr(0, space)] = line.substr(space + 1, colon - space - 1);
    }
    return covered;
}

/// `tests` are paths relative to tests/.
inline complaints is_tested(std::string const& path, std::set<std::string> const& tests,
                            std::map<std::string, std::string> const& covered) {
    if (folder_of(path).empty() || path.find("/detail/") != std::string::npos) return {};
    auto const own = path.substr(0, path.rfind('.')) + ".test.cpp";
    auto const line = covered.find(path);
    if (line == covered.end()) {
        if (tests.contains(own)) return {};
        return {"has no test " + own + ", and no line in covered_elsewhere.txt"};
    }
    if (tests.contains(own)) return {"has a test; its line in covered_elsewhere.txt is stale"};
    if (!tests.contains(line->second)) return {"is covered by no such test: " + line->second};
    return {};
}

}  // namespace tidy

#endif  // HAWSER_TESTS_SUPPORT_TIDY_RULES_HPP
