// SPDX-License-Identifier: BSL-1.0
//
// The probes of one half-open episode: who is out, for how long, and what the votes decide.
//
// An episode of n votes never has more probes out than votes still wanted, so that a dependency
// that is coming back is asked no more often than the answer needs. A probe ends by a vote, by
// being returned without one, or by losing its slot to the next comer after its lease.
#ifndef HAWSER_BREAKER_PROBE_POOL_HPP
#define HAWSER_BREAKER_PROBE_POOL_HPP

#include <hawser/base/time.hpp>
#include <hawser/breaker/options.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace hawser::inline v0::detail {

/// What an episode is held to.
struct probe_terms {
    std::uint32_t votes = 1;    ///< That the episode collects.
    std::uint32_t at_once = 1;  ///< Probes out at one time, at most.
    std::uint32_t needed = 1;   ///< Successes that close.
    duration lease{};           ///< After which an unanswered probe may lose its slot.
};

/// The terms that options ask for; `slow_after` is `never` where no rule counts slow calls.
[[nodiscard]] inline probe_terms terms_of(circuit_breaker_options const& options,
                                          duration slow_after) noexcept {
    probe_terms terms{.votes = options.probes};
    terms.at_once = options.probes_at_once == 0 ? options.probes : options.probes_at_once;
    // The least count whose share, rounded as a literal is, reaches the rate.
    while (static_cast<double>(terms.needed) / static_cast<double>(terms.votes) <
           options.probe_success_rate)
        ++terms.needed;
    auto const twice_slow = slow_after == never      ? duration::zero()
                            : slow_after > never / 2 ? never
                                                     : slow_after * 2;
    terms.lease = options.probe_lease != duration::zero() ? options.probe_lease
                                                          : std::max(options.open_for, twice_slow);
    return terms;
}

enum class episode_verdict : std::uint8_t { undecided, passed, failed };

/// The slots and votes of the episode that runs. Thread safety: none of its own.
/// Cost: O(probes). Allocates in the constructor only.
class probe_pool {
public:
    struct probe {
        std::uint32_t slot;
        std::uint32_t serial;
    };

    explicit probe_pool(std::uint32_t slots)
        : slots_{std::make_unique<held[]>(slots)}, slot_count_{slots} {}

    /// A fresh episode: all slots free, no votes.
    void begin() noexcept {
        std::fill_n(slots_.get(), slot_count_, held{});
        out_ = passed_ = failed_ = 0;
    }

    /// A slot for a new probe, if need be that of one whose lease is over at `now`; else none.
    [[nodiscard]] std::optional<probe> acquire(probe_terms const& terms, time_point now) noexcept {
        // Of the leases that are over, no more are ended than this probe needs.
        while (out_ >= allowed(terms)) {
            auto* const oldest = oldest_lease();
            if (oldest == nullptr || now < oldest->until) return std::nullopt;
            free(*oldest);
        }
        auto* const found = free_slot();
        if (found == nullptr) return std::nullopt;
        ++out_;
        if (++last_serial_ == 0) ++last_serial_;  // Zero marks a free slot.
        *found = {.until = add_saturating(now, terms.lease), .serial = last_serial_};
        return probe{static_cast<std::uint32_t>(found - slots_.get()), last_serial_};
    }

    /// Frees the slot without a vote. False if the probe has lost it already.
    bool release(probe which) noexcept {
        if (which.slot >= slot_count_ || slots_[which.slot].serial != which.serial) return false;
        free(slots_[which.slot]);
        return true;
    }

    /// Counts a vote; the slot was released. Decides as soon as no other vote could change it.
    [[nodiscard]] episode_verdict cast(probe_terms const& terms, bool success) noexcept {
        ++(success ? passed_ : failed_);
        if (passed_ >= terms.needed) return episode_verdict::passed;
        if (failed_ > terms.votes - terms.needed) return episode_verdict::failed;
        return episode_verdict::undecided;
    }

    /// Until when every request is refused unless a probe ends: `time_point::min()` if there is a
    /// slot to be had.
    [[nodiscard]] time_point full_until(probe_terms const& terms) const noexcept {
        if (out_ < allowed(terms)) return time_point::min();
        auto const* const first = oldest_lease();
        return first == nullptr ? time_point::min() : first->until;
    }

    [[nodiscard]] std::uint32_t out() const noexcept { return out_; }
    [[nodiscard]] std::uint32_t votes() const noexcept { return passed_ + failed_; }
    [[nodiscard]] std::uint32_t failed() const noexcept { return failed_; }

    /// Takes the slots of `fresh` if there are more of them; `fresh` then gets the old storage.
    /// Probes that are out stay out.
    void adopt(probe_pool& fresh) noexcept {
        if (fresh.slot_count_ <= slot_count_) return;
        std::copy_n(slots_.get(), slot_count_, fresh.slots_.get());
        std::swap(slots_, fresh.slots_);
        std::swap(slot_count_, fresh.slot_count_);
    }

private:
    struct held {
        time_point until{};
        std::uint32_t serial = 0;  ///< Zero if the slot is free.

        [[nodiscard]] bool is_before(held const& other) const noexcept {
            return until != other.until ? until < other.until : serial < other.serial;
        }
    };

    [[nodiscard]] std::uint32_t allowed(probe_terms const& terms) const noexcept {
        // At least one: after a reconfiguration to fewer votes, the next vote decides.
        auto const wanted = terms.votes > votes() ? terms.votes - votes() : 1;
        return std::min(terms.at_once, wanted);
    }
    void free(held& slot) noexcept {
        slot = held{};
        --out_;
    }
    [[nodiscard]] held* free_slot() const noexcept {
        auto* const end = slots_.get() + slot_count_;
        auto* const found = std::find_if(slots_.get(), end, [](held h) { return h.serial == 0; });
        return found == end ? nullptr : found;
    }
    [[nodiscard]] held* oldest_lease() const noexcept {
        held* oldest = nullptr;
        for (std::uint32_t i = 0; i < slot_count_; ++i)
            if (slots_[i].serial != 0 && (oldest == nullptr || slots_[i].is_before(*oldest)))
                oldest = &slots_[i];
        return oldest;
    }

    std::unique_ptr<held[]> slots_;
    std::uint32_t slot_count_;
    std::uint32_t last_serial_ = 0;
    std::uint32_t out_ = 0;
    std::uint32_t passed_ = 0;
    std::uint32_t failed_ = 0;
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_BREAKER_PROBE_POOL_HPP
