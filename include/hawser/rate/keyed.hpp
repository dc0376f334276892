// SPDX-License-Identifier: BSL-1.0
//
// One limiter for each key (address, user, device, route), in memory that does not grow.
//
//     key ---> has an entry? -- yes --> its own state decides
//                 | no
//                 +-- room, or an entry whose state is that of a new one? --> takes its place
//                 | no: all that were looked at owe
//                 +--> refused, or decided by the one state that all such keys share
//
// Only a key that could as well have never been seen is forgotten. So forgetting gives nothing
// away, and no request comes out otherwise than if every key were remembered for ever, but where
// there is no room.
#ifndef HAWSER_RATE_KEYED_HPP
#define HAWSER_RATE_KEYED_HPP

#include <hawser/base/padded.hpp>
#include <hawser/base/time.hpp>
#include <hawser/containers/keyed_map.hpp>
#include <hawser/rate/admission.hpp>
#include <hawser/rate/per_key.hpp>
#include <hawser/rate/token_bucket.hpp>

#include <algorithm>
#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace hawser::inline v0 {

/// What becomes of a key that finds no room, in a table of keys that all owe.
enum class full_table : std::uint8_t {
    refuses,  ///< It is refused.
    shares,   ///< It takes from one state that all such keys have together.
};

/// How many keys a `keyed` limiter remembers.
struct keyed_options {
    /// Keys that owe at one time. From 1 to 2^30. A key owes from a grant until it is as if there
    /// had been none: a token bucket, until it is full. The table is full sooner than this says, by
    /// a few per cent: see `keyed_map_options::shards`.
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
};

/// A limiter for each key. Starts with every key fresh: none is known.
///
/// Reads no clock and never waits.
///
/// Guarantee:     no key is granted more than a limiter of its own, kept for ever, would grant it,
///                and no less either while the table has room. A key is forgotten only when its
///                state is that of a new one; one that had to share starts its own entry, when
///                there is room, owing what was owed at its last share. Only a grant makes an
///                entry, so that refused requests fill no table. With clocks that differ by e
///                between threads, as the limiter itself, with e on top of its span.
/// When full:     a refusal says when the first of the entries it looked at can go: an estimate,
///                for another key may take that place, or another place may be free before. Each
///                request of an unknown key looks at 16 further entries, so that none that could go
///                is overlooked for longer than a round of the table.
/// Thread safety: all members may be called concurrently. Each decision is made under the lock of
///                the key's shard: no grant is lost, and keys of different shards do not wait for
///                each other. Keys that share wait for one more lock.
/// Errors:        throws what the user's hash, equality or copy of a key throws, and has granted
///                nothing then.
/// Cost:          a lookup in a `keyed_map` and a decision. A token bucket takes 20 to 24 bytes a
///                key, and those of the key: 52 to 56 with a `std::string`. Allocates at
///                construction alone, and for long strings as a `keyed_map` says.
template <class Limiter, class Key = std::string, class Hash = key_hash<Key>,
          class Equal = key_equal>
class keyed {
    using limits = per_key<Limiter>;
    using state = typename limits::state;
    static constexpr bool copies = std::copyable<state>;

public:
    /// Of a limiter that has options which all keys share, such as a token bucket. Throws
    /// `std::invalid_argument`, naming the field, if an option is out of range.
    template <class Options = token_bucket_options>
    requires std::constructible_from<limits, Options const&>
    explicit keyed(Options const& limiter, keyed_options const& options = {}, Hash hash = Hash(),
                   Equal equal = Equal())
        : keyed{[&] { return limits(limiter); }, [] { return state{}; }, options, std::move(hash),
                std::move(equal)} {}

    /// Of any other: `make()` returns a new limiter. It is called once for each key there is room
    /// for, so that whatever a limiter allocates is allocated here.
    template <class Make>
    requires std::same_as<std::invoke_result_t<Make&>, state>
    explicit keyed(Make make, keyed_options const& options = {}, Hash hash = Hash(),
                   Equal equal = Equal())
        : keyed{[] { return limits(); }, std::move(make), options, std::move(hash),
                std::move(equal)} {}

    /// Takes `count` tokens of `key`, if it has them, else none. No tokens are always granted.
    ///
    /// With a transparent hash and equality, as strings have by default, `key` may be of any type
    /// that they take; else it is converted. O(1). A refusal leaves every key as it was.
    template <class K>
    [[gnu::always_inline]] keyed_admission try_acquire(K const& key, time_point now,
                                                       std::uint32_t count = 1) {
        keyed_admission answer;
        auto soonest = never;
        map_.visit_or_create(
            key,
            [&](state const& looked_at) noexcept {
                auto const wait = limits_.fresh_in(looked_at, now);
                soonest = std::min(soonest, wait);
                return wait == duration::zero();
            },
            [&](key_place place, state* own, std::uint32_t spread) noexcept {
                if (place != key_place::found) [[unlikely]] {
                    answer = first_time(own, spread, {now, count, soonest});
                    return answer.granted && count != 0;
                }
                answer = {limits_.try_acquire(*own, now, count), asked_of::own};
                return true;
            });
        return answer;
    }

    /// Whole tokens that `key` could take, were there room for it. Out of date once another thread
    /// acquires.
    template <class K>
    [[nodiscard]] std::uint32_t available(K const& key, time_point now) requires
        requires(limits const& l, state const& s) {
        l.available(s, now);
    }
    {
        std::uint32_t tokens = 0;
        auto const ask = [&](state const& of_key) noexcept {
            tokens = limits_.available(of_key, now);
        };
        if (!map_.visit(key, ask)) ask(start(map_.spread_of(key)));
        return tokens;
    }

    /// Forgets what `key` owes: an operator's pardon. What it owes where it shared is not pardoned.
    /// True if there was something to forget.
    template <class K>
    bool forget(K const& key) requires copies {
        return map_.erase(key);
    }

    /// Keys that have an entry, owing or not looked at since, and how many can.
    [[nodiscard]] std::size_t size() const { return map_.size(); }
    [[nodiscard]] std::size_t capacity() const noexcept { return map_.capacity(); }

private:
    struct nothing {};
    using kept_state = std::conditional_t<copies, state, nothing>;

    /// What keys share that found no room.
    struct alignas(cache_line) tail_of_keys {
        tail_of_keys(kept_state const& fresh, full_table when_full)
            : shared(fresh), last(when_full == full_table::shares ? places : 0, fresh) {}

        std::mutex mutex;
        kept_state shared;

        /// The shared state as it was left by the last grant to a key of each place. At one time,
        /// no more keys than two bursts have tokens can owe here, and no more places are taken.
        std::vector<kept_state> last;
        static constexpr std::size_t places = 1024;

        /// Whether it was ever asked. Relaxed both ways: who has to know is a key that took from
        /// it, and then its shard's lock was released with the flag set and taken again since.
        std::atomic<bool> used{false};
    };

    struct request {
        time_point now;
        std::uint32_t count;
        duration soonest;  ///< When the first of the entries that were looked at can go.
    };

    template <class MakeLimits, class Make>
    keyed(MakeLimits shared, Make make, keyed_options const& options, Hash hash, Equal equal)
        : limits_(shared()),
          fresh_(prototype(make)),
          when_full_{checked(options)},
          tail_(fresh_, when_full_),
          map_{{.capacity = options.keys, .shards = options.shards, .seed = options.seed},
               std::move(make),
               std::move(hash),
               std::move(equal)} {}

    template <class Make>
    static kept_state prototype(Make& make) {
        if constexpr (copies)
            return make();
        else
            return {};
    }

    static full_table checked(keyed_options const& options) {
        if (options.keys == 0 || options.keys > (1U << 30U))
            throw std::invalid_argument{"keyed: keys is not in [1, 2^30]"};
        if (!copies && options.when_full == full_table::shares)
            throw std::invalid_argument{"keyed: when_full is shares, of a limiter that cannot be"};
        return options.when_full;
    }

    /// Where a key without an entry stands. If it took from the shared state, it owes at most what
    /// that owed after its last grant: others only ever added to it. If another key of its place
    /// did, it stands there as well.
    [[nodiscard]] kept_state start(std::uint32_t spread) noexcept {
        if (!tail_.used.load(std::memory_order_relaxed)) return fresh_;
        std::lock_guard const lock{tail_.mutex};
        return tail_.last[spread % tail_.places];
    }

    /// Decides for a key without an entry; `own` is the state of its entry-to-be, if there is room.
    [[gnu::noinline]] keyed_admission first_time(state* own, std::uint32_t spread,
                                                 request const& asked) noexcept {
        auto const& [now, count, soonest] = asked;
        if (own != nullptr) {
            // A state that cannot be copied is that of a new limiter as it is.
            if constexpr (copies) *own = start(spread);
            return {limits_.try_acquire(*own, now, count), asked_of::own};
        }
        if constexpr (copies) {
            if (when_full_ == full_table::shares) return share(spread, asked);
            // More than there can be is refused for ever, and not until there is room.
            auto as_new = fresh_;
            if (auto const alone = limits_.try_acquire(as_new, now, count); !alone)
                return {alone, asked_of::nobody};
        }
        return {{.granted = count == 0, .retry_after = count == 0 ? duration::zero() : soonest},
                asked_of::nobody};
    }

    keyed_admission share(std::uint32_t spread, request const& asked) noexcept {
        std::lock_guard const lock{tail_.mutex};
        tail_.used.store(true, std::memory_order_relaxed);
        auto const answer = limits_.try_acquire(tail_.shared, asked.now, asked.count);
        if (answer.granted) tail_.last[spread % tail_.places] = tail_.shared;
        return {answer, asked_of::shared};
    }

    limits const limits_;
    kept_state const fresh_;
    full_table const when_full_;
    tail_of_keys tail_;
    keyed_map<Key, state, Hash, Equal> map_;
};

}  // namespace hawser::inline v0
#endif  // HAWSER_RATE_KEYED_HPP
