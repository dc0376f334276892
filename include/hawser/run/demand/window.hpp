// SPDX-License-Identifier: BSL-1.0
//
// window: items in batches, of a number or of what comes within a time.
#ifndef HAWSER_RUN_DEMAND_WINDOW_HPP
#define HAWSER_RUN_DEMAND_WINDOW_HPP

#include <hawser/base/time.hpp>
#include <hawser/run/demand/detail/inlet.hpp>
#include <hawser/run/demand/flow.hpp>
#include <hawser/run/demand/publisher.hpp>
#include <hawser/run/demand/ticker.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

namespace hawser::inline v0::demand {

/// When a batch is full.
struct window_options {
    /// Items in a full batch. From 1 to 1,000,000.
    std::uint32_t count = 100;

    /// How old the first item of a batch may become before the batch goes as it is. Positive;
    /// `never`: batches go by their number alone. Less than `never` takes a ticker.
    duration max_age = never;
};

namespace detail {

inline window_options const& checked(window_options const& options) {
    checked_prefetch(options.count, "window: count is not in [1, 1000000]");
    if (options.max_age <= duration::zero())
        throw std::invalid_argument{"window: max_age is not positive"};
    return options;
}

template <publisher P>
class window_source {
    using item_type = typename P::value_type;

public:
    using value_type = std::vector<item_type>;

    window_source(window_options const& options, alarm_board* board, P from)
        : options_{options}, from_{std::move(from)}, inlet_{options.count} {
        if (board != nullptr) alarm_.emplace(*board);
    }

    void start(std::shared_ptr<wakeable> const& self) {
        if (alarm_) alarm_->wakes(self);
        inlet_.open(std::move(from_), self);
    }

    [[nodiscard]] bool ended() const { return inlet_.ended() && batch_.empty(); }

    std::optional<value_type> next() {
        fill();
        if (batch_.empty()) return std::nullopt;
        if (batch_.size() == options_.count || inlet_.ended() || is_old()) {
            if (alarm_) alarm_->clear();
            return std::exchange(batch_, {});
        }
        if (alarm_) alarm_->set(due_);
        return std::nullopt;
    }

    void close() noexcept {
        alarm_.reset();
        inlet_.close();
        batch_ = {};
    }

private:
    void fill() {
        while (batch_.size() != options_.count) {
            auto item = inlet_.take();
            if (!item) return;
            if (batch_.empty() && alarm_) due_ = add_saturating(alarm_->now(), options_.max_age);
            batch_.push_back(std::move(*item));
        }
    }

    [[nodiscard]] bool is_old() const noexcept { return alarm_ && alarm_->now() >= due_; }

    window_options const options_;
    P from_;
    inlet<item_type> inlet_;
    std::optional<alarm> alarm_;
    time_point due_{};  ///< When the batch is too old. Says nothing of an empty one.
    value_type batch_;
};

}  // namespace detail

/// Made by `window`.
template <publisher P>
class windowed {
public:
    using value_type = std::vector<typename P::value_type>;

    windowed(window_options const& options, detail::alarm_board* board, P from)
        : options_{options}, board_{board}, from_(std::move(from)) {}

    template <subscriber<value_type> S>
    void subscribe(S to) const& {
        flow<detail::window_source<P>, S>::begin(std::move(to), options_, board_, from_);
    }
    template <subscriber<value_type> S>
    void subscribe(S to) && {
        flow<detail::window_source<P>, S>::begin(std::move(to), options_, board_, std::move(from_));
    }

private:
    window_options options_;
    detail::alarm_board* board_;
    P from_;
};

/// The stage that `window` makes.
class windowing {
public:
    using stage_type = windowing;
    windowing(window_options const& options, detail::alarm_board* board)
        : options_{detail::checked(options)}, board_{board} {
        if (board == nullptr && options.max_age != never)
            throw std::invalid_argument{"window: max_age takes a ticker"};
    }

    template <publisher P>
    [[nodiscard]] auto operator()(P from) && {
        return windowed<P>{options_, board_, std::move(from)};
    }

private:
    window_options options_;
    detail::alarm_board* board_;
};

/// Sends a `std::vector` of `count` items for each batch that is asked for; the last one may be
/// shorter, and none is empty. Holds at most two batches: one to be sent and one on its way.
///
/// A publisher that completes: what is there goes as the last batch. One that fails: it is dropped.
/// Throws `std::invalid_argument`, naming the field, if an option is out of range.
[[nodiscard]] inline windowing window(window_options const& options) {
    return windowing{options, nullptr};
}
[[nodiscard]] inline windowing window(std::uint32_t count) {
    return windowing{{.count = count}, nullptr};
}

/// The same, and a batch goes at the first poll of `ticker` at which its first item is `max_age`
/// old, or with the item that comes after that. The age counts from when the stage takes the item
/// up, which it does while a batch is asked for.
template <class Clock, class Bell>
[[nodiscard]] windowing window(window_options const& options, ticker<Clock, Bell>& clock) {
    return windowing{options, options.max_age == never ? nullptr : &clock};
}

}  // namespace hawser::inline v0::demand
#endif  // HAWSER_RUN_DEMAND_WINDOW_HPP
