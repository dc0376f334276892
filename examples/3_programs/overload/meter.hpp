// SPDX-License-Identifier: BSL-1.0
//
// What became of the callers, in slices of time.
#ifndef OVERLOAD_METER_HPP
#define OVERLOAD_METER_HPP

#include "world.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace overload {

/// How a call ended.
enum class end : std::uint8_t {
    served,       ///< In time: the caller was still there.
    gave_up,      ///< The caller's patience ended first.
    refused,      ///< By the limit, at once.
    turned_away,  ///< By the server, whose queue was full, at once.
};

/// Sums over a span of time.
struct summary {
    duration span{};
    std::uint64_t offered = 0;
    std::array<std::uint64_t, 4> ends{};  ///< By `end`.
    duration p50{}, p99{};                ///< Of what served callers and those that gave up waited.
    std::size_t inside = 0;               ///< The most requests that were in the server.

    [[nodiscard]] std::uint64_t ended(end how) const noexcept {
        return ends[static_cast<std::size_t>(how)];
    }
    /// Calls a second that were served in time.
    [[nodiscard]] double goodput() const noexcept {
        return static_cast<double>(ended(end::served)) / seconds(span);
    }
    /// Of all that ended, what was sent away at once.
    [[nodiscard]] double refused_share() const noexcept {
        auto const away = ended(end::refused) + ended(end::turned_away);
        auto const all = away + ended(end::served) + ended(end::gave_up);
        return all == 0 ? 0 : static_cast<double>(away) / static_cast<double>(all);
    }
};

/// From when on it was what.
struct limit_step {
    duration at{};
    std::uint32_t limit = 0;
};

/// For one thread. A call counts where it ends, an offer where it comes.
class meter {
public:
    explicit meter(duration length, duration width = 250ms)
        : width_{width}, slices_(static_cast<std::size_t>(length / width)) {}

    void offered(duration at, std::size_t inside);
    void ended(end how, duration came, duration at);
    void limit_is(std::uint32_t limit, duration at);

    /// What happened in [from, to), both multiples of the slice.
    [[nodiscard]] summary between(duration from, duration to) const;

    /// Each change of the limit; none if there is no limit.
    [[nodiscard]] std::vector<limit_step> const& limits() const noexcept { return limits_; }

private:
    struct slice {
        std::uint64_t offered = 0;
        std::array<std::uint64_t, 4> ends{};
        std::vector<duration> waited;
        std::size_t inside = 0;
    };

    /// Null past the end, where what is left of the calls ends.
    [[nodiscard]] slice* slice_at(duration at) noexcept {
        auto const index = static_cast<std::size_t>(at / width_);
        return index < slices_.size() ? &slices_[index] : nullptr;
    }

    duration width_;
    std::vector<slice> slices_;
    std::vector<limit_step> limits_;
};

}  // namespace overload
#endif  // OVERLOAD_METER_HPP
