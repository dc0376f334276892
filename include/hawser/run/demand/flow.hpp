// SPDX-License-Identifier: BSL-1.0
//
// A flow: the items of one source go to one subscriber, by the rules.
//
// All sources and all stages that hold items back are made of this one class, so that the rules
// stand in one place. Whoever changes something (the subscriber asks, a source has an item) takes
// the flow's turn, or leaves word with who has it (`flow/credit.hpp`).
#ifndef HAWSER_RUN_DEMAND_FLOW_HPP
#define HAWSER_RUN_DEMAND_FLOW_HPP

#include <hawser/flow/credit.hpp>
#include <hawser/run/demand/subscriber.hpp>
#include <hawser/run/demand/subscription.hpp>

#include <concepts>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

namespace hawser::inline v0::demand {

/// A flow as its source sees it.
class wakeable : public subscription_core {
public:
    /// Says that there may be something to send, or the end. From any thread, with no lock held:
    /// what there is may be sent before this returns.
    virtual void wake() noexcept = 0;

protected:
    ~wakeable() = default;
};

/// Where the items of a flow come from. Called by one thread at a time, without a lock.
///
///     ended()      whether no more will come; asked with demand and without. Throws what the flow
///                  is to fail with.
///     next()       the next item, if there is one now; called only while one is asked for. Who
///                  answers none, and has not ended, wakes the flow when that changes. Throws as
///                  above.
///     close()      the last call: the flow has ended or was cancelled. Lets go of what it holds.
///     start(self)  optional, and called once, after `on_subscribe`: for who has to wake the flow.
template <class Source>
concept item_source = requires(Source& source) {
    typename Source::value_type;
    { source.ended() } -> std::convertible_to<bool>;
    { source.next() } -> std::same_as<std::optional<typename Source::value_type>>;
    { source.close() }
    noexcept;
};

/// One source, one subscriber, and the account between them. Begins by `begin`, and lives until it
/// ends or is cancelled, and as long as somebody holds its subscription.
///
/// Until then it holds its subscriber, and the subscriber its subscription, and so the flow: who
/// loses interest has to cancel (rule 2.6), or both stay for ever.
///
/// Guarantee:     the promises of `subscriber` and `subscription`. The subscriber is destroyed as
///                soon as the flow has ended or was cancelled and no signal is under way.
/// Thread safety: all members may be called concurrently. A thread that is cancelled
///                (`pthread_cancel`) inside of a signal ends the program.
/// Cost:          one allocation; an item, one compare-and-swap (none if unbounded) and the source.
template <item_source Source, subscriber<typename Source::value_type> Subscriber>
class flow final : public wakeable {
public:
    template <class... Args>
    explicit flow(Subscriber&& to, Args&&... source)
        : source_(std::forward<Args>(source)...), subscriber_{std::move(to)} {}

    /// Makes a source of `source` and sends its items to `to`.
    template <class... Args>
    static void begin(Subscriber to, Args&&... source) {
        auto const self = std::make_shared<flow>(std::move(to), std::forward<Args>(source)...);
        // The new account's turn is ours: nothing is sent before the source has started.
        self->subscriber_->on_subscribe(subscription{self});
        self->start(self);
        self->run();
    }

    void request(std::int64_t count) noexcept override { run_if(credit_.request(count)); }
    void cancel() noexcept override { run_if(credit_.cancel()); }
    void wake() noexcept override { run_if(credit_.wake()); }

private:
    void start(std::shared_ptr<wakeable> self) noexcept {
        if constexpr (requires { source_.start(std::move(self)); }) {
            if (credit_.is_over()) return;
            try {
                source_.start(std::move(self));
            } catch (...) {
                fail(std::current_exception());
            }
        }
    }

    void run_if(credit::turn whose) noexcept {
        if (whose == credit::turn::begin) run();
    }
    void run() noexcept {
        do serve();
        while (!credit_.end_turn());
    }

    // What follows requires the turn.

    void serve() noexcept {
        try {
            while (subscriber_ && step()) {}
        } catch (...) {
            fail(std::current_exception());
        }
    }

    /// Does one thing. False if there is nothing to do before the flow is woken.
    bool step() {
        if (credit_.is_over()) return let_go();
        if (credit_.is_misused())
            throw std::invalid_argument{"rule 3.9: a request is for one item at least"};
        if (source_.ended()) return complete();
        if (credit_.available() == 0) return false;
        auto item = source_.next();
        if (!item) return source_.ended();
        if (credit_.try_take()) subscriber_->on_next(std::move(*item));
        return true;
    }

    /// Stops the source before the subscriber hears of the end, and keeps neither.
    bool let_go() noexcept {
        source_.close();
        subscriber_.reset();
        return false;
    }
    bool complete() noexcept {
        credit_.finish();
        source_.close();
        subscriber_->on_complete();
        subscriber_.reset();
        return false;
    }
    void fail(std::exception_ptr why) noexcept {
        if (credit_.is_over()) {
            let_go();
            return;
        }
        credit_.finish();
        source_.close();
        subscriber_->on_error(std::move(why));
        subscriber_.reset();
    }

    credit credit_;
    Source source_;
    std::optional<Subscriber> subscriber_;  ///< None once the flow is over.
};

}  // namespace hawser::inline v0::demand
#endif  // HAWSER_RUN_DEMAND_FLOW_HPP
