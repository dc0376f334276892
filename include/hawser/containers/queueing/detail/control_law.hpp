// SPDX-License-Identifier: BSL-1.0
//
// The control law of controlled delay: the more have been turned away, the sooner the next is.
//
// Shedding at this rate makes the throughput of senders that back off fall linearly. Source: K.
// Nichols et al., "Controlled Delay Active Queue Management", RFC 8289, section 5: the variables
// `dropping`, `drop_next`, `count` and `lastcount` of its pseudo-code.
#ifndef HAWSER_CONTAINERS_QUEUEING_DETAIL_CONTROL_LAW_HPP
#define HAWSER_CONTAINERS_QUEUEING_DETAIL_CONTROL_LAW_HPP

#include <hawser/base/time.hpp>

#include <cmath>
#include <cstdint>
#include <utility>

namespace hawser::inline v0::queueing::detail {

/// When the next is to be turned away, while a queue stands. To be asked at each look at the queue.
class control_law {
public:
    explicit control_law(duration interval) noexcept : interval_{interval} {}

    [[nodiscard]] bool is_shedding() const noexcept { return shedding_; }

    /// Whether a look at `now` turns one away: the first does.
    [[nodiscard]] bool sheds_at(time_point now) const noexcept {
        return !shedding_ || now >= (shed_last_ ? after_another(shed_next_at_) : shed_next_at_);
    }

    /// A look at a queue that stands: does what `sheds_at` says.
    void look(time_point now) noexcept {
        if (!std::exchange(shedding_, true)) return begin(now);
        if (std::exchange(shed_last_, false)) shed_next_at_ = after_another(shed_next_at_);
        if (now < shed_next_at_) return;
        ++count_;
        shed_last_ = true;
    }

    /// A look at one that does not.
    void stop() noexcept { shedding_ = shed_last_ = false; }

private:
    void begin(time_point now) noexcept {
        // Soon after the last time: what was shed then, above what it began with, was needed.
        auto const added = count_ - count_at_start_;
        auto const soon = time_between(shed_next_at_, now) < 16 * interval_;
        count_ = added > 1 && soon ? added : 1;
        count_at_start_ = count_;
        shed_next_at_ = after_another(now);
    }
    [[nodiscard]] time_point after_another(time_point last) const noexcept {
        auto const step =
            static_cast<double>(interval_.count()) / std::sqrt(static_cast<double>(count_));
        return add_saturating(last, duration{static_cast<duration::rep>(step)});
    }

    duration interval_;
    bool shedding_ = false;
    bool shed_last_ = false;  ///< `shed_next_at_` is due to be moved on.
    time_point shed_next_at_{};
    std::uint64_t count_ = 0;           ///< Turned away since shedding began, or nearly.
    std::uint64_t count_at_start_ = 0;  ///< What it began with.
};

}  // namespace hawser::inline v0::queueing::detail
#endif  // HAWSER_CONTAINERS_QUEUEING_DETAIL_CONTROL_LAW_HPP
