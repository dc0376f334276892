// SPDX-License-Identifier: BSL-1.0
//
// Parts of a policy, given in any order: which of them is the backoff, which the budget.
//
// A policy that is put together from parts, `retry{options, backoff::linear{}, jitter::none{}}`,
// has one place for each kind of part and a default for each place.
#ifndef HAWSER_BASE_PARTS_HPP
#define HAWSER_BASE_PARTS_HPP

#include <cstddef>
#include <type_traits>
#include <utility>

namespace hawser::inline v0::detail {

/// A `Kind` of part: `Kind::template is<Part>` says whether a part is of it, `Kind::standard` is
/// the part that stands where none is given.
template <class Kind, class... Parts>
inline constexpr std::size_t count_of = (std::size_t{0} + ... +
                                         (Kind::template is<Parts> ? 1U : 0U));

template <class Kind, class... Parts>
struct part_of_kind {
    using type = typename Kind::standard;
};
template <class Kind, class First, class... Rest>
struct part_of_kind<Kind, First, Rest...> {
    using type = typename std::conditional_t<Kind::template is<First>, std::type_identity<First>,
                                             part_of_kind<Kind, Rest...>>::type;
};
/// The type of the part of a kind among `Parts`, or the kind's standard.
template <class Kind, class... Parts>
using part_t = typename part_of_kind<Kind, Parts...>::type;

/// The part of a kind among `parts`, moved out of them, or the kind's standard.
template <class Kind>
[[nodiscard]] constexpr typename Kind::standard take_part() {
    return typename Kind::standard{};
}
template <class Kind, class First, class... Rest>
[[nodiscard]] constexpr part_t<Kind, First, Rest...> take_part(First& first, Rest&... rest) {
    if constexpr (Kind::template is<First>)
        return std::move(first);
    else
        return take_part<Kind, Rest...>(rest...);
}

/// Whether each part is of exactly one of the kinds, and no kind has two.
template <class... Kinds>
struct kinds {
    template <class Part>
    static constexpr bool knows = ((Kinds::template is<Part> ? 1 : 0) + ... + 0) == 1;
    template <class... Parts>
    static constexpr bool know_all = (knows<Parts> && ...);
    template <class... Parts>
    static constexpr bool none_twice = ((count_of<Kinds, Parts...> <= 1) && ...);
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_BASE_PARTS_HPP
