// SPDX-License-Identifier: BSL-1.0
//
// What a buffer has dropped: why, how many, and the items themselves until they may be destroyed.
//
//     bounded_buffer     under its owner's lock
//         |
//         |  push, pop, collect
//         v
//     drop_list          outside the lock: for_each to report, then the end of its life
#ifndef HAWSER_FLOW_DROPPED_HPP
#define HAWSER_FLOW_DROPPED_HPP

#include <hawser/base/contract.hpp>
#include <hawser/trace/event.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <utility>

namespace hawser::inline v0 {

/// All of them.
inline constexpr std::array drop_causes{drop_cause::newest,   drop_cause::oldest,
                                        drop_cause::replaced, drop_cause::merged,
                                        drop_cause::all,      drop_cause::expired};

/// How many items were dropped, by cause. Starts at zero.
class drop_counts {
public:
    [[nodiscard]] constexpr std::uint64_t& operator[](drop_cause cause) noexcept {
        return by_cause_[static_cast<std::size_t>(cause)];
    }
    [[nodiscard]] constexpr std::uint64_t operator[](drop_cause cause) const noexcept {
        return by_cause_[static_cast<std::size_t>(cause)];
    }
    /// All of them, merged ones included.
    [[nodiscard]] constexpr std::uint64_t total() const noexcept {
        return std::accumulate(by_cause_.begin(), by_cause_.end(), std::uint64_t{0});
    }
    friend constexpr bool operator==(drop_counts const&, drop_counts const&) = default;

private:
    std::array<std::uint64_t, drop_causes.size()> by_cause_{};
};

/// Items that were dropped under a lock, to be reported and destroyed after it has been left: their
/// destructors are the user's, and may come back to where the lock is. Starts empty.
///
/// `Places` is how many it holds; what does not fit waits in the buffer for the next list. Nearly
/// every push drops one item or none, so that a few places do, and the list stays cheap on a stack.
///
/// Thread safety: as a value's. Cost: O(1), but for `for_each` and `clear`; allocates nothing.
template <class T, std::size_t Places = 4>
class drop_list {
    static_assert(Places > 0, "hawser: a drop_list has at least one place");

public:
    drop_list() noexcept {}  // NOLINT(modernize-use-equals-default): a union member has none.
    drop_list(drop_list const&) = delete;
    drop_list& operator=(drop_list const&) = delete;
    ~drop_list() { clear(); }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    /// How many more it takes.
    [[nodiscard]] std::size_t room() const noexcept { return Places - size_; }

    /// Takes `item`. Requires `room() > 0`.
    void add(T&& item, drop_cause cause) noexcept {
        HAWSER_ASSERT(room() > 0);
        std::construct_at(entries_ + size_, std::move(item), cause);
        ++size_;
    }

    /// Calls `visit(T& item, drop_cause cause)` for each, in the order in which they were dropped.
    /// What it throws passes through.
    template <class Visit>
    void for_each(Visit&& visit) {
        for (std::size_t i = 0; i != size_; ++i) visit(entries_[i].item, entries_[i].cause);
    }

    /// Destroys all, in the order in which they were dropped.
    void clear() noexcept { std::destroy_n(entries_, std::exchange(size_, 0)); }

private:
    struct entry {
        entry(T&& taken, drop_cause why) noexcept : item{std::move(taken)}, cause{why} {}
        T item;
        drop_cause cause;
    };

    union {
        entry entries_[Places];  // NOLINT(modernize-avoid-c-arrays): only the first size_ live.
    };
    std::size_t size_ = 0;
};

}  // namespace hawser::inline v0
#endif  // HAWSER_FLOW_DROPPED_HPP
