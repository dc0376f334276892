// SPDX-License-Identifier: BSL-1.0
//
// The circuit breaker's states, and the one table of what leads from which to which.
//
//                     tripped                    wait elapsed
//      +--------+ ---------------> +------+ ------------------> +-----------+
//      | closed |                  | open |                     | half_open |
//      +--------+ <---+            +------+ <------------------ +-----------+
//                     |                        probes failed          |
//                     +------------------ probes passed --------------+
//
//      by command, from everywhere: isolated, disabled, metrics_only; and `reset` back to closed
//
// The machine looks its steps up here, the exhaustive test walks every cell, and `breaker_mermaid`
// draws it: there is no second place that could disagree.
#ifndef HAWSER_BREAKER_TRANSITIONS_HPP
#define HAWSER_BREAKER_TRANSITIONS_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace hawser::inline v0 {

/// What a breaker does with calls.
enum class breaker_state : std::uint8_t {
    closed,        ///< Admits and counts every call.
    open,          ///< Refuses every call until its wait is over.
    half_open,     ///< Admits a few probes, and decides by their votes.
    isolated,      ///< Refuses every call until a command says otherwise.
    disabled,      ///< Admits every call and counts none.
    metrics_only,  ///< Admits and counts every call; only notes when it would have opened.
};
inline constexpr std::size_t breaker_state_count = 6;

/// What can happen to a breaker.
enum class breaker_event : std::uint8_t {
    tripped,        ///< A rule found too many bad calls.
    wait_elapsed,   ///< The first call after the open time asks to be admitted.
    probes_passed,  ///< Enough probes succeeded; the others cannot change that.
    probes_failed,  ///< So many probes failed that enough successes are out of reach.
    isolate,        ///< The commands.
    disable,
    observe,
    reset,
};
inline constexpr std::size_t breaker_event_count = 8;

/// Why a transition took place, as observers are told.
enum class breaker_cause : std::uint8_t {
    tripped,
    would_have_tripped,
    wait_elapsed,
    probes_passed,
    probes_failed,
    isolate_command,
    disable_command,
    observe_command,
    reset_command,
};

/// The name in lower case, as it is spelt in the code. Static.
[[nodiscard]] constexpr char const* to_string(breaker_state state) noexcept {
    constexpr std::array names{"closed",   "open",     "half_open",
                               "isolated", "disabled", "metrics_only"};
    auto const index = static_cast<std::size_t>(state);
    return index < names.size() ? names[index] : "unknown";
}
[[nodiscard]] constexpr char const* to_string(breaker_event event) noexcept {
    constexpr std::array names{"tripped", "wait_elapsed", "probes_passed", "probes_failed",
                               "isolate", "disable",      "observe",       "reset"};
    auto const index = static_cast<std::size_t>(event);
    return index < names.size() ? names[index] : "unknown";
}
[[nodiscard]] constexpr char const* to_string(breaker_cause cause) noexcept {
    constexpr std::array names{"tripped",         "would_have_tripped", "wait_elapsed",
                               "probes_passed",   "probes_failed",      "isolate_command",
                               "disable_command", "observe_command",    "reset_command"};
    auto const index = static_cast<std::size_t>(cause);
    return index < names.size() ? names[index] : "unknown";
}

/// One legal step. A step from a state to itself is a step too: it begins a new generation, clears
/// the counts and is told to observers.
struct breaker_row {
    breaker_state from;
    breaker_event event;
    breaker_state to;
    breaker_cause cause;
};

namespace detail {

/// A state and an event without a row: nothing happens. So every command may be given in every
/// state, and giving it again changes nothing (save that `reset` clears the counts each time).
inline constexpr auto breaker_rows = [] {
    using enum breaker_state;
    using e = breaker_event;
    using c = breaker_cause;
    return std::array{
        breaker_row{closed, e::tripped, open, c::tripped},
        breaker_row{closed, e::isolate, isolated, c::isolate_command},
        breaker_row{closed, e::disable, disabled, c::disable_command},
        breaker_row{closed, e::observe, metrics_only, c::observe_command},
        breaker_row{closed, e::reset, closed, c::reset_command},

        breaker_row{open, e::wait_elapsed, half_open, c::wait_elapsed},
        breaker_row{open, e::isolate, isolated, c::isolate_command},
        breaker_row{open, e::disable, disabled, c::disable_command},
        breaker_row{open, e::observe, metrics_only, c::observe_command},
        breaker_row{open, e::reset, closed, c::reset_command},

        breaker_row{half_open, e::probes_passed, closed, c::probes_passed},
        breaker_row{half_open, e::probes_failed, open, c::probes_failed},
        breaker_row{half_open, e::isolate, isolated, c::isolate_command},
        breaker_row{half_open, e::disable, disabled, c::disable_command},
        breaker_row{half_open, e::observe, metrics_only, c::observe_command},
        breaker_row{half_open, e::reset, closed, c::reset_command},

        breaker_row{isolated, e::disable, disabled, c::disable_command},
        breaker_row{isolated, e::observe, metrics_only, c::observe_command},
        breaker_row{isolated, e::reset, closed, c::reset_command},

        breaker_row{disabled, e::isolate, isolated, c::isolate_command},
        breaker_row{disabled, e::observe, metrics_only, c::observe_command},
        breaker_row{disabled, e::reset, closed, c::reset_command},

        breaker_row{metrics_only, e::tripped, metrics_only, c::would_have_tripped},
        breaker_row{metrics_only, e::isolate, isolated, c::isolate_command},
        breaker_row{metrics_only, e::disable, disabled, c::disable_command},
        breaker_row{metrics_only, e::reset, closed, c::reset_command},
    };
}();

}  // namespace detail

/// The step that `event` causes in state `from`, or null if it causes none.
[[nodiscard]] constexpr breaker_row const* find_breaker_row(breaker_state from,
                                                            breaker_event event) noexcept {
    for (auto const& row : detail::breaker_rows)
        if (row.from == from && row.event == event) return &row;
    return nullptr;
}

/// The table as a drawing: the text of a Mermaid `stateDiagram-v2`, one line for each row.
[[nodiscard]] inline std::string breaker_mermaid() {
    std::string text = "stateDiagram-v2\n    [*] --> closed\n";
    for (auto const& row : detail::breaker_rows)
        text.append("    ")
            .append(to_string(row.from))
            .append(" --> ")
            .append(to_string(row.to))
            .append(": ")
            .append(to_string(row.event))
            .append("\n");
    return text;
}

}  // namespace hawser::inline v0
#endif  // HAWSER_BREAKER_TRANSITIONS_HPP
