// SPDX-License-Identifier: BSL-1.0
//
// A value for each key, of as many keys as memory was set aside for, shared by many threads.
//
//   hash of the key ----> shard -------> bucket ---------> chain of entries, at most 16
//                         mutex          +---+       +-----+-------+     +-----+-------+
//                         free places    | o-|------>| key | value |---->| key | value |
//                         hand           +---+       +-----+-------+     +-----+-------+
//
// The entries of a shard stand in one array, and a chain is a row of places in it: an entry never
// moves. Where none is free, a hand goes round the array and asks of each entry whether it may go,
// as the clock algorithm does (F. Corbato, "A Paging Experiment with the Multics System", 1969).
#ifndef HAWSER_CONTAINERS_KEYED_MAP_HPP
#define HAWSER_CONTAINERS_KEYED_MAP_HPP

#include <hawser/base/random.hpp>
#include <hawser/containers/detail/keyed_shard.hpp>
#include <hawser/containers/key_hash.hpp>

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace hawser::inline v0 {

/// How many keys a `keyed_map` holds, and in how many parts.
struct keyed_map_options {
    /// Entries there is room for, all allocated at construction. From 1 to 2^30; rounded up to a
    /// multiple of `shards`.
    std::uint32_t capacity = 65'536;

    /// Parts with a lock each. A power of two, at most 1024; zero chooses: as many, up to 64, as
    /// leave each at least 1024 entries. Keys fall to shards at random, and the fullest is full
    /// before the map is: with 1024 entries a shard, when the map holds about 93 % of its capacity.
    std::uint32_t shards = 0;

    /// What keys are spread by. Zero draws it at random, so that nobody can foresee which keys
    /// meet; anything else repeats from run to run.
    std::uint64_t seed = 0;
};

/// Where `keyed_map::visit_or_create` found a key.
enum class key_place : std::uint8_t {
    found,    ///< It had an entry.
    created,  ///< It had none, and there was room for one.
    full,     ///< It has none: every entry that was looked at must stay.
};

/// A `Value` for each `Key`, in fixed memory. Starts empty; never grows.
///
/// With a transparent hash and equality (as in `std`: both have a type `is_transparent`) keys may
/// be of any type that both take; without, they are converted.
///
/// All values are made at construction, by one function, and live as long as the map. An entry that
/// is created for a key gets the value of its place as the last one there left it. So it is with
/// the key: an evicted one is kept until it is overwritten, and the memory of a long string serves
/// the next.
///
/// Guarantee:     at most one entry for each key, and none goes but by leave of `may_evict`, or by
///                `erase` or `use`. A value keeps its address: what somebody still points to
///                vetoes. No operation looks at more than 16 entries of a chain and 16 under the
///                hand, whatever the keys; of keys that all have one hash, 16 fit. The hand comes
///                to every entry of a full shard within as many creations as it has entries, and no
///                key can choose whom it finds there.
/// Thread safety: all members may be called concurrently. Two visits of one key never overlap.
/// User code:     the hash, outside the locks. Equality and the assignment of a key, under the lock
///                of a shard: they must not use the map. What they throw passes through, and the
///                map holds what it held, less at most one entry that `may_evict` let go.
/// Cost:          a short critical section, O(1). Allocates at construction alone. A key that
///                allocates, such as a string longer than any its place held before, does so when
///                it is copied in, under the lock.
template <class Key, class Value, class Hash = key_hash<Key>, class Equal = key_equal>
requires std::default_initializable<Key>
class keyed_map {
    using shard = detail::keyed_shard<Key, Value>;
    static constexpr auto none = shard::none;
    static constexpr bool transparent = requires {
        typename Hash::is_transparent;
        typename Equal::is_transparent;
    };

public:
    static constexpr std::uint32_t capacity_max = 1U << 30U;
    static constexpr std::uint32_t shards_max = 1024;

    /// The longest chain, and the most entries under the hand that one creation looks at. Where
    /// hashes do not collide, one chain in 10^15 is longer by chance.
    static constexpr std::uint32_t looks_max = shard::looks_max;

    /// Throws `std::invalid_argument`, naming the field, if an option is out of range.
    explicit keyed_map(keyed_map_options const& options, Hash hash = Hash(),
                       Equal equal = Equal()) requires std::default_initializable<Value>
        : keyed_map{options, [] { return Value(); }, std::move(hash), std::move(equal)} {}

    /// The same, with values that `make()` returns: it is called once for each entry.
    template <class Make>
    requires(std::same_as<std::invoke_result_t<Make&>, Value>)
        keyed_map(keyed_map_options const& options, Make make, Hash hash = Hash(),
                  Equal equal = Equal())
        : hash_(std::move(hash)),
          equal_(std::move(equal)),
          secret_{options.seed != 0 ? options.seed : shared_random{}()},
          shard_mask_{shards_of(options) - 1},
          in_shard_{(options.capacity + shard_mask_) / (shard_mask_ + 1)},
          entries_{capacity(), make},
          heads_{std::make_unique<std::uint32_t[]>(shard_count() * std::bit_ceil(in_shard_))},
          shards_{std::make_unique<shard[]>(shard_count())} {
        auto const buckets = std::bit_ceil(in_shard_);
        for (std::size_t i = 0; i != shard_count(); ++i)
            shards_[i].set_up(entries_.begin() + i * in_shard_, in_shard_,
                              heads_.get() + i * buckets, buckets);
    }
    keyed_map(keyed_map const&) = delete;
    keyed_map& operator=(keyed_map const&) = delete;

    /// Looks `key` up, makes an entry for it if it has none and there is room, and calls
    /// `use(place, value)` under the lock; `value` is null if the place is `full`. An entry, found
    /// or new, stays if `use` says true; with none, what it says does not matter.
    ///
    /// It may take a third argument, `spread_of(key)`.
    ///
    /// Room is made by evicting one entry, whose value `may_evict(value)` says may go; it is asked
    /// about few, and about none while there is room. Neither may throw, nor use the map.
    template <class K, class MayEvict, class Use>
    [[gnu::always_inline]] key_place visit_or_create(K const& key, MayEvict&& may_evict,
                                                     Use&& use) {
        static_assert(std::is_nothrow_invocable_r_v<bool, MayEvict&, Value const&>);
        static_assert(std::is_nothrow_invocable_r_v<bool, Use&, key_place, Value*> ||
                      std::is_nothrow_invocable_r_v<bool, Use&, key_place, Value*, std::uint32_t>);
        auto const& wanted = as_taken(key);
        auto const [part, tag] = place_of(wanted);
        std::lock_guard const lock{part->mutex()};
        auto const at = part->find(tag, wanted, equal_);
        if (at == none) [[unlikely]]
            return create(*part, tag, wanted, may_evict, use);
        if (!call(use, key_place::found, &(*part)[at], tag)) part->remove(at);
        return key_place::found;
    }

    /// Calls `use(value)` under the lock if `key` has an entry, and says whether it has.
    template <class K, class Use>
    bool visit(K const& key, Use&& use) {
        static_assert(std::is_nothrow_invocable_v<Use&, Value&>);
        auto const& wanted = as_taken(key);
        auto const [part, tag] = place_of(wanted);
        std::lock_guard const lock{part->mutex()};
        auto const at = part->find(tag, wanted, equal_);
        if (at != none) use((*part)[at]);
        return at != none;
    }

    /// Removes the entry of `key`, whatever its value, and says whether there was one.
    template <class K>
    bool erase(K const& key) {
        auto const& wanted = as_taken(key);
        auto const [part, tag] = place_of(wanted);
        std::lock_guard const lock{part->mutex()};
        auto const at = part->find(tag, wanted, equal_);
        if (at != none) part->remove(at);
        return at != none;
    }

    /// 32 bits that are the same whenever the key is, and as good as random between keys.
    template <class K>
    [[nodiscard]] std::uint32_t spread_of(K const& key) const {
        return place_of(as_taken(key)).tag;
    }

    /// Keys that have an entry: a sum over the shards, one after the other.
    [[nodiscard]] std::size_t size() const {
        std::size_t count = 0;
        for (std::size_t i = 0; i != shard_count(); ++i) {
            std::lock_guard const lock{shards_[i].mutex()};
            count += shards_[i].size();
        }
        return count;
    }

    /// Entries there are, used or not.
    [[nodiscard]] std::size_t capacity() const noexcept { return shard_count() * in_shard_; }
    [[nodiscard]] std::size_t shard_count() const noexcept { return std::size_t{shard_mask_} + 1; }

private:
    struct place {
        shard* part;
        std::uint32_t tag;
    };

    static std::uint32_t shards_of(keyed_map_options const& options) {
        if (options.capacity == 0 || options.capacity > capacity_max)
            throw std::invalid_argument{"keyed_map: capacity is not in [1, 2^30]"};
        if (options.shards > shards_max || (options.shards & (options.shards - 1)) != 0)
            throw std::invalid_argument{"keyed_map: shards is not a power of two up to 1024"};
        if (options.shards > options.capacity)
            throw std::invalid_argument{"keyed_map: shards are more than capacity"};
        if (options.shards != 0) return options.shards;
        return std::clamp(std::bit_floor(options.capacity / 1024), 1U, 64U);
    }

    /// The key as hash and equality take it.
    template <class K>
    static decltype(auto) as_taken(K const& key) {
        if constexpr (transparent || std::same_as<K, Key>)
            return (key);
        else
            return Key(key);
    }

    /// What is known of a hash need not be known of where its key falls: a hash of integers is
    /// often the integer. The low half of the product is the tag, the high half names the shard.
    template <class K>
    [[gnu::always_inline]] place place_of(K const& key) const {
        auto const mixed = detail::folded_product(std::uint64_t{hash_(key)} ^ secret_,
                                                  0x9e3779b97f4a7c15U);  // 2^64 / golden ratio
        return {&shards_[static_cast<std::uint32_t>(mixed >> 32U) & shard_mask_],
                static_cast<std::uint32_t>(mixed)};
    }

    template <class Use>
    [[gnu::always_inline]] static bool call(Use& use, key_place place, Value* value,
                                            std::uint32_t tag) noexcept {
        if constexpr (std::is_invocable_v<Use&, key_place, Value*>)
            return use(place, value);
        else
            return use(place, value, tag);
    }

    template <class K, class MayEvict, class Use>
    [[gnu::noinline]] key_place create(shard& part, std::uint32_t tag, K const& key,
                                       MayEvict& may_evict, Use& use) {
        auto const at = part.prepare(tag, key, may_evict);
        if (at == none) {
            call(use, key_place::full, nullptr, tag);
            return key_place::full;
        }
        if (call(use, key_place::created, &part[at], tag)) part.put_in(tag);
        return key_place::created;
    }

    [[no_unique_address]] Hash const hash_;
    [[no_unique_address]] Equal const equal_;
    std::uint64_t const secret_;
    std::uint32_t const shard_mask_;
    std::uint32_t const in_shard_;
    detail::made_in_place<detail::keyed_entry<Key, Value>> const entries_;
    std::unique_ptr<std::uint32_t[]> const heads_;
    std::unique_ptr<shard[]> const shards_;
};

}  // namespace hawser::inline v0
#endif  // HAWSER_CONTAINERS_KEYED_MAP_HPP
