// SPDX-License-Identifier: BSL-1.0
//
// from_range: the elements of a range, in order, to each subscriber from the beginning.
#ifndef HAWSER_RUN_DEMAND_FROM_RANGE_HPP
#define HAWSER_RUN_DEMAND_FROM_RANGE_HPP

#include <hawser/run/demand/flow.hpp>
#include <hawser/run/demand/publisher.hpp>

#include <iterator>
#include <optional>
#include <type_traits>
#include <utility>

namespace hawser::inline v0::demand {

namespace detail {

template <class Range>
class range_source {
public:
    using value_type = std::iter_value_t<decltype(std::begin(std::declval<Range const&>()))>;

    explicit range_source(Range range) : range_(std::move(range)), at_{std::begin(held())} {}
    range_source(range_source const&) = delete;
    range_source& operator=(range_source const&) = delete;

    [[nodiscard]] bool ended() const { return at_ == std::end(held()); }
    std::optional<value_type> next() {
        std::optional<value_type> item{*at_};
        ++at_;
        return item;
    }
    void close() noexcept {}

private:
    [[nodiscard]] Range const& held() const noexcept { return range_; }

    Range range_;
    decltype(std::begin(std::declval<Range const&>())) at_;
};

}  // namespace detail

/// Made by `from_range`.
template <class Range>
class range_publisher {
public:
    using value_type = typename detail::range_source<Range>::value_type;

    explicit range_publisher(Range range) : range_(std::move(range)) {}

    template <subscriber<value_type> S>
    void subscribe(S to) const& {
        flow<detail::range_source<Range>, S>::begin(std::move(to), range_);
    }
    template <subscriber<value_type> S>
    void subscribe(S to) && {
        flow<detail::range_source<Range>, S>::begin(std::move(to), std::move(range_));
    }

private:
    Range range_;
};

/// Publishes copies of the elements of `range`, which it keeps; a `std::span` keeps elements that
/// stand elsewhere. Sent by whichever thread asks, before `request` returns.
///
/// What copying or advancing throws ends the flow with `on_error`.
template <class Range>
requires requires(Range const& range) {
    std::begin(range);
    std::end(range);
}
[[nodiscard]] auto from_range(Range range) { return range_publisher<Range>{std::move(range)}; }

}  // namespace hawser::inline v0::demand
#endif  // HAWSER_RUN_DEMAND_FROM_RANGE_HPP
