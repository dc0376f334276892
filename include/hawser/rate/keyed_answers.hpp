// SPDX-License-Identifier: BSL-1.0
//
// What `keyed` is told and what it answers.
#ifndef HAWSER_RATE_KEYED_ANSWERS_HPP
#define HAWSER_RATE_KEYED_ANSWERS_HPP

#include <hawser/base/time.hpp>
#include <hawser/rate/admission.hpp>

#include <cstdint>

namespace hawser::inline v0 {

/// What becomes of a key that finds no room, in a table of keys that all owe.
enum class full_table : std::uint8_t {
    refuses,  ///< It is refused.
    shares,   ///< It takes from one state that all such keys have together.
};

/// How many keys a `keyed` limiter remembers.
struct keyed_options {
    /// Keys that owe at one time. From 1 to 2^30. A key owes from a grant until it is as if there
    /// had been none: a token bucket, until it is full; a window, until that is over. The table is
    /// full sooner than this says, by a few per cent: see `keyed_map_options::shards`.
    std::uint32_t keys = 65'536;

    /// What becomes of a key for which there is no room.
    full_table when_full = full_table::refuses;

    /// As of a `keyed_map`. Zero chooses.
    std::uint32_t shards = 0;
    std::uint64_t seed = 0;
};

/// Whose tokens a request asked for.
enum class asked_of : std::uint8_t {
    own,     ///< The key's own.
    shared,  ///< Those of all keys that found no room.
    nobody,  ///< There was no room, and the table refuses.
};

/// What `keyed` answers.
struct [[nodiscard]] keyed_admission : admission {
    asked_of from = asked_of::own;

    /// A refusal for want of room, of which nothing more is known.
    static keyed_admission no_room() noexcept { return {{}, asked_of::nobody}; }

    /// Refused for want of room, and not because the key had too few tokens.
    [[nodiscard]] bool found_no_room() const noexcept {
        return !granted && from == asked_of::nobody;
    }
};

/// Tokens of a key that are the caller's from some time on, `Taken` of the key's limiter. To be
/// used then, or given back by `cancel`.
template <class Taken>
struct [[nodiscard]] keyed_reservation {
    bool granted = false;

    /// If granted, how long to wait before the tokens may be used. If refused, the wait that was
    /// too long, or until there may be room; `never` for more tokens than there can be.
    duration wait{};

    /// Zero if granted. If refused, when to ask again.
    duration retry_after{};

    asked_of from = asked_of::own;

    // For `cancel` alone.
    std::uint32_t pardons = 0;
    Taken taken{};

    explicit operator bool() const noexcept { return granted; }

    // As of a `keyed_admission`.

    static keyed_reservation no_room() noexcept { return {.from = asked_of::nobody}; }
    [[nodiscard]] bool found_no_room() const noexcept {
        return !granted && from == asked_of::nobody;
    }
};

}  // namespace hawser::inline v0
#endif  // HAWSER_RATE_KEYED_ANSWERS_HPP
