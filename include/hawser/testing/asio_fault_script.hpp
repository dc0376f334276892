// SPDX-License-Identifier: BSL-1.0
//
// A fault script played by an Asio operation, under manual time.
//
//     testing::asio_time time{io};
//     testing::script<int> script{time.time(), testing::hangs(), testing::returns(7).after(20ms)};
//     auto const fetch = testing::asio_operation(script, time);
//     async_execute(line, io.get_executor(), fetch, handler);
//     time.run();
#ifndef HAWSER_TESTING_ASIO_FAULT_SCRIPT_HPP
#define HAWSER_TESTING_ASIO_FAULT_SCRIPT_HPP

#include <hawser/adapt/asio/completion.hpp>
#include <hawser/base/detail/stored.hpp>
#include <hawser/testing/asio_time.hpp>
#include <hawser/testing/fault_script.hpp>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>

#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

namespace hawser::inline v0::testing {

namespace detail {

/// How a completion begins: with whatever was thrown.
struct exception_first {
    using type = std::exception_ptr;
    static type from(std::exception_ptr thrown) noexcept { return thrown; }
};

/// Or with an error code, which a `system_error` and a refusal have. Any other exception has no
/// place in such a completion and leaves through the context's `run`.
struct code_first {
    using type = boost::system::error_code;
    static type from(std::exception_ptr const& thrown) {
        if (!thrown) return {};
        try {
            std::rethrow_exception(thrown);
        } catch (boost::system::system_error const& error) {
            return error.code();
        } catch (refused const& error) {
            return hawser::detail::completion_code(error.code());
        }
    }
};

template <class First, class R>
struct scripted_signature {
    using type = void(typename First::type, R);
};
template <class First>
struct scripted_signature<First, void> {
    using type = void(typename First::type);
};

/// Ends an operation as its turn says, or, without one, as cancelled.
template <class First, class R, class Handler>
void complete(Handler&& handler, typename script<R>::turn const* turn) {
    std::exception_ptr thrown;
    std::conditional_t<std::is_void_v<R>, hawser::detail::unit, R> value{};
    try {
        if (turn == nullptr)
            throw boost::system::system_error{boost::asio::error::operation_aborted};
        if constexpr (std::is_void_v<R>)
            turn->result();
        else
            value = turn->result();
    } catch (...) {
        thrown = std::current_exception();
    }
    if constexpr (std::is_void_v<R>)
        std::move(handler)(First::from(std::move(thrown)));
    else
        std::move(handler)(First::from(std::move(thrown)), std::move(value));
}

/// One operation under way: in the deadlines, then in a posted handler, which destroys it.
template <class First, class R, class Handler>
class scripted_call final : public timed_event {
    using turn_type = typename script<R>::turn;
    using default_executor = boost::asio::io_context::executor_type;
    using executor_type = boost::asio::associated_executor_t<Handler, default_executor>;

public:
    scripted_call(Handler&& handler, turn_type const& turn, manual_deadlines& deadlines)
        : handler_{std::move(handler)},
          slot_{boost::asio::get_associated_cancellation_slot(handler_)},
          executor_{boost::asio::get_associated_executor(
              handler_, static_cast<boost::asio::io_context&>(deadlines.context()).get_executor())},
          work_{executor_},
          turn_{&turn},
          deadlines_{deadlines} {}
    scripted_call(scripted_call const&) = delete;
    scripted_call& operator=(scripted_call const&) = delete;
    ~scripted_call() { forget_slot(); }

    /// From here on it owns itself.
    void start(time_point now) {
        if (slot_.is_connected())
            slot_.assign([this](boost::asio::cancellation_type) { cancel(); });
        auto const& manner = turn_->manner;
        if (!manner.hangs && manner.takes == duration::zero()) return finish();
        deadlines_.schedule(*this, manner.hangs ? no_deadline : add_saturating(now, manner.takes));
    }

private:
    void deadline_reached() noexcept override { finish(); }
    void deadline_dropped() noexcept override { delete this; }

    void cancel() {
        if (turn_ == nullptr || turn_->manner.ignores_cancel) return;
        if (!deadlines_.cancel(*this)) return;  // Its end is on the way.
        turn_ = nullptr;
        finish();
    }

    void finish() {
        auto const executor = executor_;
        boost::asio::post(executor, [self = std::unique_ptr<scripted_call>{this}]() mutable {
            self->forget_slot();
            Handler handler{std::move(self->handler_)};
            auto const* const turn = self->turn_;
            self.reset();
            detail::complete<First, R>(std::move(handler), turn);
        });
    }

    void forget_slot() noexcept {
        if (slot_.is_connected()) std::exchange(slot_, {}).clear();
    }

    Handler handler_;
    boost::asio::associated_cancellation_slot_t<Handler> slot_;
    executor_type executor_;
    boost::asio::executor_work_guard<executor_type> work_;
    turn_type const* turn_;  ///< Null once it has been cancelled.
    manual_deadlines& deadlines_;
};

template <class First, class R>
class scripted_operation {
public:
    using signature = typename scripted_signature<First, R>::type;

    scripted_operation(script<R>& turns, asio_time& time) noexcept : turns_{&turns}, time_{&time} {}

    template <class Call, class Token>
    auto operator()(Call& call, Token&& token) const {
        auto const initiate = [turns = turns_, time = time_, &call](auto&& handler) {
            using handler_type = std::decay_t<decltype(handler)>;
            auto const& turn = turns->next();
            if (turn.manner.not_sent) call.mark_not_sent();
            auto& deadlines = time->environment().deadlines(nullptr);
            auto started = std::make_unique<scripted_call<First, R, handler_type>>(
                std::move(handler), turn, deadlines);
            started.release()->start(time->now());
        };
        return boost::asio::async_initiate<Token, signature>(initiate, token);
    }

private:
    script<R>* turns_;
    asio_time* time_;
};

}  // namespace detail

/// An initiating function that plays `turns`, which is under `time` and outlives it. It completes
/// with `(exception_ptr, R)`, so that it ends as the script does when it is called plainly.
///
/// A turn that takes time ends when `time` has come there, one that hangs when it is cancelled;
/// both end at once, with `operation_aborted`, when their handler's cancellation slot says so.
template <class R>
[[nodiscard]] auto asio_operation(script<R>& turns, asio_time& time) noexcept {
    return detail::scripted_operation<detail::exception_first, R>{turns, time};
}

/// The same for completions `(error_code, R)`: a turn fails by throwing a
/// `boost::system::system_error`, or as refused.
template <class R>
[[nodiscard]] auto asio_code_operation(script<R>& turns, asio_time& time) noexcept {
    return detail::scripted_operation<detail::code_first, R>{turns, time};
}

}  // namespace hawser::inline v0::testing
#endif  // HAWSER_TESTING_ASIO_FAULT_SCRIPT_HPP
