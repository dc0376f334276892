// SPDX-License-Identifier: BSL-1.0
//
// trace_difference: whether a trace is the one that a test expects, and where not.
//
//     recorder seen;
//     ...
//     CHECK(testing::trace_difference(seen, {
//         "pipeline attempt 1: attempt_started",
//         "...",                                                       // any number of events
//         "retry attempt 1: retry_scheduled in 100ms (backoff)",
//         "@100.000ms pipeline attempt 2: attempt_started",            // and when
//         "*: call_ended success after *",
//     }) == "");
#ifndef HAWSER_TESTING_TRACE_EXPECTATION_HPP
#define HAWSER_TESTING_TRACE_EXPECTATION_HPP

#include <hawser/base/time.hpp>
#include <hawser/trace/record.hpp>
#include <hawser/trace/recorder.hpp>

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace hawser::inline v0::testing {

namespace detail {

/// Whether `text` is what `pattern` says, where `*` is any run of characters.
[[nodiscard]] inline bool fits_pattern(std::string_view text, std::string_view pattern) noexcept {
    std::size_t at = 0, in = 0, star = pattern.npos, retry_from = 0;
    while (at != text.size()) {
        if (in != pattern.size() && pattern[in] == '*') {
            star = in++;
            retry_from = at;
        } else if (in != pattern.size() && pattern[in] == text[at]) {
            ++in, ++at;
        } else if (star != pattern.npos) {
            in = star + 1;  // The last star takes one more character.
            at = ++retry_from;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', in) == pattern.npos;
}

/// Compares a trace with what is expected of it.
class trace_matcher {
public:
    trace_matcher(std::vector<record> const& seen, std::initializer_list<std::string_view> expected,
                  time_point zero)
        : expected_{expected} {
        for (auto const& event : seen) {
            lines_.push_back(describe(event));
            timed_.push_back("@" + describe(event, zero));
        }
    }

    [[nodiscard]] std::string difference() {
        std::size_t at = 0, in = 0;
        for (std::size_t gap = none, retry_from = 0; at != lines_.size();) {
            if (in != expected_.size() && expected_[in] == "...") {
                gap = in++;
                retry_from = at;
            } else if (in != expected_.size() && fits(at, expected_[in])) {
                ++in, ++at;
            } else {
                note(at, in);
                if (gap == none) return report();
                in = gap + 1;  // The last gap takes one more event.
                at = ++retry_from;
            }
        }
        while (in != expected_.size() && expected_[in] == "...") ++in;
        if (in == expected_.size()) return "";
        note(at, in);
        return report();
    }

private:
    static constexpr auto none = static_cast<std::size_t>(-1);

    [[nodiscard]] bool fits(std::size_t event, std::string_view pattern) const noexcept {
        auto const timed = pattern.starts_with('@');
        return fits_pattern(timed ? timed_[event] : lines_[event], pattern);
    }

    /// Keeps the difference that lies furthest on: gaps are tried from the shortest up.
    void note(std::size_t event, std::size_t pattern) noexcept {
        if (noted_ && pattern < pattern_) return;
        noted_ = true;
        event_ = event;
        pattern_ = pattern;
    }

    [[nodiscard]] std::string report() const {
        auto text = "event " + std::to_string(event_ + 1) + " is not as expected\n  expected: ";
        text += pattern_ < expected_.size() ? std::string{expected_[pattern_]} : "the end";
        text += "\n  seen:     " + (event_ < lines_.size() ? timed_[event_] : "the end");
        text += "\nthe whole trace:";
        for (auto const& line : timed_) text += "\n  " + line;
        return text;
    }

    std::vector<std::string_view> expected_;
    std::vector<std::string> lines_;
    std::vector<std::string> timed_;
    bool noted_ = false;
    std::size_t event_ = 0;
    std::size_t pattern_ = 0;
};

}  // namespace detail

/// Where `seen` first differs from `expected`, in words; empty if it does not.
///
/// Each expected line stands for one event, as `describe` tells it. In a line, `*` stands for any
/// run of characters; the line `...` for any number of events. A line that begins with `@` says
/// when, too: in milliseconds since `zero`.
[[nodiscard]] inline std::string trace_difference(std::vector<record> const& seen,
                                                  std::initializer_list<std::string_view> expected,
                                                  time_point zero) {
    return detail::trace_matcher{seen, expected, zero}.difference();
}

/// The same, with times since the first event.
[[nodiscard]] inline std::string trace_difference(
    std::vector<record> const& seen, std::initializer_list<std::string_view> expected) {
    return testing::trace_difference(seen, expected,
                                     seen.empty() ? time_point{} : seen.front().origin().at);
}

/// The same for all that a recorder was given. A trace of which it had to drop some differs.
[[nodiscard]] inline std::string trace_difference(
    recorder const& seen, std::initializer_list<std::string_view> expected) {
    if (auto const dropped = seen.dropped(); dropped != 0)
        return "the recorder dropped " + std::to_string(dropped) + " events";
    return testing::trace_difference(seen.snapshot(), expected);
}

}  // namespace hawser::inline v0::testing
#endif  // HAWSER_TESTING_TRACE_EXPECTATION_HPP
