// SPDX-License-Identifier: BSL-1.0
//
// Who hears of what changes in a shared policy: the part that names its sink.
#ifndef HAWSER_POLICY_DETAIL_TOLD_PARTS_HPP
#define HAWSER_POLICY_DETAIL_TOLD_PARTS_HPP

#include <hawser/trace/sink.hpp>

#include <utility>

namespace hawser::inline v0 {

/// Who hears of a policy's changes of state: a sink by value, or one that outlives the policy.
template <class Sink>
struct told_to {
    using sink_type = Sink;

    constexpr explicit told_to(Sink to) : sink(std::move(to)) {}
    [[no_unique_address]] mutable Sink sink;
};
/// Tells a sink that somebody else owns.
template <class Sink>
[[nodiscard]] auto told_by_reference(Sink& sink) noexcept {
    return told_to<sink_reference<Sink>>{sink_reference<Sink>{sink}};
}

namespace detail {

struct told_to_nobody {
    using sink_type = null_sink;
    [[no_unique_address]] mutable null_sink sink{};
};

template <class T>
inline constexpr bool is_told_to = false;
template <class T>
inline constexpr bool is_told_to<told_to<T>> = true;

struct told_part {
    template <class Part>
    static constexpr bool is = is_told_to<Part>;
    using standard = told_to_nobody;
};

}  // namespace detail
}  // namespace hawser::inline v0
#endif  // HAWSER_POLICY_DETAIL_TOLD_PARTS_HPP
