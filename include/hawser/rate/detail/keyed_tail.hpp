// SPDX-License-Identifier: BSL-1.0
//
// What the keys share that find no room in a `keyed`, and what each owes of it.
#ifndef HAWSER_RATE_DETAIL_KEYED_TAIL_HPP
#define HAWSER_RATE_DETAIL_KEYED_TAIL_HPP

#include <hawser/base/padded.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace hawser::inline v0::detail {

/// Thread safety: all members may be called concurrently; one mutex.
template <class State>
class alignas(cache_line) keyed_tail {
public:
    /// Of keys that do not share, nothing is kept.
    keyed_tail(State const& fresh, bool shares)
        : shared_(fresh), fresh_(fresh), last_(shares ? places : 0, fresh) {}

    /// Where a key without an entry stands. If it took from the shared state, it owes at most what
    /// that owed after its last grant: others only ever added to it. If another key of its place
    /// did, it stands there as well.
    [[nodiscard]] State start(std::uint32_t spread) const noexcept {
        if (!used_.load(std::memory_order_relaxed)) return fresh_;
        std::lock_guard const lock{mutex_};
        return last_[spread % places];
    }

    /// Has `decide(state)` decide on the shared state for a key.
    template <class Decide>
    auto decide(std::uint32_t spread, Decide const& decide) noexcept {
        std::lock_guard const lock{mutex_};
        used_.store(true, std::memory_order_relaxed);
        auto const answer = decide(shared_);
        if (answer.granted) last_[spread % places] = shared_;
        return answer;
    }

    /// Has `undo(state)` take back what a key was granted, if it can. The key then owes at most
    /// what all owe that share.
    template <class Undo>
    bool give_back(std::uint32_t spread, Undo const& undo) noexcept {
        std::lock_guard const lock{mutex_};
        auto const back = undo(shared_);
        if (back) last_[spread % places] = shared_;
        return back;
    }

private:
    static constexpr std::size_t places = 1024;

    mutable std::mutex mutex_;
    State shared_;
    State const fresh_;

    /// The shared state as it was left by the last grant to a key of each place. At one time, no
    /// more keys than two bursts have tokens can owe here, and no more places are taken.
    std::vector<State> last_;

    /// Whether it was ever asked. Relaxed both ways: who has to know is a key that took from it,
    /// and then its shard's lock was released with the flag set and taken again since.
    std::atomic<bool> used_{false};
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_RATE_DETAIL_KEYED_TAIL_HPP
