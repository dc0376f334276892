// SPDX-License-Identifier: BSL-1.0
//
// The rules about the code that a compiler does not check, checked like any other promise: first
// that each rule notices what breaks it, then that the tree keeps it.
#include "support/catch.hpp"
#include "support/tidy_rules.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

namespace fs = std::filesystem;
using namespace tidy;

static fs::path const root{HAWSER_SOURCE_DIR};

static source read(fs::path const& path) {
    std::ifstream file{path};
    std::ostringstream text;
    text << file.rdbuf();
    return source_of(text.str());
}

/// Paths relative to `folder`, sorted; of C++ files, or of all.
static std::set<std::string> files_below(fs::path const& folder, bool all = false) {
    std::set<std::string> paths;
    if (!fs::exists(folder)) return paths;
    for (auto const& entry : fs::recursive_directory_iterator{folder}) {
        auto const extension = entry.path().extension();
        if (entry.is_regular_file() && (all || extension == ".hpp" || extension == ".cpp"))
            paths.insert(fs::relative(entry.path(), folder).generic_string());
    }
    return paths;
}

static void check(std::string const& path, complaints const& found) {
    for (auto const& complaint : found) FAIL_CHECK(path << ": " << complaint);
    if (found.empty()) SUCCEED();
}

template <class Rule>
static void hold_over_headers(Rule const& rule) {
    auto const headers = files_below(root / "include/hawser");
    REQUIRE_FALSE(headers.empty());
    for (auto const& path : headers) check(path, rule(read(root / "include/hawser" / path), path));
}

template <class Rule>
static void hold_over_code(std::vector<std::string> const& folders, Rule const& rule) {
    for (auto const& folder : folders)
        for (auto const& path : files_below(root / folder))
            check(folder + "/" + path, rule(read(root / folder / path), folder + "/" + path));
}

static source lines(std::size_t count) { return {std::vector<std::string>(count, "f();")}; }

TEST_CASE("tidy: a file names its licence in its first line") {
    CHECK(names_its_licence(source_of("// SPDX-License-Identifier: BSL-1.0\n")).empty());
    CHECK(names_its_licence(source_of("\n// SPDX-License-Identifier: BSL-1.0\n")).size() == 1);
    CHECK(names_its_licence(source_of("")).size() == 1);

    hold_over_code({"include", "tests", "bench", "examples"},
                   [](source const& file, auto const&) { return names_its_licence(file); });
}

TEST_CASE("tidy: a header has the guard that its path says") {
    auto const guarded = source_of("#ifndef HAWSER_BASE_X_HPP\n#define HAWSER_BASE_X_HPP\n");
    CHECK(is_guarded(guarded, "base/x.hpp").empty());
    CHECK(is_guarded(guarded, "base/y.hpp").size() == 1);

    hold_over_headers(is_guarded);
}

TEST_CASE("tidy: a header has at most 300 lines") {
    CHECK(is_no_longer_than(lines(300), 300).empty());
    CHECK(is_no_longer_than(lines(301), 300).size() == 1);

    hold_over_headers([](auto const& file, auto const&) { return is_no_longer_than(file, 300); });
}

TEST_CASE("tidy: a line has at most 100 columns") {
    CHECK(has_short_lines({{std::string(100, 'x')}}).empty());
    CHECK(has_short_lines({{std::string(99, 'x') + "\u00e9"}}).empty());
    CHECK(has_short_lines({{"", std::string(101, 'x')}}).size() == 1);

    hold_over_code({"include", "tests", "bench", "examples"},
                   [](source const& file, auto const&) { return has_short_lines(file); });
}

TEST_CASE("tidy: a function has at most 40 lines") {
    auto const body = [](std::size_t count) { return text_of(lines(count)); };
    auto const wrap = [&](std::string const& head, std::size_t count) {
        return has_short_functions(source_of(head + " {\n" + body(count) + "}\n")).size();
    };
    CHECK(wrap("int f(int x)", 38) == 0);
    for (auto const* head :
         {"int f(int x)", "template <class T>\nvoid f(T& x) noexcept", "x() : a_{1}, b_{2}",
          "inline constexpr auto f = []<class T>(T x)", "void f(options const& o = {})"}) {
        INFO(head);
        CHECK(wrap(head, 40) == 1);
    }
    for (auto const* head : {"namespace a::b", "template <class T> class x", "enum class e : int",
                             "class [[gnu::visibility(\"default\")]] x final : public y<int>",
                             "template <class T> requires(sizeof(T) > 1) struct x"}) {
        INFO(head);
        CHECK(wrap(head, 40) == 0);
        auto const inside = std::string{"public:\n int g(int x) {\n"} + body(40) + "}\n";
        CHECK(has_short_functions(source_of(std::string{head} + " {\n" + inside + "}\n")).size() ==
              1);
    }
    auto const text = "int f() {\n// {\nauto x = '{'; auto y = \"{\"; auto z = 1'000;\n}\n";
    CHECK(has_short_functions(source_of(text + body(40))).empty());

    hold_over_headers([](auto const& file, auto const&) { return has_short_functions(file); });
}

TEST_CASE("tidy: a header includes its own folder and lower floors only") {
    auto const complaints_of = [](char const* header, char const* path) {
        auto const line = std::string{"# include <"} + header + ">\n";
        return includes_only_downwards(source_of(line), path).size();
    };
    CHECK(complaints_of("hawser/base/time.hpp", "rate/x.hpp") == 0);
    CHECK(complaints_of("hawser/rate/y.hpp", "rate/x.hpp") == 0);
    CHECK(complaints_of("hawser/policy/concept.hpp", "policy/x.hpp") == 0);
    CHECK(complaints_of("hawser/policy/detail/y.hpp", "policy/x.hpp") == 0);
    CHECK(complaints_of("hawser/compose/context.hpp", "hawser.hpp") == 0);
    CHECK(complaints_of("vector", "rate/x.hpp") == 0);

    CHECK(complaints_of("hawser/policy/y.hpp", "policy/x.hpp") == 1);
    CHECK(complaints_of("hawser/policy/y.hpp", "rate/x.hpp") == 1);
    CHECK(complaints_of("hawser/breaker/y.hpp", "rate/x.hpp") == 1);
    CHECK(complaints_of("hawser/testing/y.hpp", "adapt/x.hpp") == 1);
    CHECK(complaints_of("hawser/adapt/y.hpp", "testing/x.hpp") == 0);
    CHECK(complaints_of("hawser/hawser.hpp", "rate/x.hpp") == 1);
    CHECK(complaints_of("hawser/attic/y.hpp", "rate/x.hpp") == 1);
    CHECK(complaints_of("vector", "attic/x.hpp") == 1);

    hold_over_headers(includes_only_downwards);
}

TEST_CASE("tidy: floors 0 to 5 include neither heavy headers nor other people's libraries") {
    auto const complaints_of = [](char const* header, char const* path) {
        return keeps_its_diet({{std::string{"#include <"} + header + ">"}}, path).size();
    };
    CHECK(complaints_of("atomic", "base/x.hpp") == 0);
    CHECK(complaints_of("boost/intrusive/list.hpp", "containers/x.hpp") == 0);
    CHECK(complaints_of("boost/asio/post.hpp", "adapt/asio/x.hpp") == 0);
    CHECK(complaints_of("absl/status/status.h", "adapt/abseil.hpp") == 0);

    for (auto const* header : {"iostream", "functional", "regex", "absl/status/status.h",
                               "boost/asio/post.hpp", "boost/asio.hpp"})
        CHECK(complaints_of(header, "store/x.hpp") == 1);
    CHECK(complaints_of("boost/asio.hpp", "adapt/asio/x.hpp") == 1);

    hold_over_headers(keeps_its_diet);
    hold_over_code({"tests", "bench", "examples"}, [](source const& file, auto const&) {
        return keeps_its_diet(file, "adapt/any.hpp");
    });
}

TEST_CASE("tidy: no header reads the wall clock") {
    CHECK(reads_no_wall_clock(source_of("// Not system_clock: it jumps.\n")).empty());
    CHECK(reads_no_wall_clock(source_of("std::chrono::system_clock::now();\n")).size() == 1);

    hold_over_headers([](auto const& file, auto const&) { return reads_no_wall_clock(file); });
}

TEST_CASE("tidy: no test sleeps") {
    CHECK(never_sleeps(source_of("auto x = \"sleep_for\";  // sleep_for\n")).empty());
    CHECK(never_sleeps(source_of("std::this_thread::sleep_for(1s);\n::usleep(1);\n")).size() == 2);

    hold_over_code({"tests"}, [](source const& file, std::string const& path) {
        return starts_with(path, "tests/support/") ? complaints{} : never_sleeps(file);
    });
}

TEST_CASE("tidy: a header has a test, or a line that names the test that covers it") {
    std::map<std::string, std::string> const covered{{"rate/y.hpp", "rate/x.test.cpp"},
                                                     {"rate/z.hpp", "rate/gone.test.cpp"},
                                                     {"rate/x.hpp", "rate/y.test.cpp"}};
    std::set<std::string> const tests{"rate/x.test.cpp", "rate/w.test.cpp"};
    for (auto const* path : {"rate/w.hpp", "rate/y.hpp", "rate/detail/v.hpp", "hawser.hpp"})
        CHECK(is_tested(path, tests, covered).empty());
    for (auto const* path : {"rate/u.hpp", "rate/z.hpp", "rate/x.hpp"})
        CHECK(is_tested(path, tests, covered).size() == 1);
    CHECK(covered_elsewhere(source_of("# why\na/x.hpp a/y.test.cpp: because\n")) ==
          std::map<std::string, std::string>{{"a/x.hpp", "a/y.test.cpp"}});

    auto const lines = covered_elsewhere(read(root / "tests/covered_elsewhere.txt"));
    for (auto const& [header, test] : lines) {
        INFO("covered_elsewhere.txt: " << header);
        CHECK(fs::exists(root / "include/hawser" / header));
    }
    hold_over_headers([&, all = files_below(root / "tests")](auto const&, std::string const& path) {
        return is_tested(path, all, lines);
    });
}

TEST_CASE("tidy: nothing leads out of the tree") {
    auto const up = std::string{".."} + "/shared";
    CHECK(stays_in_the_tree(source_of("see docs/shared.md\n")).empty());
    CHECK(stays_in_the_tree(source_of("see " + up + "/x.md\n")).size() == 1);

    for (auto const& entry : fs::directory_iterator{root}) {
        auto const name = entry.path().filename().string();
        if (name == ".git" || name == ".cache" || starts_with(name, "build")) continue;
        if (entry.is_regular_file()) check(name, stays_in_the_tree(read(entry.path())));
        if (!entry.is_directory()) continue;
        for (auto const& path : files_below(entry.path(), true))
            check(name + "/" + path, stays_in_the_tree(read(entry.path() / path)));
    }
}

TEST_CASE("tidy: a decision page stays under 60 lines") {
    for (auto const& path : files_below(root / "docs/decisions", true))
        check(path, is_no_longer_than(read(root / "docs/decisions" / path), 59));
}
