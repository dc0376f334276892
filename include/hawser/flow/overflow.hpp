// SPDX-License-Identifier: BSL-1.0
//
// What a bounded buffer does with an item that finds no room: a policy class of it.
//
//                   the new item          what is queued
//     block         waits                 stays
//     reject        is refused            stays
//     drop_newest   is dropped            stays
//     drop_oldest   is stored             loses the oldest, as many as it takes
//     drop_all      is stored             is dropped
//     keep_latest   is stored             is dropped: there is never more than one
//     conflate      is merged             the newest takes it in
//
// A policy is a class that is called with a `room`, which it may make:
//
//     room.is_there()            whether the item fits now; at first it does not
//     room.lacks_only_places()   whether there are too many items, and the weight is no hindrance
//     room.drop_oldest()         drops one; if nothing is left to drop, there is room
//     room.drop_all()            drops what is queued
//     room.merge(merge)          calls `merge(newest, item)`: for a policy that answers `merged`,
//                                where only places lack
//
// It answers with a `decision`, and names as `cause` why what it drops is dropped.
#ifndef HAWSER_FLOW_OVERFLOW_HPP
#define HAWSER_FLOW_OVERFLOW_HPP

#include <hawser/flow/dropped.hpp>

#include <cstddef>
#include <cstdint>

namespace hawser::inline v0::overflow {

/// What becomes of the item that found no room.
enum class decision : std::uint8_t {
    store,   ///< There is room now. Taken for `wait` if there is none.
    merged,  ///< It has gone into another.
    drop,    ///< It is dropped.
    wait,    ///< It stays with its owner, who may wait for room.
    refuse,  ///< It stays with its owner, who is not to wait.
};

/// Whoever has the item waits until there is room. Loses nothing; the default.
struct block {
    constexpr decision operator()(auto&) const noexcept { return decision::wait; }
};

/// The item is refused at once, and stays with who has it.
struct reject {
    constexpr decision operator()(auto&) const noexcept { return decision::refuse; }
};

/// The new item is dropped: what is queued is worth more.
struct drop_newest {
    static constexpr drop_cause cause = drop_cause::newest;
    constexpr decision operator()(auto&) const noexcept { return decision::drop; }
};

/// The oldest items are dropped, as many as the new one needs the places and the weight of.
struct drop_oldest {
    static constexpr drop_cause cause = drop_cause::oldest;
    constexpr decision operator()(auto& room) const noexcept {
        while (!room.is_there()) room.drop_oldest();
        return decision::store;
    }
};

/// Everything queued is dropped, and the new item begins anew: where a gap is better told than
/// items that are all late.
struct drop_all {
    static constexpr drop_cause cause = drop_cause::all;
    constexpr decision operator()(auto& room) const noexcept {
        room.drop_all();
        return decision::store;
    }
};

/// Only the newest item is kept: a buffer of one place, whatever capacity it is told, in which a
/// new item replaces the one before it.
struct keep_latest {
    static constexpr drop_cause cause = drop_cause::replaced;
    static constexpr std::size_t capacity_max = 1;
    constexpr decision operator()(auto& room) const noexcept {
        room.drop_all();
        return decision::store;
    }
};

/// The new item is merged into the newest that is queued, by `merge(T& kept, T& item)`; what it
/// returns is ignored, and what it leaves in `item` is thrown away. Merging makes places, not
/// weight: an item that lacks weight waits, as with `block`.
///
/// `merge` runs inside `push`, and so under a lock that the buffer's owner has: it must not touch
/// the buffer or its owner.
///
/// If it throws, the item stays with its owner, and nothing is counted. To lose nothing, `merge`
/// then has to leave both as they were: it does what may throw first, and moves from `item` last.
/// Whatever it leaves in `kept` stays queued; and the buffer stays usable in every case.
template <class Merge>
struct conflate {
    static constexpr drop_cause cause = drop_cause::merged;

    constexpr decision operator()(auto& room) {
        if (!room.lacks_only_places()) return decision::wait;
        room.merge(merge);
        return decision::merged;
    }

    [[no_unique_address]] Merge merge{};
};

/// clang before 17 deduces nothing for aggregates.
template <class Merge>
conflate(Merge) -> conflate<Merge>;

}  // namespace hawser::inline v0::overflow
#endif  // HAWSER_FLOW_OVERFLOW_HPP
