// SPDX-License-Identifier: BSL-1.0
//
// A waiting call that does nothing but count its bell, and tell a log whose bell rang.
#ifndef HAWSER_TESTS_SUPPORT_COUNTING_WAITER_HPP
#define HAWSER_TESTS_SUPPORT_COUNTING_WAITER_HPP

#include <hawser/containers/waiter.hpp>

#include <vector>

namespace support {

/// The ids of the waiters whose bells rang, in that order.
using bell_log = std::vector<int>;

struct counting_waiter final : hawser::waiter {
    explicit counting_waiter(int its_id = 0, bell_log* its_log = nullptr) noexcept
        : waiter{&ring}, id{its_id}, log{its_log} {}

    /// As a driver does it, before a node waits again.
    void rearm() noexcept {
        granted = false;
        rung = 0;
    }

    int id;
    bell_log* log;
    int rung = 0;

private:
    static void ring(waiter& node) noexcept {
        auto& self = static_cast<counting_waiter&>(node);
        ++self.rung;
        if (self.log != nullptr) self.log->push_back(self.id);
    }
};

}  // namespace support

#endif  // HAWSER_TESTS_SUPPORT_COUNTING_WAITER_HPP
