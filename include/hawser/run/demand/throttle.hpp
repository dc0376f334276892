// SPDX-License-Identifier: BSL-1.0
//
// throttle: items no faster than a rate limiter grants.
#ifndef HAWSER_RUN_DEMAND_THROTTLE_HPP
#define HAWSER_RUN_DEMAND_THROTTLE_HPP

#include <hawser/base/borrow.hpp>
#include <hawser/base/error.hpp>
#include <hawser/base/time.hpp>
#include <hawser/rate/admission.hpp>
#include <hawser/run/demand/detail/inlet.hpp>
#include <hawser/run/demand/flow.hpp>
#include <hawser/run/demand/publisher.hpp>
#include <hawser/run/demand/ticker.hpp>

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace hawser::inline v0::demand {

/// How far ahead of its subscriber a throttle lets its publisher run.
struct throttle_options {
    /// Items that are on their way or wait. From 1 to 1,000,000.
    std::uint32_t prefetch = 16;
};

/// What paces a flow: any limiter of `hawser/rate/` that answers at once.
template <class Limiter>
concept pacing_limiter = requires(Limiter& limiter, time_point now) {
    { limiter.try_acquire(now) } -> std::same_as<admission>;
};

namespace detail {

template <publisher P, pacing_limiter Limiter>
class throttle_source {
public:
    using value_type = typename P::value_type;

    throttle_source(std::uint32_t prefetch, Limiter& limiter, alarm_board& board, P from)
        : limiter_{&limiter},
          from_{std::move(from)},
          inlet_{prefetch},
          alarm_{std::in_place, board} {}

    void start(std::shared_ptr<wakeable> const& self) {
        alarm_->wakes(self);
        inlet_.open(std::move(from_), self);
    }

    [[nodiscard]] bool ended() const { return inlet_.ended() && !early_; }

    std::optional<value_type> next() {
        if (!early_) early_ = inlet_.take();
        if (!early_) return std::nullopt;
        auto const now = alarm_->now();
        auto const answer = limiter_->try_acquire(now);
        if (answer.granted) return std::exchange(early_, std::nullopt);
        if (answer.retry_after == never)
            throw refused{{.code = errc::too_large, .retry_after = never, .policy = "throttle"}};
        alarm_->set(add_saturating(now, answer.retry_after));
        return std::nullopt;
    }

    void close() noexcept {
        alarm_.reset();
        inlet_.close();
        early_.reset();
    }

private:
    Limiter* limiter_;
    P from_;
    inlet<value_type> inlet_;
    std::optional<alarm> alarm_;
    std::optional<value_type> early_;  ///< The next item, whose time has not come.
};

}  // namespace detail

/// Made by `throttle`.
template <publisher P, pacing_limiter Limiter>
class throttled {
public:
    using value_type = typename P::value_type;

    throttled(std::uint32_t prefetch, Limiter& limiter, detail::alarm_board& board, P from)
        : prefetch_{prefetch}, limiter_{&limiter}, board_{&board}, from_(std::move(from)) {}

    template <subscriber<value_type> S>
    void subscribe(S to) const& {
        flow<detail::throttle_source<P, Limiter>, S>::begin(std::move(to), prefetch_, *limiter_,
                                                            *board_, from_);
    }
    template <subscriber<value_type> S>
    void subscribe(S to) && {
        flow<detail::throttle_source<P, Limiter>, S>::begin(std::move(to), prefetch_, *limiter_,
                                                            *board_, std::move(from_));
    }

private:
    std::uint32_t prefetch_;
    Limiter* limiter_;
    detail::alarm_board* board_;
    P from_;
};

/// The stage that `throttle` makes.
template <pacing_limiter Limiter>
class throttling {
public:
    using stage_type = throttling;
    throttling(throttle_options const& options, Limiter& limiter, detail::alarm_board& board)
        : prefetch_{detail::checked_prefetch(options.prefetch,
                                             "throttle: prefetch is not in [1, 1000000]")},
          limiter_{&limiter},
          board_{&board} {}

    template <publisher P>
    [[nodiscard]] auto operator()(P from) && {
        return throttled<P, Limiter>{prefetch_, *limiter_, *board_, std::move(from)};
    }

private:
    std::uint32_t prefetch_;
    Limiter* limiter_;
    detail::alarm_board* board_;
};

/// Sends items in order, each when `limiter` grants one token, asked with the ticker's time while
/// the item is there and asked for. Limiter and ticker are borrowed, for as long as a `ticker`
/// says; a limiter may pace many flows, and calls besides.
///
/// Nobody sleeps: an item that is too early waits in the stage, with at most `prefetch` behind it,
/// and goes at the first poll of the ticker after its time. So the pace is exact in its long run
/// where the ticker is polled at `next()`, and else no faster. A limiter that can never grant a
/// token ends the flow with `refused`, `errc::too_large`.
/// Throws `std::invalid_argument`, naming the field, if an option is out of range.
template <pacing_limiter Limiter, class Clock, class Bell>
[[nodiscard]] auto throttle(borrowed<Limiter> limiter, ticker<Clock, Bell>& clock,
                            throttle_options const& options = {}) {
    return throttling<Limiter>{options, *limiter, clock};
}

}  // namespace hawser::inline v0::demand
#endif  // HAWSER_RUN_DEMAND_THROTTLE_HPP
