// SPDX-License-Identifier: BSL-1.0
//
// map_async: each item through work that is done elsewhere, so many at one time and no more.
//
//     items --[ waiting ]--> start(item, completion) ...  work, wherever it is done
//                                                    |
//     results <--[ in order, or as they come ]-- completion(result)
#ifndef HAWSER_RUN_DEMAND_MAP_ASYNC_HPP
#define HAWSER_RUN_DEMAND_MAP_ASYNC_HPP

#include <hawser/base/contract.hpp>
#include <hawser/run/demand/detail/inlet.hpp>
#include <hawser/run/demand/detail/workbench.hpp>
#include <hawser/run/demand/flow.hpp>
#include <hawser/run/demand/publisher.hpp>

#include <concepts>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

namespace hawser::inline v0::demand {

/// How much a `map_async` does at one time, and in which order its results go.
struct map_async_options {
    /// Items that are in work, or finished and not yet sent. From 1 to 1,000,000; as many more, at
    /// most, are on their way or wait to be begun.
    std::uint32_t parallelism = 8;

    /// Whether results are sent in the order of their items. Where they are, one that takes long
    /// keeps those behind it waiting, and at last their slots; else they go as they come.
    bool in_order = true;
};

// Version 14 takes a class with an attribute and a base for a variable.
// clang-format off
/// What a flow ends with when work was given up: its completion was destroyed unused.
class [[gnu::visibility("default")]] broken_promise final : public std::exception {
public:
    [[nodiscard]] char const* what() const noexcept override {
        return "broken promise: a completion was destroyed unused";
    }
};
// clang-format on

namespace detail {

template <publisher P, class R, class F>
class async_source;

}  // namespace detail

/// The duty to say how the work for one item went: with a result, by calling it, or by `fail`.
/// Once, on any thread, also inside of `start`. Destroyed unused, it fails its flow with
/// `broken_promise`.
///
/// What it brings may be sent before the call returns, on this thread. If the flow is over, what it
/// brings is destroyed: until then it keeps a block of memory, and neither flow nor subscriber.
///
/// Thread safety: none of its own; different ones may be used concurrently. No lock is taken.
template <class R>
class [[nodiscard]] completion {
public:
    completion(completion&&) noexcept = default;
    completion& operator=(completion&& other) noexcept {
        completion{std::move(other)}.swap(*this);
        return *this;
    }
    ~completion() {
        if (bench_) fail(std::make_exception_ptr(broken_promise{}));
    }

    /// The work is done. Requires that nothing was said yet. What a move of `R` throws is an error.
    void operator()(R result) noexcept {
        HAWSER_ASSERT(bench_ && "a completion is used once");
        try {
            slot_->result.emplace(std::move(result));
        } catch (...) {
            slot_->error = std::current_exception();
        }
        leave();
    }

    /// The work has failed, and the flow ends with `why`. Requires that nothing was said yet.
    void fail(std::exception_ptr why) noexcept {
        HAWSER_ASSERT(bench_ && "a completion is used once");
        slot_->error = why ? std::move(why)
                           : std::make_exception_ptr(
                                 std::logic_error{"map_async: a failure without a reason"});
        leave();
    }

    /// Whether it is still to be used.
    explicit operator bool() const noexcept { return bench_ != nullptr; }

    void swap(completion& other) noexcept {
        bench_.swap(other.bench_);
        std::swap(slot_, other.slot_);
    }

private:
    template <publisher P, class T, class F>
    friend class detail::async_source;
    explicit completion(std::shared_ptr<detail::workbench<R>> bench) noexcept
        : bench_{std::move(bench)}, slot_{&bench_->claim()} {}

    void leave() noexcept {
        auto const bench = std::move(bench_);
        bench->finish(*slot_);
    }

    std::shared_ptr<detail::workbench<R>> bench_;  ///< None once it is used.
    detail::work_slot<R>* slot_;
};

namespace detail {

template <publisher P, class R, class F>
class async_source {
public:
    using value_type = R;

    async_source(map_async_options const& options, F start, P from)
        : start_{std::in_place, std::move(start)},
          from_(std::move(from)),
          inlet_{options.parallelism},
          bench_{std::make_shared<workbench<R>>(options.parallelism, options.in_order)} {}

    void start(std::shared_ptr<wakeable> const& self) {
        bench_->wakes(self);
        inlet_.open(std::move(from_), self);
    }

    [[nodiscard]] bool ended() {
        bench_->gather();
        return inlet_.ended() && bench_->is_empty();
    }

    /// Begins what there is room for before a result goes: the work need not wait for its receiver.
    std::optional<R> next() {
        while (bench_->has_room()) {
            auto item = inlet_.take();
            if (!item) break;
            (*start_)(std::move(*item), completion<R>{bench_});
            bench_->gather();  // After an error nothing more is begun.
        }
        return bench_->take();
    }

    void close() noexcept {
        inlet_.close();
        bench_->close();
        start_.reset();
    }

private:
    std::optional<F> start_;  ///< None once the flow is over.
    P from_;
    inlet<typename P::value_type> inlet_;
    std::shared_ptr<workbench<R>> const bench_;
};

}  // namespace detail

/// Made by `map_async`.
template <publisher P, class R, class F>
class async_mapped {
public:
    using value_type = R;

    async_mapped(map_async_options const& options, F start, P from)
        : options_{options}, start_(std::move(start)), from_(std::move(from)) {}

    template <subscriber<R> S>
    void subscribe(S to) const& {
        flow<detail::async_source<P, R, F>, S>::begin(std::move(to), options_, start_, from_);
    }
    template <subscriber<R> S>
    void subscribe(S to) && {
        flow<detail::async_source<P, R, F>, S>::begin(std::move(to), options_, std::move(start_),
                                                      std::move(from_));
    }

private:
    map_async_options options_;
    F start_;
    P from_;
};

/// The stage that `map_async` makes.
template <class R, class F>
class async_mapping {
public:
    using stage_type = async_mapping;
    async_mapping(map_async_options const& options, F start)
        : options_{options}, start_(std::move(start)) {
        detail::checked_prefetch(options.parallelism,
                                 "map_async: parallelism is not in [1, 1000000]");
    }

    template <publisher P>
    requires std::invocable<F&, typename P::value_type, completion<R>>
    [[nodiscard]] auto operator()(P from) && {
        return async_mapped<P, R, F>{options_, std::move(start_), std::move(from)};
    }

private:
    map_async_options options_;
    F start_;
};

/// Begins work for each item by `start(item, completion<R>)`, and sends its results of type `R`. No
/// thread is made: `start` hands the completion to a pool, a socket, a timer, and returns; or uses
/// it at once, which takes no more stack, however many items do so.
///
/// `start` is called by one thread at a time, which has the turn of the flow, and only while a
/// result is asked for; then as many items are begun as there is room for, also if a cancel comes
/// meanwhile. At most `parallelism` are in work or finished and not yet sent, and at most as many
/// more wait or are on their way, asked for anew in batches of three quarters.
///
/// What `start` throws, a completion that fails and one that is destroyed unused end the flow at
/// once, as does an error of the publisher: it is cancelled, and results not yet sent are dropped.
/// Work under way is not stopped, by that or by a cancel: what it brings is destroyed. So it must
/// not refer to what goes away with the flow, as `start` itself does.
/// Throws `std::invalid_argument`, naming the field, if an option is out of range.
template <std::movable R, class F>
[[nodiscard]] auto map_async(F start, map_async_options const& options = {}) {
    return async_mapping<R, F>{options, std::move(start)};
}

}  // namespace hawser::inline v0::demand
#endif  // HAWSER_RUN_DEMAND_MAP_ASYNC_HPP
