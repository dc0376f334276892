// SPDX-License-Identifier: BSL-1.0
//
// named: what something is called where it shows.
#ifndef HAWSER_BASE_NAMED_HPP
#define HAWSER_BASE_NAMED_HPP

#include <stdexcept>

namespace hawser::inline v0 {

/// What refusals and events call a policy or a channel. Not null; as long-lived as that is.
struct named {
    char const* name;
};

namespace detail {

/// Throws `std::invalid_argument` with `message` if the name is null.
[[nodiscard]] constexpr char const* checked(named const& given, char const* message) {
    if (given.name == nullptr) throw std::invalid_argument{message};
    return given.name;
}

}  // namespace detail
}  // namespace hawser::inline v0
#endif  // HAWSER_BASE_NAMED_HPP
