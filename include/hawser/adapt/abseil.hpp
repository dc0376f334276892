// SPDX-License-Identifier: BSL-1.0
//
// absl::Status and absl::StatusOr as results of calls, and refusals as statuses.
//
//     refusal                                       status code
//     circuit_open, probes_full, isolated           Unavailable
//     overloaded                                    Unavailable
//     rate_limited, bulkhead_full                   ResourceExhausted
//     timed_out                                     DeadlineExceeded
//     cancelled                                     Cancelled
//     not_permitted, closed                         FailedPrecondition
//     too_large                                     OutOfRange
//     conflict                                      Aborted
//
// A status code holds less than a refusal does. What is lost travels in a payload of the status,
// and `refusal_of` reads it back.
#ifndef HAWSER_ADAPT_ABSEIL_HPP
#define HAWSER_ADAPT_ABSEIL_HPP

#include <hawser/base/error.hpp>
#include <hawser/base/outcome_traits.hpp>
#include <hawser/base/time.hpp>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/cord.h>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace hawser::inline v0 {

/// How much of a refusal a status tells.
enum class status_detail : std::uint8_t {
    full,       ///< Code, message and payload: two or three allocations for each refusal.
    code_only,  ///< The code alone, without allocation. Outer pipelines then take a refusal for the
                ///< dependency's own error, because nothing tells them apart.
};

/// What a pipeline's refusals tell where its calls return a `Result`. Specialise it for a type that
/// is refused too often to allocate for:
///
///     template <>
///     inline constexpr auto hawser::status_detail_of<absl::StatusOr<quote>> =
///         hawser::status_detail::code_only;
template <class Result>
inline constexpr status_detail status_detail_of = status_detail::full;

/// The type URL of the payload that a refusal leaves in a status.
inline constexpr char const* refusal_type_url = "hawser/refusal.v0";

/// The status code of a refusal; see the table above.
[[nodiscard]] constexpr absl::StatusCode to_status_code(errc code) noexcept {
    switch (code) {
        case errc::circuit_open:
        case errc::probes_full:
        case errc::isolated:
        case errc::overloaded: return absl::StatusCode::kUnavailable;
        case errc::rate_limited:
        case errc::bulkhead_full: return absl::StatusCode::kResourceExhausted;
        case errc::timed_out: return absl::StatusCode::kDeadlineExceeded;
        case errc::cancelled: return absl::StatusCode::kCancelled;
        case errc::not_permitted:
        case errc::closed: return absl::StatusCode::kFailedPrecondition;
        case errc::too_large: return absl::StatusCode::kOutOfRange;
        case errc::conflict: return absl::StatusCode::kAborted;
    }
    return code == errc{} ? absl::StatusCode::kOk : absl::StatusCode::kUnknown;
}

/// A refusal as a status. The message says the reason and the policy: "circuit open (orders)".
[[nodiscard]] inline absl::Status to_status(refusal const& why,
                                            status_detail told = status_detail::full) {
    auto const code = to_status_code(why.code);
    if (told == status_detail::code_only || code == absl::StatusCode::kOk)
        return absl::Status{code, {}};
    std::string const policy{why.policy != nullptr ? why.policy : ""};
    std::string message{to_string(why.code)};
    if (!policy.empty()) message += " (" + policy + ")";
    absl::Status status{code, message};
    // Three fields with a blank between them: the reason's number, nanoseconds, and the name.
    auto payload = std::to_string(static_cast<int>(why.code)) + " " +
                   std::to_string(why.retry_after.count()) + " " + policy;
    status.SetPayload(refusal_type_url, absl::Cord{std::move(payload)});
    return status;
}

/// A refusal that was read from a status. It owns its policy's name: the policy may be gone, or in
/// another process.
struct status_refusal {
    errc code{};
    duration retry_after{};
    std::string policy;
};

namespace detail {

/// The fields of a payload, which must not go before them.
struct refusal_fields {
    errc code{};
    duration retry_after{};
    std::string_view policy;
};

[[nodiscard]] inline std::optional<refusal_fields> read_refusal(
    std::string_view text, absl::StatusCode status_code) noexcept {
    auto const* const end = text.data() + text.size();
    unsigned code = 0;
    std::int64_t wait = 0;
    auto const [after_code, bad_code] = std::from_chars(text.data(), end, code);
    if (bad_code != std::errc{} || after_code == end || *after_code != ' ') return std::nullopt;
    auto const [after_wait, bad_wait] = std::from_chars(after_code + 1, end, wait);
    if (bad_wait != std::errc{} || after_wait == end || *after_wait != ' ') return std::nullopt;
    if (code > 255) return std::nullopt;
    auto const expected = to_status_code(static_cast<errc>(code));
    auto const known = code != 0 && expected != absl::StatusCode::kUnknown;
    if (!known || expected != status_code) return std::nullopt;
    auto const name = text.substr(static_cast<std::size_t>(after_wait + 1 - text.data()));
    return refusal_fields{static_cast<errc>(code), duration{wait}, name};
}

/// What `use` makes of the refusal in a status; nothing if it carries none.
template <class Use>
auto with_refusal(absl::Status const& status, Use use) {
    std::optional<decltype(use(refusal_fields{}))> result;
    if (auto const payload = status.GetPayload(refusal_type_url))
        // In one piece, as it was set: what is in several is not ours.
        if (auto const flat = payload->TryFlat())
            if (auto const fields = read_refusal({flat->data(), flat->size()}, status.code()))
                result = use(*fields);
    return result;
}

}  // namespace detail

/// The refusal that a status carries, or nothing if it is none of ours. A payload that does not
/// read as one, or speaks of another code than the status, is none.
[[nodiscard]] inline std::optional<status_refusal> refusal_of(absl::Status const& status) {
    return detail::with_refusal(status, [](detail::refusal_fields const& fields) {
        return status_refusal{fields.code, fields.retry_after, std::string{fields.policy}};
    });
}

/// How a status counts:
///
///     success   Ok
///     failure   Unknown, DeadlineExceeded, ResourceExhausted, Internal, Unavailable, DataLoss
///     neutral   Cancelled; Aborted, which is for the caller to begin anew; and what the dependency
///               answers in good health: InvalidArgument, NotFound, AlreadyExists,
///               PermissionDenied, Unauthenticated, FailedPrecondition, OutOfRange, Unimplemented
///
/// A refusal that comes back as a status counts as the refusal.
[[nodiscard]] inline verdict verdict_of(absl::Status const& status) noexcept {
    if (status.ok()) [[likely]]
        return verdict::success;
    auto const ours = detail::with_refusal(status, [](detail::refusal_fields const& fields) {
        return verdict_of(refusal{fields.code, fields.retry_after, ""});
    });
    if (ours) return *ours;
    switch (status.code()) {
        case absl::StatusCode::kCancelled:
        case absl::StatusCode::kAborted:
        case absl::StatusCode::kInvalidArgument:
        case absl::StatusCode::kNotFound:
        case absl::StatusCode::kAlreadyExists:
        case absl::StatusCode::kPermissionDenied:
        case absl::StatusCode::kUnauthenticated:
        case absl::StatusCode::kFailedPrecondition:
        case absl::StatusCode::kOutOfRange:
        case absl::StatusCode::kUnimplemented: return verdict::neutral;
        default: return verdict::failure;
    }
}

template <>
struct outcome_traits<absl::Status> {
    static verdict classify(absl::Status const& status) noexcept { return verdict_of(status); }
    static absl::Status from(refusal const& why) {
        return to_status(why, status_detail_of<absl::Status>);
    }
    static std::exception_ptr to_exception(absl::Status const& status) {
        return std::make_exception_ptr(absl::BadStatusOrAccess{status});
    }
};

template <class T>
struct outcome_traits<absl::StatusOr<T>> {
    static verdict classify(absl::StatusOr<T> const& result) noexcept {
        return verdict_of(result.status());
    }
    static absl::StatusOr<T> from(refusal const& why) {
        return to_status(why, status_detail_of<absl::StatusOr<T>>);
    }
    /// What `value()` would throw.
    static std::exception_ptr to_exception(absl::StatusOr<T> const& result) {
        return std::make_exception_ptr(absl::BadStatusOrAccess{result.status()});
    }
};

}  // namespace hawser::inline v0
#endif  // HAWSER_ADAPT_ABSEIL_HPP
