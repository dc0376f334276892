// SPDX-License-Identifier: BSL-1.0
//
// One part of a keyed_map: a hash table in two arrays, and the hand that finds what may leave it.
#ifndef HAWSER_CONTAINERS_DETAIL_KEYED_SHARD_HPP
#define HAWSER_CONTAINERS_DETAIL_KEYED_SHARD_HPP

#include <hawser/base/padded.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <type_traits>
#include <utility>

namespace hawser::inline v0::detail {

/// Objects in a row that are made where they stand, and so need not move.
template <class T>
class made_in_place {
public:
    template <class... Arguments>
    explicit made_in_place(std::size_t count, Arguments&... arguments)
        : first_{std::allocator<T>{}.allocate(count)}, count_{count} {
        try {
            for (; made_ != count; ++made_) ::new (first_ + made_) T(arguments...);
        } catch (...) {
            clear();
            throw;
        }
    }
    made_in_place(made_in_place const&) = delete;
    made_in_place& operator=(made_in_place const&) = delete;
    ~made_in_place() { clear(); }

    [[nodiscard]] T* begin() const noexcept { return first_; }

private:
    void clear() noexcept {
        std::destroy_n(first_, made_);
        std::allocator<T>{}.deallocate(first_, count_);
    }

    T* first_;
    std::size_t count_;
    std::size_t made_ = 0;
};

template <class Key, class Value>
struct keyed_entry {
    template <class Make>
    explicit keyed_entry(Make& make) : value(make()) {}

    std::uint32_t tag = 0;   ///< The part of the hash that chooses the bucket, and more of it.
    std::uint32_t next = 0;  ///< In the chain, or in the list of the free.
    Value value;
    Key key{};
};

/// Locked from outside, by its own mutex; that and what each lookup reads fill one cache line.
template <class Key, class Value>
class alignas(cache_line) keyed_shard {
public:
    using entry = keyed_entry<Key, Value>;
    static constexpr std::uint32_t none = ~std::uint32_t{0};
    static constexpr std::uint32_t looks_max = 16;

    /// Takes over `count` entries and a power of two of buckets. To be called once.
    void set_up(entry* entries, std::uint32_t count, std::uint32_t* heads,
                std::uint32_t buckets) noexcept {
        entries_ = entries;
        heads_ = heads;
        bucket_mask_ = buckets - 1;
        count_ = count;
        std::fill_n(heads, buckets, none);
        for (auto left = count; left != 0; --left) put_free(left - 1);
    }

    std::mutex& mutex() const noexcept { return mutex_; }
    [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
    [[nodiscard]] Value& operator[](std::uint32_t at) noexcept { return entries_[at].value; }

    template <class K, class Equal>
    [[nodiscard]] std::uint32_t find(std::uint32_t tag, K const& key, Equal const& equal) const {
        auto at = heads_[tag & bucket_mask_];
        while (at != none && !(entries_[at].tag == tag && equal(entries_[at].key, key)))
            at = entries_[at].next;
        return at;
    }

    /// The next free place, with `key` in it; `none` if there is none and none may be evicted.
    /// It stays free until it is put in: a key that throws when it is copied leaves no trace.
    template <class K, class MayEvict>
    [[nodiscard]] std::uint32_t prepare(std::uint32_t tag, K const& key, MayEvict& may_evict) {
        if (!make_room(tag, may_evict)) return none;
        auto& place = entries_[free_].key;
        if constexpr (std::is_assignable_v<Key&, K const&>)
            place = key;
        else
            place = Key(key);
        return free_;
    }

    /// Makes the prepared place an entry.
    void put_in(std::uint32_t tag) noexcept {
        auto const at = std::exchange(free_, entries_[free_].next);
        auto& head = heads_[tag & bucket_mask_];
        entries_[at].tag = tag;
        entries_[at].next = std::exchange(head, at);
        ++size_;
    }

    void remove(std::uint32_t at) noexcept {
        auto* link = &heads_[entries_[at].tag & bucket_mask_];
        while (*link != at) link = &entries_[*link].next;
        *link = entries_[at].next;
        --size_;
        put_free(at);
    }

private:
    void put_free(std::uint32_t at) noexcept { entries_[at].next = std::exchange(free_, at); }

    template <class MayEvict>
    bool make_room(std::uint32_t tag, MayEvict& may_evict) noexcept {
        std::uint32_t length = 0, victim = none;
        auto const head = heads_[tag & bucket_mask_];
        for (auto at = head; at != none; at = entries_[at].next) ++length;
        if (length == looks_max) {  // A longer chain is for those who have keys that collide.
            for (auto at = head; at != none; at = entries_[at].next)
                if (may_evict(std::as_const(entries_[at].value))) victim = at;
        } else {
            if (free_ != none) return true;
            victim = under_the_hand(may_evict);
        }
        if (victim == none) return false;
        remove(victim);
        return true;
    }

    /// The first of the next few entries that may go. Requires that there is no free place.
    template <class MayEvict>
    std::uint32_t under_the_hand(MayEvict& may_evict) noexcept {
        for (auto looks = std::min(looks_max, count_); looks != 0; --looks) {
            auto const at = hand_;
            hand_ = at + 1 == count_ ? 0 : at + 1;
            if (may_evict(std::as_const(entries_[at].value))) return at;
        }
        return none;
    }

    mutable std::mutex mutex_;
    std::uint32_t* heads_ = nullptr;
    entry* entries_ = nullptr;
    std::uint32_t bucket_mask_ = 0;
    std::uint32_t free_ = none;

    std::uint32_t hand_ = 0;
    std::uint32_t count_ = 0;
    std::uint32_t size_ = 0;
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_CONTAINERS_DETAIL_KEYED_SHARD_HPP
