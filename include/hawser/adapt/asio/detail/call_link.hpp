// SPDX-License-Identifier: BSL-1.0
//
// The handlers that an asynchronous call leaves with others: its operation, the deadline queue, the
// policy that rings for it, the stop token, the executor.
#ifndef HAWSER_ADAPT_ASIO_DETAIL_CALL_LINK_HPP
#define HAWSER_ADAPT_ASIO_DETAIL_CALL_LINK_HPP

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/execution/blocking.hpp>
#include <boost/asio/recycling_allocator.hpp>
#include <boost/asio/require.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>

namespace hawser::inline v0::detail {

// What a handler brings when it is invoked, or loses when it is destroyed instead.
struct operation_done {};
struct deadline_came {};
struct bell_rung {};
struct stop_came {};
struct finish_up {};

/// What other threads send with memory of their own: the handler's allocator need not be safe
/// there.
template <class Kind>
inline constexpr bool sent_from_anywhere =
    std::is_same_v<Kind, deadline_came> || std::is_same_v<Kind, bell_rung> ||
    std::is_same_v<Kind, stop_came>;

/// Where a call's messages are posted: to its handler's executor, or, if that is of an erased kind
/// that can only be dispatched to, to the call's own, which passes them on.
template <class HandlerExecutor, class Executor>
[[nodiscard]] auto const& posted_to(HandlerExecutor const& handlers,
                                    [[maybe_unused]] Executor const& own) noexcept {
    if constexpr (boost::asio::can_require_v<HandlerExecutor,
                                             boost::asio::execution::blocking_t::never_t>)
        return handlers;
    else
        return own;
}

/// A handler that refers to a call: one pointer, and the call's executor, allocator and, for an
/// operation, cancellation slot. Tells the call if it is destroyed uninvoked.
template <class Call, class Kind>
class call_link {
public:
    using executor_type = typename Call::executor_type;
    using allocator_type =
        std::conditional_t<sent_from_anywhere<Kind>, boost::asio::recycling_allocator<void>,
                           typename Call::allocator_type>;
    using cancellation_slot_type = boost::asio::cancellation_slot;

    explicit call_link(Call& call) noexcept : call_{&call} {}
    /// Counts itself until it is invoked or destroyed.
    call_link(Call& call, int& count) noexcept : call_{&call} { ++count; }
    call_link(call_link&& other) noexcept
        : call_{std::exchange(other.call_, nullptr)}, level_{other.level_} {}
    call_link& operator=(call_link&&) = delete;
    ~call_link() {
        if (call_ != nullptr) call_->dropped(Kind{});
    }

    /// The same, for what was started at a level of the pipeline.
    [[nodiscard]] call_link&& at(std::size_t level) && noexcept {
        level_ = level;
        return std::move(*this);
    }

    [[nodiscard]] executor_type get_executor() const noexcept { return call_->executor_; }
    [[nodiscard]] allocator_type get_allocator() const noexcept {
        if constexpr (sent_from_anywhere<Kind>)
            return {};
        else
            return call_->allocator();
    }
    [[nodiscard]] cancellation_slot_type get_cancellation_slot() const noexcept {
        if constexpr (std::is_same_v<Kind, operation_done>)
            return call_->signal_.slot();
        else
            return {};
    }

    template <class... Arguments>
    void operator()(Arguments&&... arguments) {
        auto* const call = std::exchange(call_, nullptr);
        call->initiation_.await();
        [[maybe_unused]] auto const inside = call->serial_.enter();
        call->came(Kind{}, level_, std::forward<Arguments>(arguments)...);
    }

private:
    Call* call_;
    std::size_t level_ = 0;
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_ADAPT_ASIO_DETAIL_CALL_LINK_HPP
