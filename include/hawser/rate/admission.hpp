// SPDX-License-Identifier: BSL-1.0
//
// What every rate limiter answers.
#ifndef HAWSER_RATE_ADMISSION_HPP
#define HAWSER_RATE_ADMISSION_HPP

#include <hawser/base/time.hpp>

namespace hawser::inline v0 {

/// The answer to one request for tokens.
struct [[nodiscard]] admission {
    bool granted = false;

    /// Zero if granted. If refused, the wait after which the same request would be granted, were
    /// nobody to ask before, exact to the nanosecond: a nanosecond earlier it is refused. `never`
    /// if it asks for more than the limiter can ever grant at once.
    duration retry_after{};

    explicit operator bool() const noexcept { return granted; }
};

}  // namespace hawser::inline v0
#endif  // HAWSER_RATE_ADMISSION_HPP
