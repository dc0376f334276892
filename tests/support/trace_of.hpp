// SPDX-License-Identifier: BSL-1.0
//
// A sink that writes every event down as one line of text, so that a test can compare what
// happened, in order, with what should.
//
//     attempt 1 | attempt 1 failed | retry again in 100ms by backoff | call ended: success
#ifndef HAWSER_TESTS_SUPPORT_TRACE_OF_HPP
#define HAWSER_TESTS_SUPPORT_TRACE_OF_HPP

#include <hawser/trace/event.hpp>

#include <algorithm>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

namespace support {

inline std::string text_of(hawser::duration length) {
    if (length == hawser::never) return "never";
    auto const ns = length.count();
    if (ns % 1'000'000 == 0) return std::to_string(ns / 1'000'000) + "ms";
    return std::to_string(ns) + "ns";
}
inline char const* text_of(hawser::verdict health) {
    constexpr char const* words[] = {"success", "failure", "neutral"};
    return words[static_cast<int>(health)];
}
inline char const* text_of(hawser::delay_source source) {
    constexpr char const* words[] = {"backoff", "retry_after", "refusal", "transparent"};
    return words[static_cast<int>(source)];
}
inline char const* text_of(hawser::give_up reason) {
    constexpr char const* words[] = {"max_attempts", "deadline",  "total_duration", "endless_wait",
                                     "budget",       "allowance", "aborted",        "stopped"};
    return words[static_cast<int>(reason)];
}

/// Thread safety: `on` may be called concurrently.
class trace_of {
public:
    using lines = std::vector<std::string>;

    void on(hawser::attempt_started const& e) { add("attempt ", e.origin.attempt); }
    void on(hawser::attempt_ended const& e) {
        add("attempt ", e.origin.attempt, " ended: ", text_of(e.result));
    }
    void on(hawser::call_ended const& e) {
        add("call ended: ", text_of(e.result), e.degraded ? " degraded" : "",
            e.code == hawser::errc{} ? "" : ", ",
            e.code == hawser::errc{} ? "" : to_string(e.code));
    }
    void on(hawser::call_refused const& e) {
        add(e.why.policy, " refused: ", to_string(e.why.code));
    }
    void on(hawser::call_waiting const& e) {
        add(e.origin.policy, e.parked ? " parked for " : " waits for ", text_of(e.wait));
    }
    void on(hawser::wait_withdrawn const& e) {
        add(e.origin.policy, " withdrawn: ", to_string(e.code));
    }
    void on(hawser::retry_scheduled const& e) {
        add(e.origin.policy, " again in ", text_of(e.delay), " by ", text_of(e.source));
    }
    void on(hawser::retry_gave_up const& e) {
        add(e.origin.policy, " gave up: ", text_of(e.reason));
    }
    void on(hawser::timeout_fired const& e) {
        add(e.origin.policy, " fired: ", text_of(e.limit), " after ", text_of(e.elapsed),
            e.cancelled ? " cancelled" : "");
    }
    void on(hawser::fallback_invoked const& e) {
        add(e.origin.policy, " invoked", e.cause == hawser::errc{} ? "" : " for ",
            e.cause == hawser::errc{} ? "" : to_string(e.cause));
    }
    void on(hawser::fallback_ended const& e) {
        add(e.origin.policy, " ended: ", text_of(e.result));
    }
    void on(hawser::predicate_threw const& e) { add(e.origin.policy, " predicate threw"); }
    void on(hawser::breaker_changed const& e) {
        add(e.origin.policy, " ", e.from, " -> ", e.to, ": ", e.cause);
    }
    void on(hawser::limit_changed const& e) {
        add(e.origin.policy, " ", e.from, " -> ", e.to,
            e.cause == hawser::limit_cause::learned ? " learned" : "");
    }
    void on(hawser::events_dropped const& e) { add(e.origin.policy, " dropped ", e.count); }

    [[nodiscard]] lines seen() const {
        std::lock_guard const lock{mutex_};
        return lines_;
    }
    /// What was seen since the last time this was asked.
    lines take() {
        std::lock_guard const lock{mutex_};
        return std::exchange(lines_, {});
    }
    [[nodiscard]] std::size_t count(std::string const& line) const {
        auto const all = seen();
        return static_cast<std::size_t>(std::count(all.begin(), all.end(), line));
    }

private:
    template <class... Parts>
    void add(Parts const&... parts) {
        std::ostringstream line;
        (line << ... << parts);
        std::lock_guard const lock{mutex_};
        lines_.push_back(line.str());
    }

    mutable std::mutex mutex_;
    lines lines_;
};

}  // namespace support

#endif  // HAWSER_TESTS_SUPPORT_TRACE_OF_HPP
