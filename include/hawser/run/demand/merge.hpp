// SPDX-License-Identifier: BSL-1.0
//
// merge: several publishers as one, in turn.
//
//     a --[ prefetch ]--+
//     b --[ prefetch ]--+--> one item from each that has one, round and round
//     c --[ prefetch ]--+
#ifndef HAWSER_RUN_DEMAND_MERGE_HPP
#define HAWSER_RUN_DEMAND_MERGE_HPP

#include <hawser/run/demand/detail/inlet.hpp>
#include <hawser/run/demand/flow.hpp>
#include <hawser/run/demand/publisher.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

namespace hawser::inline v0::demand {

/// How far ahead of its subscriber a merge lets its publishers run.
struct merge_options {
    /// Items of each publisher that are on their way or wait. From 1 to 1,000,000; asked for anew
    /// in batches of three quarters.
    std::uint32_t prefetch = 32;
};

namespace detail {

/// The inlets of a merge, and whose turn it is. What `Publishers` are opens them.
template <class T, class Publishers>
class merge_source {
public:
    using value_type = T;

    merge_source(std::uint32_t prefetch, Publishers from) : from_(std::move(from)) {
        for (std::size_t i = 0; i != from_.size(); ++i) inlets_.emplace_back(prefetch);
    }

    void start(std::shared_ptr<wakeable> const& self) {
        std::size_t i = 0;
        from_.for_each([&](auto& from) { inlets_[i++].open(std::move(from), self); });
    }

    [[nodiscard]] bool ended() const {
        bool all = true;
        for (auto const& inlet : inlets_) all = inlet.ended() && all;  // Each may have failed.
        return all;
    }

    std::optional<T> next() {
        for (std::size_t tries = 0; tries != inlets_.size(); ++tries) {
            auto& inlet = inlets_[next_];
            next_ = next_ + 1 == inlets_.size() ? 0 : next_ + 1;
            if (auto item = inlet.take()) return item;
        }
        return std::nullopt;
    }

    void close() noexcept {
        for (auto& inlet : inlets_) inlet.close();
    }

private:
    Publishers from_;
    std::deque<inlet<T>> inlets_;  // A deque, for they do not move.
    std::size_t next_ = 0;
};

/// Publishers of several types, whose number the compiler knows.
template <publisher... Ps>
struct listed {
    std::tuple<Ps...> all;
    [[nodiscard]] static constexpr std::size_t size() noexcept { return sizeof...(Ps); }
    void for_each(auto const& use) {
        std::apply([&](auto&... from) { (use(from), ...); }, all);
    }
};

/// Publishers of one type, as many as there are.
template <publisher P>
struct counted {
    std::vector<P> all;
    [[nodiscard]] std::size_t size() const noexcept { return all.size(); }
    void for_each(auto const& use) {
        for (auto& from : all) use(from);
    }
};

}  // namespace detail

/// Made by `merge`.
template <class T, class Publishers>
class merged {
public:
    using value_type = T;

    merged(merge_options const& options, Publishers from)
        : prefetch_{detail::checked_prefetch(options.prefetch,
                                             "merge: prefetch is not in [1, 1000000]")},
          from_(std::move(from)) {}

    template <subscriber<T> S>
    void subscribe(S to) const& {
        flow<detail::merge_source<T, Publishers>, S>::begin(std::move(to), prefetch_, from_);
    }
    template <subscriber<T> S>
    void subscribe(S to) && {
        flow<detail::merge_source<T, Publishers>, S>::begin(std::move(to), prefetch_,
                                                            std::move(from_));
    }

private:
    std::uint32_t prefetch_;
    Publishers from_;
};

/// Sends the items of all publishers, each in its own order, one from each that has one in turn, so
/// that none is kept waiting by another. Holds at most `prefetch` items of each.
///
/// Completes when all have. If one fails, the others are cancelled, what waits is dropped, and the
/// flow ends with that error at once. Throws `std::invalid_argument` if an option is out of range.
/// An item costs a look at each publisher at most, besides the flow.
template <publisher P, publisher... Ps>
requires(std::same_as<typename P::value_type, typename Ps::value_type>&&...)
    [[nodiscard]] auto merge(merge_options const& options, P first, Ps... others) {
    return merged<typename P::value_type, detail::listed<P, Ps...>>{
        options, {{std::move(first), std::move(others)...}}};
}
template <publisher P, publisher... Ps>
requires(std::same_as<typename P::value_type, typename Ps::value_type>&&...)
    [[nodiscard]] auto merge(P first, Ps... others) {
    return merge(merge_options{}, std::move(first), std::move(others)...);
}

/// The same, of as many publishers of one type as `from` has; of none, it completes at once.
template <publisher P>
[[nodiscard]] auto merge(merge_options const& options, std::vector<P> from) {
    return merged<typename P::value_type, detail::counted<P>>{options, {std::move(from)}};
}
template <publisher P>
[[nodiscard]] auto merge(std::vector<P> from) {
    return merge(merge_options{}, std::move(from));
}

}  // namespace hawser::inline v0::demand
#endif  // HAWSER_RUN_DEMAND_MERGE_HPP
