// SPDX-License-Identifier: BSL-1.0
//
// Chooses the policy of the cases that are included after it: bulkhead.
#ifndef HAWSER_TESTS_SUPPORT_MATRIX_BULKHEAD_HPP
#define HAWSER_TESTS_SUPPORT_MATRIX_BULKHEAD_HPP

#include <hawser/compose/pipeline.hpp>
#include <hawser/policy/bulkhead.hpp>

#include "support/matrix.hpp"

#include <chrono>
#include <cstdint>

#define HAWSER_MATRIX_POLICY "bulkhead"

namespace support {

/// One permit and one place to wait, so that either shows if it is not given back.
struct lender {
    std::uint32_t places = 1;
    hawser::bulkhead<hawser::semaphore, hawser::wait_up_to> limit{
        hawser::semaphore_options{.permits = 1, .places = places},
        hawser::wait_up_to{std::chrono::milliseconds{100}}};

    /// What a call hears that has waited in vain.
    static constexpr hawser::refusal in_vain{hawser::errc::bulkhead_full,
                                             std::chrono::milliseconds{0}, HAWSER_MATRIX_POLICY};

    template <class Environment>
    auto line_in(Environment environment, test_bulkhead& outer, told_gate& gate) {
        return hawser::compose_in(environment, hawser::borrow(outer), hawser::borrow(limit),
                                  hawser::borrow(gate));
    }
    auto permits(hawser::time_point) { return limit.permits().snapshot(); }
    /// It never learns anything from a call.
    static bool learned_nothing() { return true; }
};

}  // namespace support

#endif  // HAWSER_TESTS_SUPPORT_MATRIX_BULKHEAD_HPP
