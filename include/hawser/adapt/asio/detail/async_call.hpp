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
#include <hawser/adapt/asio/detail/call_alarm.hpp>
#include <hawser/adapt/asio/detail/call_block.hpp>
#include <hawser/adapt/asio/detail/call_link.hpp>
#include <hawser/adapt/asio/detail/handler_executor.hpp>
#include <hawser/adapt/asio/detail/initiation_gate.hpp>
#include <hawser/adapt/asio/detail/serial_check.hpp>
#include <hawser/adapt/asio/detail/slot_link.hpp>
#include <hawser/adapt/asio/detail/stop_relay.hpp>
#include <hawser/adapt/asio/operation.hpp>
#include <hawser/compose/call_machine.hpp>
#include <hawser/compose/detail/invoke.hpp>

#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/recycling_allocator.hpp>

#include <cstddef>
#include <exception>
#include <optional>
#include <utility>

namespace hawser::inline v0::detail {

template <class Pipeline, class Facts, class Operation, class Edge, class Handler, class Executor>
class async_call final
    : public call_machine<async_call<Pipeline, Facts, Operation, Edge, Handler, Executor>, Pipeline,
                          Facts, typename Edge::result> {
    using machine = call_machine<async_call, Pipeline, Facts, typename Edge::result>;
    using default_allocator = boost::asio::recycling_allocator<void>;

public:
    using call_type = typename machine::call_type;
    using executor_type = handler_executor_t<Handler, Executor>;
    using allocator_type = boost::asio::associated_allocator_t<Handler, default_allocator>;
    static constexpr bool starts_fork_operation = fork_operation<Operation>;

    template <class Op>
    static void launch(Pipeline const& line, Facts const& facts, Executor const& executor,
                       Op&& operation, Handler&& handler) {
        auto const allocator = boost::asio::get_associated_allocator(handler, default_allocator{});
        auto* const self = make_in_block<async_call>(allocator, [&](void* memory) {
            return ::new (memory)
                async_call{line, facts, executor, std::forward<Op>(operation), std::move(handler)};
        });
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
        if (unheard_ = starting_; unheard_) return;  // Nothing listens yet: `start` repeats it.
        elsewhere(
            [&] { signal_.emit(cause == stop_cause::timeout ? type::terminal : cancellation_); });
    }
    void cancel_requested(boost::asio::cancellation_type type) {
        cancellation_ = type;
        elsewhere([this] { this->stop(stop_cause::caller); });
    }

    void arm(time_point at) {
        // While the operation runs, it is the operation that keeps the handler's executor busy.
        if (!this->is_operating() && !waiting_) waiting_.emplace(executor_);
        if (!alarm_) alarm_.emplace(*this, this->line_.environment(), io_executor_);
        alarm_->set(at);
    }

    // From any thread: a bell has rung, a stop is requested, the deadline is here. The block stays
    // until the message has come.
    void ring_arrives() noexcept { send<bell_rung>(); }
    void relay_stop() noexcept { send<stop_came>(); }
    void relay_deadline() noexcept { send<deadline_came>(); }
    void lose_deadline() noexcept { dropped(deadline_came{}); }

    [[gnu::always_inline]] void settle() {
        if (this->finished()) finish();
    }

private:
    void finish() {
        if (torn_down_) return;
        if (elsewhere_) {
            // Never inside the initiating function, nor where somebody cancels: the handler would
            // run before they know.
            if (!std::exchange(finish_posted_, true)) finish_later();
            return;
        }
        if (alarm_) alarm_->cancel();
        if (is_free()) complete();
    }

    template <class Op>
    async_call(Pipeline const& line, Facts const& facts, Executor const& executor, Op&& operation,
               Handler&& handler)
        : machine{line, facts},
          operation_(std::forward<Op>(operation)),
          handler_{std::move(handler)},
          io_executor_{executor},
          executor_{handler_executor(handler_, io_executor_)} {
        slot_.connect(boost::asio::get_associated_cancellation_slot(handler_), *this);
    }
    ~async_call() = default;

    template <class Kind>
    using link = call_link<async_call, Kind>;
    template <class Call, class Kind>
    friend class call_link;

    template <class Kind>
    void send() noexcept {
        auto const executor = posted_to(executor_, io_executor_);
        boost::asio::post(executor, link<Kind>{*this});
    }

    void finish_later() {
        boost::asio::post(posted_to(executor_, io_executor_), link<finish_up>{*this, links_});
    }

    [[nodiscard]] allocator_type allocator() const noexcept {
        return boost::asio::get_associated_allocator(handler_, default_allocator{});
    }

    void begin_in_initiation() {
        elsewhere_ = true;
        ++links_;
        if constexpr (call_type::has_facts) stop_.watch(this->facts_.stop, *this);
        this->begin();
        elsewhere_ = false;
        --links_;
        if (torn_down_ && is_free()) [[unlikely]]
            return free_if_last();
        initiation_.open();
    }

    /// Acts on a stack that is none of the call's own handlers': what finishes there completes
    /// later, and the block stays until then.
    template <class Act>
    void elsewhere(Act&& act) {
        auto const outer = std::exchange(elsewhere_, true);
        ++links_;
        act();
        --links_;
        elsewhere_ = outer;
        if (torn_down_) free_if_last();
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
            starting_ = false;
            // The handler was destroyed on the way out; if it was not, it is what tells the end.
            if (std::exchange(lost_, false)) {
                capture(this->out_, []() -> typename Edge::result { throw; });
                this->operation_ended(level);
            }
        }
        if (lost_) finish_later();
        if (std::exchange(unheard_, false) && this->is_operating())
            cancel_operation(this->call_.cause_set());
    }

    /// A handler has come: the call goes on, unless it is only waiting for that to be gone.
    template <class Kind, class... Arguments>
    void came(Kind kind, std::size_t level, Arguments&&... arguments) {
        forget(kind);
        if (torn_down_) return free_if_last();
        go_on(kind, level, std::forward<Arguments>(arguments)...);  // It may end this object.
    }
    template <class... Arguments>
    void go_on(operation_done, std::size_t level, Arguments&&... arguments) {
        try {
            Edge::store(this->out_, std::forward<Arguments>(arguments)...);
        } catch (...) {
            this->out_.fail(std::current_exception());
        }
        this->operation_ended(level);
    }
    void go_on(deadline_came, std::size_t) { this->finished() ? settle() : this->timer_fired(); }
    void go_on(bell_rung, std::size_t) { this->woken(); }
    void go_on(stop_came, std::size_t) {
        this->finished() ? settle() : this->stop(stop_cause::caller);
    }
    void go_on(finish_up, std::size_t) { lost_ ? tear_down() : settle(); }

    /// A handler was destroyed without being invoked.
    template <class Kind>
    void dropped(Kind kind) noexcept {
        forget(kind);
        if constexpr (std::is_same_v<Kind, bell_rung>) this->bell_lost();
        if (std::is_same_v<Kind, operation_done> && starting_)
            lost_ = true;  // Whether it is by an exception, `start` will know.
        else
            tear_down();
    }

    void forget(operation_done) noexcept { --links_; }
    void forget(finish_up) noexcept { --links_; }
    void forget(deadline_came) noexcept { alarm_->arrived(); }
    void forget(bell_rung) noexcept { ring_expected_ = false; }
    void forget(stop_came) noexcept { stop_.arrived(); }

    void tear_down() noexcept {
        if (!std::exchange(torn_down_, true)) {
            ring_expected_ = this->teardown();
            stop_.unwatch();
            if (alarm_) alarm_->cancel();
        }
        free_if_last();
    }

    [[nodiscard]] bool is_free() noexcept {
        stop_.unwatch();
        return links_ == 0 && !(alarm_ && alarm_->is_set()) && !ring_expected_ &&
               !stop_.on_its_way();
    }
    [[gnu::noinline]] void free_if_last() noexcept {
        if (is_free()) destroy(allocator());
    }

    [[gnu::always_inline]] void complete() {
        slot_.disconnect(boost::asio::get_associated_cancellation_slot(handler_));
        Handler handler{std::move(handler_)};
        auto out = Edge::take(std::move(this->out_));
        auto const work = std::move(waiting_);
        destroy(boost::asio::get_associated_allocator(handler, default_allocator{}));
        Edge::deliver(std::move(handler), std::move(out));
    }
    [[gnu::always_inline]] void destroy(allocator_type const& allocator) noexcept {
        this->~async_call();
        free_block(allocator, this);
    }

    Operation operation_;
    Handler handler_;
    Executor io_executor_;
    executor_type executor_;
    std::optional<boost::asio::executor_work_guard<executor_type>> waiting_;
    std::optional<call_alarm<async_call, typename Pipeline::environment_type, Executor>> alarm_;
    boost::asio::cancellation_signal signal_;
    slot_link<async_call> slot_;
    initiation_gate initiation_;
    [[no_unique_address]] std::conditional_t<call_type::has_facts, stop_relay<async_call>,
                                             no_stop_relay>
        stop_;
    [[no_unique_address]] serial_check serial_;
    [[no_unique_address]] std::conditional_t<diverts<Pipeline>, call_error, unit>
        alternative_error_;
    int links_ = 0;  ///< Handlers of the operation and of the finish that others hold.
    boost::asio::cancellation_type cancellation_ = boost::asio::cancellation_type::terminal;
    bool ring_expected_ = false;  ///< Torn down, and a bell is certain to ring.
    bool elsewhere_ = false;      ///< On a stack that is none of the call's own handlers'.
    bool starting_ = false;
    bool unheard_ = false;  ///< Cancelled while starting.
    bool lost_ = false;     ///< The operation destroyed its handler where it started.
    bool finish_posted_ = false;
    bool torn_down_ = false;
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_ADAPT_ASIO_DETAIL_ASYNC_CALL_HPP
