// SPDX-License-Identifier: BSL-1.0
//
// The Asio driver: the call machine with an operation, a handler and a deadline, in one block.
//
// The block lives until nothing refers to it: the operation's handler, the deadline queue, a bell
// that is certain to ring, a stop request on its way. It completes its handler after freeing its
// memory, and only then, so no work of a call outlives the call. If the handlers it waits for are
// destroyed uninvoked (the context shuts down), it gives back what its layers lent and goes.
#ifndef HAWSER_ADAPT_ASIO_DETAIL_ASYNC_CALL_HPP
#define HAWSER_ADAPT_ASIO_DETAIL_ASYNC_CALL_HPP

#include <hawser/adapt/asio/completion.hpp>
#include <hawser/adapt/asio/deadline_queue.hpp>
#include <hawser/adapt/asio/detail/call_link.hpp>
#include <hawser/adapt/asio/detail/serial_check.hpp>
#include <hawser/adapt/asio/detail/stop_relay.hpp>
#include <hawser/adapt/asio/operation.hpp>
#include <hawser/compose/call_machine.hpp>
#include <hawser/compose/detail/invoke.hpp>

#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/recycling_allocator.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <utility>

namespace hawser::inline v0::detail {

/// Whether a layer of the pipeline may run an alternative.
template <class Pipeline>
inline constexpr bool diverts = []<std::size_t... I>(std::index_sequence<I...>) {
    return (has_alternative<typename Pipeline::template policy_type<I>> || ...);
}
(std::make_index_sequence<Pipeline::size>{});

template <class Pipeline, class Facts, class Operation, class Edge, class Handler, class Executor>
class async_call final
    : public call_machine<async_call<Pipeline, Facts, Operation, Edge, Handler, Executor>, Pipeline,
                          Facts, typename Edge::result>,
      private timed_event {
    using machine = call_machine<async_call, Pipeline, Facts, typename Edge::result>;
    using default_allocator = boost::asio::recycling_allocator<void>;

public:
    using call_type = typename machine::call_type;
    using executor_type = boost::asio::associated_executor_t<Handler, Executor>;
    using allocator_type = boost::asio::associated_allocator_t<Handler, default_allocator>;

    template <class Op>
    static void launch(Pipeline const& line, Facts const& facts, Executor const& executor,
                       Op&& operation, Handler&& handler) {
        auto allocator =
            rebind(boost::asio::get_associated_allocator(handler, default_allocator{}));
        auto* const memory = traits::allocate(allocator, 1);
        async_call* self = nullptr;
        try {
            self = ::new (static_cast<void*>(memory))
                async_call{line, facts, executor, std::forward<Op>(operation), std::move(handler)};
        } catch (...) {
            traits::deallocate(allocator, memory, 1);
            throw;
        }
        self->begin_in_initiation();
    }

    // What the machine asks for.

    void start_operation() { start(operation_, machine::size, this->call_); }
    template <class Alternative>
    void start_alternative(Alternative& alternative, call_error const& error, std::size_t level) {
        if constexpr (startable<Alternative, call_type, call_error const>) {
            alternative_error_ = error;
            start(alternative, level, this->call_, std::as_const(alternative_error_));
        } else {
            capture_alternative(this->out_, alternative, error);
            this->operation_ended(level);
        }
    }

    void cancel_operation(stop_cause cause) {
        using type = boost::asio::cancellation_type;
        signal_.emit(cause == stop_cause::timeout ? type::terminal : cancellation_);
    }

    void arm(time_point at) {
        if (armed_) {
            if (armed_for_ <= at) return;           // It comes early, and finds when to come again.
            if (!deadlines_.cancel(*this)) return;  // It is on its way, and does the same.
        }
        armed_ = true;
        armed_for_ = at;
        deadlines_.schedule(*this, at);
    }

    /// From any thread. The block stays until the posted handler has come: a ring is expected.
    void ring_arrives() noexcept {
        auto const executor = executor_;
        boost::asio::post(executor, link<bell_rung>{*this});
    }

    /// From any thread: a stop has been requested.
    void relay_stop() noexcept {
        auto const executor = executor_;
        boost::asio::post(executor, link<stop_came>{*this});
    }

    void settle() {
        if (!this->finished() || torn_down_) return;
        if (initiating_) {
            // Never inside the initiating function: the handler would run before its caller knows.
            if (!std::exchange(finish_posted_, true))
                boost::asio::post(executor_, link<finish_up>{*this, links_});
            return;
        }
        if (armed_ && deadlines_.cancel(*this)) armed_ = false;
        if (is_free()) complete();
    }

private:
    using traits = std::allocator_traits<
        typename std::allocator_traits<allocator_type>::template rebind_alloc<async_call>>;

    static auto rebind(allocator_type const& allocator) {
        return typename traits::allocator_type{allocator};
    }

    template <class Op>
    async_call(Pipeline const& line, Facts const& facts, Executor const& executor, Op&& operation,
               Handler&& handler)
        : machine{line, facts},
          operation_(std::forward<Op>(operation)),
          handler_{std::move(handler)},
          io_executor_{executor},
          executor_{boost::asio::get_associated_executor(handler_, io_executor_)},
          work_{executor_},
          deadlines_{line.environment(), io_executor_} {}
    ~async_call() = default;

    template <class Kind>
    using link = call_link<async_call, Kind>;
    template <class Call, class Kind>
    friend class call_link;

    [[nodiscard]] allocator_type allocator() const noexcept {
        return boost::asio::get_associated_allocator(handler_, default_allocator{});
    }

    void begin_in_initiation() {
        auto slot = boost::asio::get_associated_cancellation_slot(handler_);
        if (slot.is_connected())
            slot.assign([this](boost::asio::cancellation_type type) {
                cancellation_ = type;
                this->stop(stop_cause::caller);
            });
        if constexpr (call_type::has_facts) stop_.watch(this->facts_.stop, *this);
        this->begin();
        initiating_ = false;
    }

    template <class Op, class... Arguments>
    void start(Op& operation, std::size_t level, Arguments&... arguments) {
        starting_ = true;
        try {
            async_operation<Op, Arguments...>::start(operation, io_executor_,
                                                     link<operation_done>{*this, links_}.at(level),
                                                     arguments...);
            starting_ = false;
        } catch (...) {
            // The handler was destroyed on the way out, which `dropped` left to this place.
            starting_ = false;
            this->out_.fail(std::current_exception());
            this->operation_ended(level);
        }
    }

    template <class... Arguments>
    void arrived(operation_done, std::size_t level, Arguments&&... arguments) {
        --links_;
        Edge::store(this->out_, std::forward<Arguments>(arguments)...);
        this->operation_ended(level);
    }
    void arrived(deadline_came, std::size_t) {
        armed_ = false;
        if (torn_down_) return free_if_last();
        if (this->finished()) return settle();
        this->timer_fired();  // It may end the call, and this object with it.
    }
    void arrived(bell_rung, std::size_t) {
        ring_expected_ = false;
        if (torn_down_) return free_if_last();
        this->woken();
    }
    void arrived(stop_came, std::size_t) {
        stop_.arrived();
        if (torn_down_) return free_if_last();
        if (this->finished()) return settle();
        this->stop(stop_cause::caller);
    }
    void arrived(finish_up, std::size_t) {
        --links_;
        settle();
    }

    // A handler was destroyed without being invoked.
    void dropped(operation_done) noexcept {
        --links_;
        if (!starting_) tear_down();
    }
    void dropped(finish_up) noexcept {
        --links_;
        tear_down();
    }
    void dropped(deadline_came) noexcept {
        armed_ = false;
        tear_down();
    }
    void dropped(bell_rung) noexcept {
        ring_expected_ = false;
        tear_down();
    }
    void dropped(stop_came) noexcept {
        stop_.arrived();
        tear_down();
    }

    void deadline_reached() noexcept override {
        auto const executor = executor_;
        boost::asio::post(executor, link<deadline_came>{*this});
    }
    void deadline_dropped() noexcept override { dropped(deadline_came{}); }

    void tear_down() noexcept {
        if (!std::exchange(torn_down_, true)) {
            ring_expected_ = this->teardown();
            stop_.unwatch();
            if (armed_ && deadlines_.cancel(*this)) armed_ = false;
        }
        free_if_last();
    }

    [[nodiscard]] bool is_free() noexcept {
        stop_.unwatch();
        return links_ == 0 && !armed_ && !ring_expected_ && !stop_.on_its_way();
    }
    void free_if_last() noexcept {
        if (is_free())
            destroy(boost::asio::get_associated_allocator(handler_, default_allocator{}));
    }

    void complete() {
        auto slot = boost::asio::get_associated_cancellation_slot(handler_);
        if (slot.is_connected()) slot.clear();
        Handler handler{std::move(handler_)};
        auto out = std::move(this->out_);
        auto const work = std::move(work_);
        destroy(boost::asio::get_associated_allocator(handler, default_allocator{}));
        Edge::deliver(std::move(handler), std::move(out));
    }
    void destroy(allocator_type const& allocator) noexcept {
        auto rebound = rebind(allocator);
        this->~async_call();
        traits::deallocate(rebound, this, 1);
    }

    Operation operation_;
    Handler handler_;
    Executor io_executor_;
    executor_type executor_;
    boost::asio::executor_work_guard<executor_type> work_;
    deadline_access<typename Pipeline::environment_type, Executor> deadlines_;
    boost::asio::cancellation_signal signal_;
    [[no_unique_address]] std::conditional_t<call_type::has_facts, stop_relay<async_call>,
                                             no_stop_relay>
        stop_;
    [[no_unique_address]] serial_check serial_;
    [[no_unique_address]] std::conditional_t<diverts<Pipeline>, call_error, unit>
        alternative_error_;
    time_point armed_for_{};
    int links_ = 0;  ///< Handlers of the operation and of the finish that others hold.
    boost::asio::cancellation_type cancellation_ = boost::asio::cancellation_type::terminal;
    bool armed_ = false;          ///< In the deadline queue, or its handler is on the way.
    bool ring_expected_ = false;  ///< Torn down, and a bell is certain to ring.
    bool initiating_ = true;
    bool starting_ = false;
    bool finish_posted_ = false;
    bool torn_down_ = false;
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_ADAPT_ASIO_DETAIL_ASYNC_CALL_HPP
