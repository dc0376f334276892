// SPDX-License-Identifier: BSL-1.0
//
// Both ends of an asynchronous call, of one type each whatever the test: a completion handler that
// writes down what became of the call, and an operation that the test ends by hand.
#ifndef HAWSER_TESTS_SUPPORT_ASIO_CALLS_HPP
#define HAWSER_TESTS_SUPPORT_ASIO_CALLS_HPP

#include <hawser/base/time.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <deque>
#include <functional>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

namespace support {

namespace asio = boost::asio;
using boost::system::error_code;

/// What became of a call.
struct receipt {
    int completed = 0;  ///< How often its handler was invoked,
    int dropped = 0;    ///< and how often it was destroyed instead.
    error_code code;
    int value = 0;
};

/// The completion handler of a call.
class to_receipt {
public:
    using executor_type = asio::any_io_executor;
    using cancellation_slot_type = asio::cancellation_slot;

    to_receipt(receipt& at, executor_type executor, cancellation_slot_type slot = {})
        : at_{&at}, executor_{std::move(executor)}, slot_{slot} {}
    to_receipt(to_receipt&& other) noexcept
        : at_{std::exchange(other.at_, nullptr)}, executor_{other.executor_}, slot_{other.slot_} {}
    to_receipt& operator=(to_receipt&&) = delete;
    ~to_receipt() {
        if (at_ != nullptr) ++at_->dropped;
    }

    [[nodiscard]] executor_type get_executor() const noexcept { return executor_; }
    [[nodiscard]] cancellation_slot_type get_cancellation_slot() const noexcept { return slot_; }

    void operator()(error_code code, int value = 0) {
        auto& at = *std::exchange(at_, nullptr);
        ++at.completed;
        at.code = code;
        at.value = value;
    }

private:
    receipt* at_;
    executor_type executor_;
    cancellation_slot_type slot_;
};

/// What a call depends on: its operations wait here until the test ends them, oldest first.
class dependency {
public:
    explicit dependency(asio::any_io_executor executor) : executor_{std::move(executor)} {}

    /// How the operations it starts behave.
    enum class manner {
        waits,           ///< Until `answer`; completes with `operation_aborted` when cancelled.
        ignores_cancel,  ///< As before, but goes on when cancelled.
        aborts_inline,   ///< Completes inside the cancellation, not through the executor.
        answers_inline,  ///< Completes with `inline_code` inside its initiating function.
        throws_once,     ///< Throws from its initiating function; the next one waits.
        drops,           ///< Destroys its handler there.
    };
    manner next = manner::waits;
    error_code inline_code;

    int starts = 0;
    std::vector<asio::cancellation_type> cancels;
    std::function<void()> after_cancel;  ///< Called before the cancellation returns.
    hawser::time_point deadline_seen{};

    [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }
    void answer(error_code code, int value = 0) { take()->complete(code, value, false); }
    void succeed(int value) { answer({}, value); }
    void fail() { answer(asio::error::connection_reset); }
    void drop() { take(); }

    template <class Handler>
    void start(Handler&& handler) {
        ++starts;
        if (next == manner::throws_once) {
            next = manner::waits;
            throw std::runtime_error{"cannot start"};
        }
        if (next == manner::drops) return;
        if (next == manner::answers_inline) return std::move(handler)(inline_code, starts);
        auto slot = asio::get_associated_cancellation_slot(handler);
        waiting_.push_back(std::make_unique<one<std::decay_t<Handler>>>(
            std::forward<Handler>(handler), executor_));
        if (slot.is_connected())
            slot.assign([this, how = next,
                         id = waiting_.back().get()](asio::cancellation_type how_cancelled) {
                cancels.push_back(how_cancelled);
                if (how == manner::ignores_cancel) return;
                if (auto const ended = take(id))
                    ended->complete(asio::error::operation_aborted, 0,
                                    how == manner::aborts_inline);
                if (after_cancel) after_cancel();
            });
    }

private:
    struct pending {
        virtual ~pending() = default;
        virtual void complete(error_code code, int value, bool at_once) = 0;
    };
    template <class Handler>
    struct one final : pending {
        using executor_type = asio::associated_executor_t<Handler, asio::any_io_executor>;

        one(Handler&& to, asio::any_io_executor const& other)
            : handler{std::move(to)},
              own{other},
              work{asio::get_associated_executor(handler, other)} {}
        void complete(error_code code, int value, bool at_once) override {
            if (at_once) return std::move(handler)(code, value);
            auto end = asio::bind_executor(
                work.get_executor(),
                [to = std::move(handler), code, value]() mutable { std::move(to)(code, value); });
            if constexpr (asio::can_require_v<executor_type, asio::execution::blocking_t::never_t>)
                asio::post(work.get_executor(), std::move(end));
            else
                asio::post(own, std::move(end));
        }

        Handler handler;
        asio::any_io_executor own;
        asio::executor_work_guard<executor_type> work;  // As operations must.
    };

    std::unique_ptr<pending> take(pending const* which = nullptr) {
        for (auto at = waiting_.begin(); at != waiting_.end(); ++at)
            if (which == nullptr || at->get() == which) {
                auto taken = std::move(*at);
                waiting_.erase(at);
                return taken;
            }
        return nullptr;
    }

    asio::any_io_executor executor_;
    std::deque<std::unique_ptr<pending>> waiting_;
};

/// The operation of a call to a dependency: `op(call, token)`, completing with a code and a number.
struct request {
    dependency* to;

    template <class Call, class Token>
    auto operator()(Call& call, Token&& token) const {
        to->deadline_seen = call.deadline();
        return asio::async_initiate<Token, void(error_code, int)>(
            [](auto handler, dependency* at) { at->start(std::move(handler)); }, token, to);
    }
};

}  // namespace support

#endif  // HAWSER_TESTS_SUPPORT_ASIO_CALLS_HPP
