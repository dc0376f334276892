// SPDX-License-Identifier: BSL-1.0
//
// map: each item through a function, on the thread that brings it.
#ifndef HAWSER_RUN_DEMAND_MAP_HPP
#define HAWSER_RUN_DEMAND_MAP_HPP

#include <hawser/run/demand/publisher.hpp>

#include <exception>
#include <type_traits>
#include <utility>

namespace hawser::inline v0::demand {

namespace detail {

/// Stands before a subscriber and holds nothing back, so that it needs no account of its own: what
/// is asked for behind it is asked for before it. What `f` throws leaves `on_next`, to which the
/// publisher answers as to any subscriber: it stops, and tells `on_error`.
template <class F, class S>
class mapped_subscriber {
public:
    mapped_subscriber(F f, S to) : f_(std::move(f)), to_(std::move(to)) {}

    void on_subscribe(subscription handle) noexcept { to_.on_subscribe(std::move(handle)); }
    template <class T>
    void on_next(T item) {
        to_.on_next(f_(std::move(item)));
    }
    void on_error(std::exception_ptr why) noexcept { to_.on_error(std::move(why)); }
    void on_complete() noexcept { to_.on_complete(); }

private:
    F f_;
    S to_;
};

}  // namespace detail

/// Made by `map`.
template <class P, class F>
class mapped {
public:
    using value_type = std::remove_cvref_t<std::invoke_result_t<F&, typename P::value_type>>;

    mapped(P from, F f) : from_(std::move(from)), f_(std::move(f)) {}

    template <subscriber<value_type> S>
    void subscribe(S to) const& {
        from_.subscribe(detail::mapped_subscriber<F, S>{f_, std::move(to)});
    }
    template <subscriber<value_type> S>
    void subscribe(S to) && {
        std::move(from_).subscribe(detail::mapped_subscriber<F, S>{std::move(f_), std::move(to)});
    }

private:
    P from_;
    F f_;
};

/// The stage that `map` makes.
template <class F>
class mapping {
public:
    using stage_type = mapping;
    explicit mapping(F f) : f_(std::move(f)) {}

    template <publisher P>
    requires std::invocable<F&, typename P::value_type>
    [[nodiscard]] auto operator()(P from) && {
        return mapped<P, F>{std::move(from), std::move(f_)};
    }

private:
    F f_;
};

/// Sends `f(item)` for each item, in order, as many as there come. Nothing is allocated or kept.
///
/// If `f` throws, the source is cancelled and the flow ends with `on_error`.
template <class F>
[[nodiscard]] auto map(F f) {
    return mapping<F>{std::move(f)};
}

}  // namespace hawser::inline v0::demand
#endif  // HAWSER_RUN_DEMAND_MAP_HPP
