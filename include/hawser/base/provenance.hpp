// SPDX-License-Identifier: BSL-1.0
//
// Where an outcome comes from: how many attempts it took, whether it is the real answer or stands
// in for it, and which errors came before it.
#ifndef HAWSER_BASE_PROVENANCE_HPP
#define HAWSER_BASE_PROVENANCE_HPP

#include <hawser/base/error.hpp>
#include <hawser/base/time.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <utility>

namespace hawser::inline v0 {

/// Where an outcome comes from.
struct provenance {
    /// How often the operation was started. Zero if a policy answered in its place.
    std::uint32_t attempts = 0;

    /// It stands in for the answer that was asked for: a fallback's, or an old one.
    bool degraded = false;

    /// It is older than its maker promised; `age` says how old.
    bool stale = false;

    /// It came after a deadline that could not stop the operation.
    bool late = false;

    /// The name of the policy that supplied it in the operation's place; null if none did. Static,
    /// or as long-lived as the policy.
    char const* source = nullptr;

    /// How old it is, where a store supplied it.
    duration age{};

    /// Adds what `inner` says, but for the attempts: it ran for the same call, elsewhere.
    void join(provenance const& inner) noexcept {
        degraded = degraded || inner.degraded;
        stale = stale || inner.stale;
        late = late || inner.late;
        if (inner.source != nullptr) source = inner.source, age = inner.age;
    }
};

/// One error of a call: a refusal or an exception.
struct call_error {
    refusal why{};
    std::exception_ptr thrown{};
};

/// The first few errors of a call, oldest first. Holds up to `capacity`; counts what it drops.
class error_list {
public:
    /// A primary error and that of a first alternative; longer chains are rare, and each place
    /// costs 32 bytes of every call.
    static constexpr std::size_t capacity = 2;

    error_list() noexcept {}
    error_list(error_list&& other) noexcept { take(other); }
    error_list& operator=(error_list&& other) noexcept {
        if (this != std::addressof(other)) {
            clear();
            take(other);
        }
        return *this;
    }
    ~error_list() {
        if (size_ != 0) [[unlikely]]
            clear();
    }

    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t dropped() const noexcept { return dropped_; }
    [[nodiscard]] call_error const* begin() const noexcept { return errors_; }
    [[nodiscard]] call_error const* end() const noexcept { return errors_ + size_; }
    [[nodiscard]] call_error const& front() const noexcept { return *begin(); }

    void add(call_error const& error) noexcept {
        if (size_ < capacity)
            ::new (static_cast<void*>(errors_ + size_++)) call_error{error};
        else if (dropped_ < 255)
            ++dropped_;
    }

    /// Adds all of `other`, and what it has dropped.
    void join(error_list&& other) noexcept {
        if (empty()) {
            *this = std::move(other);
            return;
        }
        for (auto const& error : other) add(error);
        dropped_ = static_cast<std::uint8_t>(std::min(255, dropped_ + other.dropped_));
    }

    void clear() noexcept {
        std::destroy(errors_, errors_ + size_);
        size_ = dropped_ = 0;
    }

private:
    void take(error_list& other) noexcept {
        std::uninitialized_move_n(other.errors_, other.size_, errors_);
        size_ = other.size_;
        dropped_ = other.dropped_;
        other.clear();
    }

    std::uint8_t size_ = 0;
    std::uint8_t dropped_ = 0;
    union {
        call_error errors_[capacity];
    };
};

}  // namespace hawser::inline v0
#endif  // HAWSER_BASE_PROVENANCE_HPP
