// SPDX-License-Identifier: BSL-1.0
//
// How a send and a receive end.
#ifndef HAWSER_RUN_TRANSFER_HPP
#define HAWSER_RUN_TRANSFER_HPP

#include <hawser/base/contract.hpp>
#include <hawser/base/error.hpp>

#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

namespace hawser::inline v0 {

/// What became of a value that was to pass through a channel.
enum class transfer : std::uint8_t {
    done,
    would_wait,  ///< No room, or nothing there; of operations that do not wait.
    closed,      ///< The channel is closed; for a receiver, and nothing is left in it.
    timed_out,   ///< The time was over before the other end came.
    cancelled,   ///< A stop was requested before the other end came.
    crowded,     ///< It would have had to wait, and as many wait as may.
    too_large,   ///< It weighs more than the channel may ever hold.
};

/// In words, in lower case and without a full stop. Static.
[[nodiscard]] constexpr char const* to_string(transfer what) noexcept {
    switch (what) {
        case transfer::done: return "done";
        case transfer::would_wait: return "would wait";
        case transfer::closed: return "closed";
        case transfer::timed_out: return "timed out";
        case transfer::cancelled: return "cancelled";
        case transfer::crowded: return "too many wait";
        case transfer::too_large: return "too large";
    }
    return "unknown transfer";
}

/// The same as a reason of refusal; none for what is done.
[[nodiscard]] constexpr errc code_of(transfer what) noexcept {
    switch (what) {
        case transfer::done: return errc{};
        case transfer::closed: return errc::closed;
        case transfer::timed_out: return errc::timed_out;
        case transfer::cancelled: return errc::cancelled;
        case transfer::too_large: return errc::too_large;
        case transfer::would_wait:
        case transfer::crowded: return errc::overloaded;
    }
    return errc::overloaded;
}

/// How a send ended. True if the value has been sent.
class [[nodiscard]] sent {
public:
    constexpr sent(transfer what) noexcept : what_{what} {}

    [[nodiscard]] constexpr transfer what() const noexcept { return what_; }
    constexpr explicit operator bool() const noexcept { return what_ == transfer::done; }

    friend constexpr bool operator==(sent, sent) = default;

private:
    transfer what_;
};

namespace detail {
struct received_access;
}

/// How a receive ended. True if there is a value.
template <class T>
class [[nodiscard]] received {
public:
    [[nodiscard]] transfer what() const noexcept { return value_ ? transfer::done : why_; }
    explicit operator bool() const noexcept { return value_.has_value(); }
    [[nodiscard]] bool has_value() const noexcept { return value_.has_value(); }

    /// The value. Require that there is one.
    [[nodiscard]] T& operator*() & noexcept {
        HAWSER_ASSERT(value_);
        return *value_;
    }
    [[nodiscard]] T const& operator*() const& noexcept {
        HAWSER_ASSERT(value_);
        return *value_;
    }
    [[nodiscard]] T&& operator*() && noexcept {
        HAWSER_ASSERT(value_);
        return *std::move(value_);
    }
    [[nodiscard]] T* operator->() noexcept { return &**this; }
    [[nodiscard]] T const* operator->() const noexcept { return &**this; }

private:
    friend detail::received_access;
    std::optional<T> value_;
    transfer why_ = transfer::would_wait;
};

namespace detail {

/// What only channels may do to a `received`.
struct received_access {
    template <class T>
    static std::optional<T>& slot(received<T>& got) noexcept {
        return got.value_;
    }
    template <class T>
    static void end(received<T>& got, transfer why) noexcept {
        got.why_ = why;
    }
};
template <class T>
[[nodiscard]] std::optional<T>& slot_of(received<T>& got) noexcept {
    return received_access::slot(got);
}
template <class T>
void end_with(received<T>& got, transfer why) noexcept {
    received_access::end(got, why);
}

}  // namespace detail
}  // namespace hawser::inline v0
#endif  // HAWSER_RUN_TRANSFER_HPP
