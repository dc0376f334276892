// SPDX-License-Identifier: BSL-1.0
//
// generate: items that a function makes, one for each that is asked for.
#ifndef HAWSER_RUN_DEMAND_GENERATE_HPP
#define HAWSER_RUN_DEMAND_GENERATE_HPP

#include <hawser/run/demand/flow.hpp>
#include <hawser/run/demand/publisher.hpp>

#include <optional>
#include <type_traits>
#include <utility>

namespace hawser::inline v0::demand {

namespace detail {

template <class F>
class generated_source {
public:
    using value_type = typename std::invoke_result_t<F&>::value_type;

    explicit generated_source(F make) : make_(std::move(make)) {}

    [[nodiscard]] bool ended() const noexcept { return ended_; }
    std::optional<value_type> next() {
        auto item = make_();
        ended_ = !item.has_value();
        return item;
    }
    void close() noexcept {}

private:
    F make_;
    bool ended_ = false;
};

}  // namespace detail

/// Made by `generate`.
template <class F>
class generator {
public:
    using value_type = typename std::invoke_result_t<F&>::value_type;

    explicit generator(F make) : make_(std::move(make)) {}

    /// Each subscriber has a copy of the function, as it was when the generator was made.
    template <subscriber<value_type> S>
    void subscribe(S to) const& {
        flow<detail::generated_source<F>, S>::begin(std::move(to), make_);
    }
    template <subscriber<value_type> S>
    void subscribe(S to) && {
        flow<detail::generated_source<F>, S>::begin(std::move(to), std::move(make_));
    }

private:
    F make_;
};

/// Publishes what `make()` returns, a `std::optional`: an item, or none, which is the end.
///
/// It is called only while an item is asked for, by whichever thread asks, by one at a time; the
/// end shows with the item after the last. What it throws ends the flow with `on_error`.
template <class F>
requires std::same_as<std::invoke_result_t<F&>,
                      std::optional<typename std::invoke_result_t<F&>::value_type>>
[[nodiscard]] auto generate(F make) { return generator<F>{std::move(make)}; }

}  // namespace hawser::inline v0::demand
#endif  // HAWSER_RUN_DEMAND_GENERATE_HPP
