// SPDX-License-Identifier: BSL-1.0
//
// outcome<R>: how a call ended. A value, a refusal by one of our policies, or an exception, and
// where it came from.
//
// One outcome exists per call. The operation writes it in place and every layer of the pipeline
// sees it by reference, so that nothing is moved from layer to layer and a refusal stays a small
// value until the outer edge.
#ifndef HAWSER_BASE_OUTCOME_HPP
#define HAWSER_BASE_OUTCOME_HPP

#include <hawser/base/contract.hpp>
#include <hawser/base/detail/stored.hpp>
#include <hawser/base/error.hpp>
#include <hawser/base/outcome_traits.hpp>
#include <hawser/base/provenance.hpp>

#include <exception>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace hawser::inline v0 {

/// Says that only what an outcome holds is wanted.
struct bare_outcome {};

/// How a call with result type `R` ended. `R` may be `void` or a reference.
///
/// Starts empty: a call that has not ended. What `try_execute` returns is never empty.
///
/// Thread safety: none; one owner at a time. Cost: no allocation of its own.
template <class R>
class [[nodiscard]] outcome {
public:
    using value_type = R;
    using stored_type = detail::stored_t<R>;

    outcome() noexcept {}

    /// What `other` holds, without its provenance and earlier errors, which are lost.
    outcome(bare_outcome,
            outcome&& other) noexcept(std::is_nothrow_move_constructible_v<stored_type>) {
        take(other);
    }

    /// Begins empty and is written by `fill(*this)`, in place: a function may return it unmoved.
    template <class Fill>
    [[gnu::always_inline]] outcome(std::in_place_t, Fill&& fill) {
        fill(*this);
    }
    outcome(outcome&& other) noexcept(std::is_nothrow_move_constructible_v<stored_type>)
        : origin_{other.origin_}, earlier_{std::move(other.earlier_)} {
        take(other);
    }
    outcome& operator=(outcome&& other) noexcept(
        std::is_nothrow_move_constructible_v<stored_type>) {
        if (this != std::addressof(other)) {
            reset();
            origin_ = other.origin_;
            earlier_ = std::move(other.earlier_);
            take(other);
        }
        return *this;
    }
    [[gnu::always_inline]] ~outcome() { reset(); }

    [[nodiscard]] bool has_value() const noexcept { return holds_ == holds::value; }
    explicit operator bool() const noexcept { return has_value(); }
    [[nodiscard]] bool empty() const noexcept { return holds_ == holds::nothing; }

    /// The value. If there is none: rethrows the exception, or throws `refused`.
    [[nodiscard]] std::add_lvalue_reference_t<R> value() & {
        if (!has_value()) [[unlikely]]
            raise();
        return stored();
    }
    [[nodiscard]] std::add_lvalue_reference_t<R const> value() const& {
        if (!has_value()) [[unlikely]]
            raise();
        return stored();
    }
    [[nodiscard]] R value() && {
        if (!has_value()) [[unlikely]]
            raise();
        return static_cast<R>(detail::unwrap<R>(std::move(value_)));
    }

    /// Why a policy refused the call, or nullptr if none did.
    [[nodiscard]] refusal const* why() const noexcept {
        return holds_ == holds::refusal ? std::addressof(why_) : nullptr;
    }

    /// The reason of `why`, or no error.
    [[nodiscard]] errc code() const noexcept {
        return holds_ == holds::refusal ? why_.code : errc{};
    }

    /// What the operation, or a fallback, threw; null if neither did.
    [[nodiscard]] std::exception_ptr exception() const noexcept {
        return holds_ == holds::exception ? thrown_ : std::exception_ptr{};
    }

    /// Where the outcome comes from.
    [[nodiscard]] provenance const& origin() const noexcept { return origin_; }

    /// The errors that a fallback replaced, oldest first.
    [[nodiscard]] error_list const& earlier() const noexcept { return earlier_; }

    /// What the outcome says by itself about the dependency's health: a value as its traits say, an
    /// exception is a failure, a refusal as `verdict_of` says.
    [[nodiscard, gnu::always_inline]] verdict classify() const noexcept {
        if (holds_ == holds::value) [[likely]] {
            if constexpr (std::is_void_v<R>)
                return verdict::success;
            else
                return outcome_traits<std::remove_cvref_t<R>>::classify(stored());
        }
        if (holds_ == holds::refusal) return verdict_of(why_);
        return holds_ == holds::exception ? verdict::failure : verdict::neutral;
    }

    // For drivers and policies, which write the outcome.

    /// Makes the value from `arguments`, in place. Requires that the outcome is empty.
    template <class... Arguments>
    void emplace(Arguments&&... arguments) {
        HAWSER_ASSERT(empty());
        ::new (static_cast<void*>(std::addressof(value_)))
            stored_type(std::forward<Arguments>(arguments)...);
        holds_ = holds::value;
    }

    /// Makes the value from what `make()` returns, without a move. Requires that it is empty; stays
    /// so if `make` throws.
    template <class Make>
    [[gnu::always_inline]] void emplace_from(Make&& make) {
        HAWSER_ASSERT(empty());
        if constexpr (std::is_void_v<R>) {
            make();
            ::new (static_cast<void*>(std::addressof(value_))) stored_type{};
        } else if constexpr (std::is_reference_v<R>) {
            ::new (static_cast<void*>(std::addressof(value_))) stored_type{make()};
        } else {
            ::new (static_cast<void*>(std::addressof(value_))) stored_type(make());
        }
        holds_ = holds::value;
    }

    /// Becomes a refusal; what it held is destroyed.
    void refuse(refusal const& why) noexcept {
        reset();
        emplace_refusal(why);
    }
    /// Likewise. Requires that it is empty.
    [[gnu::always_inline]] void emplace_refusal(refusal const& why) noexcept {
        HAWSER_ASSERT(empty());
        ::new (static_cast<void*>(std::addressof(why_))) refusal{why};
        holds_ = holds::refusal;
    }

    /// Becomes an exception; what it held is destroyed. Requires that `thrown` is not null.
    void fail(std::exception_ptr thrown) noexcept {
        HAWSER_ASSERT(thrown != nullptr);
        reset();
        ::new (static_cast<void*>(std::addressof(thrown_))) std::exception_ptr{std::move(thrown)};
        holds_ = holds::exception;
    }

    /// Destroys what it holds and is empty again. Provenance and earlier errors stay.
    [[gnu::always_inline]] void reset() noexcept {
#if defined(__GNUC__) && !defined(__clang__)
// Where it inlines a whole call, g++ 12 forgets that `holds_` says which member there is.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
        if (holds_ == holds::value)
            std::destroy_at(std::addressof(value_));
        else if (holds_ == holds::exception)
            std::destroy_at(std::addressof(thrown_));
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
        holds_ = holds::nothing;
    }

    /// Moves the error it holds to the earlier ones, returns it, and is empty: a fallback begins.
    call_error set_aside() noexcept {
        call_error error;
        if (holds_ == holds::refusal)
            error.why = why_;
        else if (holds_ == holds::exception)
            error.thrown = std::move(thrown_);
        else if (holds_ == holds::value)
            error.thrown = failed_value();
        reset();
        earlier_.add(error);
        return error;
    }

    /// Becomes how the call went elsewhere: what `other` holds, with its earlier errors and where
    /// it came from, but for the attempts. Requires that it is empty.
    void join(outcome&& other) noexcept(std::is_nothrow_move_constructible_v<stored_type>) {
        HAWSER_ASSERT(empty());
        origin_.join(other.origin_);
        earlier_.join(std::move(other.earlier_));
        take(other);
    }

    [[nodiscard]] provenance& origin() noexcept { return origin_; }

private:
    enum class holds : std::uint8_t { nothing, value, refusal, exception };

    decltype(auto) stored() noexcept { return detail::unwrap<R>(value_); }
    decltype(auto) stored() const noexcept { return detail::unwrap<R>(value_); }

    [[noreturn, gnu::cold, gnu::noinline]] void raise() const {
        if (holds_ == holds::exception) std::rethrow_exception(thrown_);
        HAWSER_ASSERT(holds_ == holds::refusal);
        throw refused{why_};
    }

    std::exception_ptr failed_value() const noexcept {
        using value = std::remove_cvref_t<R>;
        try {
            if constexpr (std::is_void_v<R>)
                return {};
            else if constexpr (requires { outcome_traits<value>::to_exception(stored()); })
                return outcome_traits<value>::to_exception(stored());
            else if constexpr (std::is_copy_constructible_v<value>)
                return std::make_exception_ptr(returned_error<value>{stored()});
            else
                return {};
        } catch (...) {
            return std::current_exception();
        }
    }

    /// Requires that this outcome holds nothing; leaves `other` as a moved-from value.
    void take(outcome& other) noexcept(std::is_nothrow_move_constructible_v<stored_type>) {
        if (other.holds_ == holds::value)
            ::new (static_cast<void*>(std::addressof(value_))) stored_type(std::move(other.value_));
        else if (other.holds_ == holds::exception)
            ::new (static_cast<void*>(std::addressof(thrown_)))
                std::exception_ptr{std::move(other.thrown_)};
        else if (other.holds_ == holds::refusal)
            ::new (static_cast<void*>(std::addressof(why_))) refusal{other.why_};
        holds_ = other.holds_;
    }

    // What a call begins with is all zero and lies together.
    provenance origin_;
    holds holds_ = holds::nothing;
    error_list earlier_;
    union {
        stored_type value_;
        refusal why_;
        std::exception_ptr thrown_;
    };
};

}  // namespace hawser::inline v0
#endif  // HAWSER_BASE_OUTCOME_HPP
