// SPDX-License-Identifier: BSL-1.0
#include <hawser/trace/names.hpp>
#include <hawser/trace/record.hpp>

#include "support/catch.hpp"

#include <cctype>
#include <cstddef>
#include <fstream>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

using namespace hawser;

namespace {

template <class... Events>
std::vector<event_name> names_of(std::variant<Events...> const&) {
    return {name_of<Events>...};
}

/// The structs of the header that hold an `event_origin`.
std::set<std::string> declared_events() {
    std::ifstream header{HAWSER_SOURCE_DIR "/include/hawser/trace/event.hpp"};
    std::set<std::string> events;
    std::string line, last;
    while (std::getline(header, line)) {
        if (line.starts_with("struct ")) last = line.substr(7, line.find(' ', 7) - 7);
        if (line.starts_with("    event_origin origin;")) events.insert(last);
    }
    return events;
}

}  // namespace

TEST_CASE("trace names: every event of the header can be recorded, under its own name") {
    std::set<std::string> recordable;
    for (auto const& name : names_of(any_event{})) recordable.insert(name.type);

    CHECK(recordable.size() >= 14);
    CHECK(recordable == declared_events());
}

TEST_CASE("trace names: exported names are unique, in one namespace, and spelt as the rules say") {
    std::set<std::string_view> seen;
    for (auto const& name : names_of(any_event{})) {
        std::string_view const exported{name.exported};
        CAPTURE(exported);
        CHECK(seen.insert(exported).second);
        CHECK(exported.starts_with("hawser."));
        CHECK(exported.find("..") == exported.npos);
        CHECK(exported.find("__") == exported.npos);
        CHECK(exported.back() != '.');
        for (char const c : exported)
            CHECK((std::islower(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_'));
    }
}

TEST_CASE("trace names: a label is the identifier, and a value without one is OTHER") {
    CHECK(std::string_view{label_of(errc::rate_limited)} == "rate_limited");
    CHECK(std::string_view{label_of(errc{})} == "none");
    CHECK(std::string_view{label_of(errc{200})} == "_OTHER");
    CHECK(std::string_view{label_of(verdict::neutral)} == "neutral");
    CHECK(std::string_view{label_of(delay_source::retry_after)} == "retry_after");
    CHECK(std::string_view{label_of(give_up::total_duration)} == "total_duration");
    CHECK(std::string_view{label_of(give_up::endless_wait)} == "endless_wait");
    CHECK(std::string_view{label_of(static_cast<give_up>(99))} == "_OTHER");
    CHECK(std::string_view{label_of(limit_cause::learned)} == "learned");
    CHECK(std::string_view{label_of(limit_cause::command)} == "command");
}

TEST_CASE("trace names: every refusal has a label of its own") {
    std::set<std::string_view> labels;
    int count = 0;
    for (; std::string_view{to_string(errc(count))} != "unknown error"; ++count) {
        CAPTURE(count);
        CHECK(std::string_view{label_of(errc(count))} != "_OTHER");
        labels.insert(label_of(errc(count)));
    }
    CHECK(count >= 13);
    CHECK(labels.size() == static_cast<std::size_t>(count));
}

TEST_CASE("trace names: the result of a call tells a refusal, its kinds and a fallback apart") {
    auto const result = [](verdict said, errc code, bool degraded) {
        return result_of(call_ended{{}, said, code, {}, degraded});
    };
    CHECK(result(verdict::success, {}, false) == call_result::success);
    CHECK(result(verdict::success, {}, true) == call_result::fallback);
    CHECK(result(verdict::failure, {}, false) == call_result::failure);
    CHECK(result(verdict::failure, {}, true) == call_result::failure);
    CHECK(result(verdict::neutral, {}, false) == call_result::neutral);
    CHECK(result(verdict::neutral, errc::circuit_open, false) == call_result::rejected);
    CHECK(result(verdict::failure, errc::timed_out, false) == call_result::timeout);
    CHECK(result(verdict::neutral, errc::cancelled, false) == call_result::cancelled);
    CHECK(std::string_view{label_of(call_result::rejected)} == "rejected");
}
