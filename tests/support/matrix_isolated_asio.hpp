// SPDX-License-Identifier: BSL-1.0
//
// The stands for `isolated` in asynchronous calls: the caller is a handler or a coroutine, the
// operation a plain function on the pool. What came of a call is written on the same receipt.
#ifndef HAWSER_TESTS_SUPPORT_MATRIX_ISOLATED_ASIO_HPP
#define HAWSER_TESTS_SUPPORT_MATRIX_ISOLATED_ASIO_HPP

#include "support/matrix_asio.hpp"
#include "support/matrix_isolated.hpp"

#include <exception>
#include <stdexcept>
#include <utility>

namespace support {

/// What a receipt says of a reply, or of what came instead.
inline error_code code_of(std::exception_ptr const& error, pool_reply const& got) {
    if (error == nullptr) return got.failed ? error_code{failed_code} : error_code{};
    try {
        std::rethrow_exception(error);
    } catch (hawser::refused const& e) {
        return hawser::make_error_code(e.code());
    } catch (boost::system::system_error const& e) {
        return e.code();
    } catch (std::runtime_error const&) {
        return thrown_code;
    }
}

/// A handler for calls that complete with an exception or a reply.
class to_reply_receipt {
public:
    using executor_type = to_receipt::executor_type;
    using cancellation_slot_type = to_receipt::cancellation_slot_type;

    to_reply_receipt(receipt& at, executor_type executor, cancellation_slot_type slot)
        : to_{at, std::move(executor), slot} {}
    [[nodiscard]] executor_type get_executor() const noexcept { return to_.get_executor(); }
    [[nodiscard]] cancellation_slot_type get_cancellation_slot() const noexcept {
        return to_.get_cancellation_slot();
    }
    void operator()(std::exception_ptr error, pool_reply got) {
        to_(code_of(error, got), got.value);
    }

private:
    to_receipt to_;
};

struct isolated_asio_stand : asio_stand, pool_scene {
    auto line() {
        return hawser::compose_in(environment(), hawser::borrow(outer),
                                  hawser::isolated{hawser::borrow(pool)}, hawser::borrow(gate));
    }
    /// Runs what comes from the pool until the call has ended.
    void await_end() {
        while (got.completed + got.dropped == 0) {
            io->restart();
            io->run_one();
        }
    }
    void end_on(hawser::duration after) { facts.deadline = start_time + after; }
    bool threw() const { return ended_with(thrown_code); }

    bool is_clear() { return pool_scene::is_clear() && is_whole(); }
    bool left_the_queue() { return pool_scene::left_the_queue() && is_whole(); }
    bool was_left_behind() { return pool_scene::was_left_behind() && is_whole(); }
};

/// The stand for `isolated` in the mode of another stand.
template <class ModeStand>
struct isolated_stand;

template <>
struct isolated_stand<callback_stand> : isolated_asio_stand {
    template <class Line>
    void start(Line const& line, ending how = ending::answers) {
        hawser::async_execute(line, io->get_executor(), facts, op(how),
                              to_reply_receipt{got, io->get_executor(), signal.slot()});
        time.poll();
    }
};

template <>
struct isolated_stand<coroutine_stand> : isolated_asio_stand {
    template <class Line>
    void start(Line const& line, ending how = ending::answers) {
        asio::co_spawn(*io, caller(line, *this, how),
                       asio::bind_cancellation_slot(signal.slot(), asio::detached));
        time.poll();
    }

private:
    template <class Line>
    static asio::awaitable<void> caller(Line const& line, isolated_stand& on, ending how) {
        frame_mark mark{&on.got};
        auto const executor = on.io->get_executor();
        auto const asked = on.op(how);
        try {
            auto const reply = co_await hawser::async_execute(line, executor, on.facts, asked,
                                                              asio::use_awaitable);
            on.got.value = reply.value;
            on.got.code = code_of(nullptr, reply);
        } catch (...) {
            on.got.code = code_of(std::current_exception(), {});
        }
        ++on.got.completed;
        mark.ended = true;
    }
};

}  // namespace support

#endif  // HAWSER_TESTS_SUPPORT_MATRIX_ISOLATED_ASIO_HPP
