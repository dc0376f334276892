// SPDX-License-Identifier: BSL-1.0
//
// Chooses the policy of the cases that are included after it: admission_control.
#ifndef HAWSER_TESTS_SUPPORT_MATRIX_ADMISSION_CONTROL_HPP
#define HAWSER_TESTS_SUPPORT_MATRIX_ADMISSION_CONTROL_HPP

#include <hawser/compose/pipeline.hpp>
#include <hawser/policy/admission_control.hpp>

#include "support/matrix.hpp"

#include <chrono>
#include <cstdint>

#define HAWSER_MATRIX_POLICY "admission_control"

namespace support {

/// One permit and one place to wait, so that either shows if it is not given back.
struct lender {
    std::uint32_t places = 1;
    hawser::admission_control<hawser::admission_queue, hawser::wait_up_to> limit{
        hawser::admission_options{.permits = 1, .places = places},
        hawser::wait_up_to{std::chrono::milliseconds{100}}};

    /// What a call hears that has waited in vain.
    static constexpr hawser::refusal in_vain{hawser::errc::bulkhead_full,
                                             std::chrono::milliseconds{100}, HAWSER_MATRIX_POLICY};

    template <class Environment>
    auto line_in(Environment environment, test_bulkhead& outer, told_gate& gate) {
        return hawser::compose_in(environment, hawser::borrow(outer), hawser::borrow(limit),
                                  hawser::borrow(gate));
    }
    auto permits(hawser::time_point now) { return limit.permits().snapshot(now).permits; }
    /// It never learns anything from a call.
    static bool learned_nothing() { return true; }
};

}  // namespace support

#endif  // HAWSER_TESTS_SUPPORT_MATRIX_ADMISSION_CONTROL_HPP
