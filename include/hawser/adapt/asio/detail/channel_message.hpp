// SPDX-License-Identifier: BSL-1.0
//
// How a suspended operation of a channel is told, on its handler's executor.
#ifndef HAWSER_ADAPT_ASIO_DETAIL_CHANNEL_MESSAGE_HPP
#define HAWSER_ADAPT_ASIO_DETAIL_CHANNEL_MESSAGE_HPP

#include <boost/asio/execution/blocking.hpp>
#include <boost/asio/recycling_allocator.hpp>
#include <boost/asio/require.hpp>

#include <type_traits>
#include <utility>

namespace hawser::inline v0::detail {

/// Whether a handler's executor can be posted to. One of an erased kind that cannot is dispatched
/// to from the executor that the operation was started with.
template <class HandlerExecutor>
inline constexpr bool takes_posts =
    boost::asio::can_require_v<HandlerExecutor, boost::asio::execution::blocking_t::never_t>;

/// What tells an operation, on its handler's executor; or, destroyed on the way, that the context
/// shuts down. Has no executor of its own where it is posted to that one already: for a message
/// that has, Asio keeps it and dispatches to it.
template <class Operation>
class channel_message {
public:
    using allocator_type = boost::asio::recycling_allocator<void>;  // Sent from any thread.

    explicit channel_message(Operation& operation) noexcept : operation_{&operation} {}
    channel_message(channel_message&& other) noexcept
        : operation_{std::exchange(other.operation_, nullptr)} {}
    channel_message& operator=(channel_message&&) = delete;
    ~channel_message() {
        if (operation_ != nullptr) operation_->lost();
    }

    [[nodiscard]] allocator_type get_allocator() const noexcept { return {}; }
    void operator()() { std::exchange(operation_, nullptr)->told(); }

protected:
    Operation* operation_;
};
template <class Operation>
class dispatched_channel_message : public channel_message<Operation> {
public:
    using executor_type = typename Operation::executor_type;
    using channel_message<Operation>::channel_message;
    [[nodiscard]] executor_type get_executor() const noexcept {
        return this->operation_->executor();
    }
};
template <class Operation>
using message_to =
    std::conditional_t<takes_posts<typename Operation::executor_type>, channel_message<Operation>,
                       dispatched_channel_message<Operation>>;

/// The executor that the operation was started with, where its handler's own cannot be posted to.
template <class HandlerExecutor, class Executor>
class fallback_executor {
    static constexpr bool needed = !takes_posts<HandlerExecutor>;
    struct none {
        explicit none(Executor const&) noexcept {}
    };

public:
    explicit fallback_executor(Executor const& own) noexcept : own_{own} {}
    [[nodiscard]] auto const& get() const noexcept { return own_; }

private:
    [[no_unique_address]] std::conditional_t<needed, Executor, none> own_;
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_ADAPT_ASIO_DETAIL_CHANNEL_MESSAGE_HPP
