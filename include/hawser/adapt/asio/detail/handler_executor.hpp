// SPDX-License-Identifier: BSL-1.0
//
// Where what precedes a handler is done: on the handler's own executor, with one exception.
//
// The handler of a future has an executor too, of Asio's: the threads of the system's pool, of
// which two may run what belongs to one call, and which no context stops. A promise may be kept on
// any thread; so for a future all is done on the executor that the operation was started with.
#ifndef HAWSER_ADAPT_ASIO_DETAIL_HANDLER_EXECUTOR_HPP
#define HAWSER_ADAPT_ASIO_DETAIL_HANDLER_EXECUTOR_HPP

#include <boost/asio/associated_executor.hpp>

#include <type_traits>

// Defined in <boost/asio/use_future.hpp>, which is not needed here.
namespace boost::asio::detail {
template <typename T, typename Blocking>
class promise_executor;
}  // namespace boost::asio::detail

namespace hawser::inline v0::detail {

template <class Executor>
inline constexpr bool keeps_a_promise = false;
template <class T, class Blocking>
inline constexpr bool keeps_a_promise<boost::asio::detail::promise_executor<T, Blocking>> = true;

template <class Handler, class Executor>
using handler_executor_t =
    std::conditional_t<keeps_a_promise<boost::asio::associated_executor_t<Handler, Executor>>,
                       Executor, boost::asio::associated_executor_t<Handler, Executor>>;

template <class Handler, class Executor>
[[nodiscard]] handler_executor_t<Handler, Executor> handler_executor(Handler const& handler,
                                                                     Executor const& own) noexcept {
    if constexpr (keeps_a_promise<boost::asio::associated_executor_t<Handler, Executor>>)
        return own;
    else
        return boost::asio::get_associated_executor(handler, own);
}

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_ADAPT_ASIO_DETAIL_HANDLER_EXECUTOR_HPP
