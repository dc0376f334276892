// SPDX-License-Identifier: BSL-1.0
//
// asio_time: asynchronous pipelines under manual time, on one io_context.
//
//     boost::asio::io_context io;
//     testing::asio_time time{io};
//     auto const line = compose_in(time.environment(), retry{…}, attempt_timeout{1s});
//     async_execute(line, io.get_executor(), op, handler);
//     time.run();   // all handlers, and every wait in turn, in no time
#ifndef HAWSER_TESTING_ASIO_TIME_HPP
#define HAWSER_TESTING_ASIO_TIME_HPP

#include <hawser/adapt/asio/deadline_queue.hpp>
#include <hawser/base/clock.hpp>
#include <hawser/containers/deadline_heap.hpp>
#include <hawser/testing/manual_environment.hpp>

#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>

#include <utility>

namespace hawser::inline v0::testing {

/// The deadlines of an execution context under manual time; a service of that context, so that they
/// are dropped when it shuts down. For one thread.
class manual_deadlines final : public boost::asio::execution_context::service {
public:
    using key_type = manual_deadlines;
    static inline boost::asio::execution_context::id id;

    explicit manual_deadlines(boost::asio::execution_context& context) : service{context} {}

    void schedule(timed_event& event, time_point at) { heap_.add(event, at); }
    bool cancel(timed_event& event) {
        if (!event.is_linked()) return false;
        heap_.remove(event);
        return true;
    }

    /// The next deadline; `no_deadline` if there is none.
    [[nodiscard]] time_point next() const noexcept {
        return heap_.empty() ? no_deadline : heap_.first()->deadline();
    }
    /// Tells everything that is due at `now`; what is never due, at no time.
    void tell_due(time_point now) {
        while (next() <= now && next() != no_deadline) take_first().deadline_reached();
    }

private:
    timed_event& take_first() noexcept {
        auto& first = static_cast<timed_event&>(*heap_.first());
        heap_.remove(first);
        return first;
    }
    void shutdown() noexcept override {
        while (!heap_.empty()) take_first().deadline_dropped();
    }

    deadline_heap heap_;
};

/// The environment that `asio_time` hands out.
template <class Sink>
class asio_manual_environment : public manual_environment<Sink> {
public:
    asio_manual_environment(manual_time& time, manual_deadlines& deadlines, Sink sink) noexcept
        : manual_environment<Sink>{time, std::move(sink)}, deadlines_{&deadlines} {}

    template <class Executor>
    [[nodiscard]] manual_deadlines& deadlines(Executor const&) const noexcept {
        return *deadlines_;
    }

private:
    manual_deadlines* deadlines_;
};

/// Manual time for the calls of one io_context, which outlives it.
///
/// Thread safety: none; the thread that moves the time runs the context.
class asio_time {
public:
    explicit asio_time(boost::asio::io_context& io)
        : io_{io}, deadlines_{boost::asio::use_service<manual_deadlines>(io)} {}

    [[nodiscard]] time_point now() const noexcept { return time_.now(); }
    [[nodiscard]] manual_time& time() noexcept { return time_; }

    /// What pipelines are composed in. With a sink, which outlives them, their events go there.
    [[nodiscard]] auto environment() noexcept {
        return asio_manual_environment<null_sink>{time_, deadlines_, {}};
    }
    template <class Sink>
    [[nodiscard]] auto environment(Sink& sink) noexcept {
        return asio_manual_environment<sink_reference<Sink>>{time_, deadlines_,
                                                             sink_reference<Sink>{sink}};
    }

    /// Runs what is ready, without moving the time.
    void poll() {
        io_.restart();
        io_.poll();
    }
    /// Runs what is ready, tells the deadlines up to `now() + step` each in its time, and ends
    /// there.
    void advance(duration step) {
        auto const end = add_saturating(now(), step);
        for (poll(); deadlines_.next() <= end && deadlines_.next() != no_deadline; poll())
            step_to(deadlines_.next());
        step_to(end);
        poll();
    }
    /// Runs until nothing is ready and no deadline is left, however far ahead the last one lies.
    void run() {
        for (poll(); deadlines_.next() != no_deadline; poll()) step_to(deadlines_.next());
    }

private:
    void step_to(time_point to) {
        if (to > now()) time_.set(to);
        deadlines_.tell_due(now());
    }

    boost::asio::io_context& io_;
    manual_deadlines& deadlines_;
    manual_time time_;
};

}  // namespace hawser::inline v0::testing
#endif  // HAWSER_TESTING_ASIO_TIME_HPP
