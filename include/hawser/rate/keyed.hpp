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

#include <hawser/base/time.hpp>
#include <hawser/containers/keyed_map.hpp>
#include <hawser/rate/admission.hpp>
#include <hawser/rate/detail/keyed_asks.hpp>
#include <hawser/rate/detail/keyed_tail.hpp>
#include <hawser/rate/keyed_answers.hpp>
#include <hawser/rate/per_key.hpp>
#include <hawser/rate/per_key_windows.hpp>

#include <algorithm>
#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace hawser::inline v0 {

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
/// Cost:          a lookup in a `keyed_map` and a decision. A token bucket, a `fixed_window` and a
///                `sliding_window_counter` take 20 to 24 bytes a key, and those of the key: 52 to
///                56 with a `std::string`. Any other limiter takes what it takes, for each of
///                `keys`. Allocates at construction alone, and for long strings as a `keyed_map`
///                says.
template <class Limiter, class Key = std::string, class Hash = key_hash<Key>,
          class Equal = key_equal>
class keyed {
    using limits = per_key<Limiter>;
    using state = typename limits::state;
    using options_type = typename detail::options_of_keys<limits, Limiter>::type;
    using lent = typename detail::lent_by_keys<limits>::type;
    static constexpr bool copies = std::copyable<state>;

public:
    /// Whether it has `reserve` and `cancel`: its limiter does.
    static constexpr bool lends = !std::is_same_v<lent, detail::unit>;

    /// What `reserve` answers, of a limiter that has one.
    using reservation = keyed_reservation<lent>;

    /// Of a limiter that has options, which hold for each key. Throws `std::invalid_argument`,
    /// naming the field, if an option is out of range.
    template <class Options = options_type>
    requires std::constructible_from<limits, Options const&>
    explicit keyed(Options const& limiter, keyed_options const& options = {}, Hash hash = Hash(),
                   Equal equal = Equal())
        : keyed{[&] { return limits(limiter); }, [] { return state{}; }, options, std::move(hash),
                std::move(equal)} {}
    template <class Options = options_type>
    requires(!std::constructible_from<limits, Options const&> &&
             std::constructible_from<state, Options const&>) explicit keyed(Options const& limiter,
                                                                            keyed_options const&
                                                                                options = {},
                                                                            Hash hash = Hash(),
                                                                            Equal equal = Equal())
        : keyed{[] { return limits(); }, [&] { return state(limiter); }, options, std::move(hash),
                std::move(equal)} {}

    /// Of any other: `make()` returns a new limiter. It is called once for each key there is room
    /// for and once more, so that whatever a limiter allocates is allocated here.
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
        return decide(key, detail::acquiring<limits>{limits_, now, count});
    }

    /// Takes `count` tokens of `key` that are there within `wait_max`, else none, as the limiter's
    /// own `reserve`; with a negative `wait_max`, it asks and takes none. There is room now, or
    /// none: nobody waits for it. O(1).
    template <class K>
    reservation reserve(K const& key, time_point now, std::uint32_t count,
                        duration wait_max) requires lends {
        return decide(key, detail::reserving<limits>{{limits_, now, count}, wait_max, pardons_});
    }

    /// Gives a reservation of `key` back, used by nobody, as the limiter's own `cancel`: true if
    /// its tokens are there again. Of tokens that all keys share, the key may owe for a while what
    /// others took since.
    ///
    /// Lost is what was reserved before a `forget` of any key; and all, if the key's hash or
    /// equality throws. A reservation is given back once, its copies included.
    template <class K>
    bool cancel(K const& key, reservation& unused) noexcept requires lends {
        if (!std::exchange(unused.granted, false)) return false;
        auto back = false;
        auto const undo = [&](state& from) noexcept {
            if (pardons_.load(std::memory_order_relaxed) == unused.pardons)
                back = limits_.cancel(from, unused.taken);
            return back;
        };
        try {
            if (unused.from == asked_of::own) map_.visit(key, undo);
            if constexpr (copies)
                if (unused.from == asked_of::shared) tail_.give_back(map_.spread_of(key), undo);
        } catch (...) {
            return false;
        }
        return back;
    }
    template <class K>
    bool cancel(K const& key, reservation&& unused) noexcept requires lends {
        return cancel(key, unused);
    }

    /// Whole tokens that `key` could take, were there room for it. Out of date once another thread
    /// acquires.
    template <class K>
    [[nodiscard]] std::uint32_t available(K const& key, time_point now) requires(
        copies&& requires(limits const& l, state const& s) { l.available(s, now); }) {
        std::uint32_t tokens = 0;
        auto const ask = [&](state const& of_key) noexcept {
            tokens = limits_.available(of_key, now);
        };
        if (map_.visit(key, ask)) return tokens;
        ask(tail_.start(map_.spread_of(key)));
        return tokens;
    }

    /// Forgets what `key` owes: an operator's pardon. What it owes where it shared is not pardoned.
    /// True if there was something to forget.
    template <class K>
    bool forget(K const& key) requires copies {
        auto const keep = [](state const&) noexcept { return false; };
        auto found = false;
        map_.visit_or_create(key, keep, [&](key_place place, state*) noexcept {
            found = place == key_place::found;
            // Under the lock of its shard, as who reserves reads it.
            if (found) pardons_.fetch_add(1, std::memory_order_relaxed);
            return false;
        });
        return found;
    }

    /// Keys that have an entry, owing or not looked at since, and how many can.
    [[nodiscard]] std::size_t size() const { return map_.size(); }
    [[nodiscard]] std::size_t capacity() const noexcept { return map_.capacity(); }

private:
    struct nothing {};
    using kept_state = std::conditional_t<copies, state, nothing>;
    using sample = std::conditional_t<!copies && lends, detail::keyed_sample<limits>, nothing>;

    template <class MakeLimits, class Make>
    keyed(MakeLimits shared, Make make, keyed_options const& options, Hash hash, Equal equal)
        : limits_(shared()),
          fresh_(prototype(make)),
          sample_(sample_of(make)),
          when_full_{checked(options)},
          tail_(fresh_, when_full_ == full_table::shares),
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

    template <class Make>
    static sample sample_of(Make& make) {
        if constexpr (std::is_same_v<sample, nothing>)
            return {};
        else
            return sample{make};
    }

    static full_table checked(keyed_options const& options) {
        if (options.keys == 0 || options.keys > (1U << 30U))
            throw std::invalid_argument{"keyed: keys is not in [1, 2^30]"};
        if (!copies && options.when_full == full_table::shares)
            throw std::invalid_argument{"keyed: when_full is shares, of a limiter that cannot be"};
        return options.when_full;
    }

    template <class K, class Ask>
    [[gnu::always_inline]] typename Ask::answer decide(K const& key, Ask const& ask) {
        typename Ask::answer answer;
        auto soonest = never;
        map_.visit_or_create(
            key,
            [&](state const& looked_at) noexcept {
                auto const wait = limits_.fresh_in(looked_at, ask.now);
                soonest = std::min(soonest, wait);
                return wait == duration::zero();
            },
            [&](key_place place, state* own, std::uint32_t spread) noexcept {
                if (place != key_place::found) [[unlikely]] {
                    answer = first_time(own, spread, ask, soonest);
                    return answer.granted && ask.count != 0;
                }
                answer = ask(*own, asked_of::own);
                return true;
            });
        return answer;
    }

    /// Decides for a key without an entry; `own` is the state of its entry-to-be, if there is room;
    /// else the first of the entries that were looked at can go in `soonest`.
    template <class Ask>
    [[gnu::noinline]] typename Ask::answer first_time(state* own, std::uint32_t spread,
                                                      Ask const& ask, duration soonest) noexcept {
        if (own != nullptr) {
            // A state that cannot be copied is that of a new limiter as it is.
            if constexpr (copies) *own = tail_.start(spread);
            return ask(*own, asked_of::own);
        }
        if constexpr (copies) {
            if (when_full_ == full_table::shares)
                return tail_.decide(
                    spread, [&](state& all) noexcept { return ask(all, asked_of::shared); });
            // More than there can be is refused for ever, and not until there is room.
            auto as_new = fresh_;
            if (auto const alone = limits_.try_acquire(as_new, ask.now, ask.count); !alone)
                return Ask::without_room(alone);
        } else if constexpr (lends) {
            if (!sample_.can_grant(limits_, ask.now, ask.count)) soonest = never;
        }
        return Ask::without_room({.granted = ask.count == 0,
                                  .retry_after = ask.count == 0 ? duration::zero() : soonest});
    }

    limits const limits_;
    kept_state const fresh_;
    sample sample_;
    full_table const when_full_;
    detail::keyed_tail<kept_state> tail_;
    std::atomic<std::uint32_t> pardons_{0};  ///< Of keys that were told to be forgotten.
    keyed_map<Key, state, Hash, Equal> map_;
};

}  // namespace hawser::inline v0
#endif  // HAWSER_RATE_KEYED_HPP
