// SPDX-License-Identifier: BSL-1.0
//
// Chooses the policy of the cases that are included after it: concurrency_limit.
#ifndef HAWSER_TESTS_SUPPORT_MATRIX_CONCURRENCY_LIMIT_HPP
#define HAWSER_TESTS_SUPPORT_MATRIX_CONCURRENCY_LIMIT_HPP

#include <hawser/compose/pipeline.hpp>
#include <hawser/policy/concurrency_limit.hpp>
#include <hawser/policy/timeout.hpp>

#include "support/matrix.hpp"
#include "support/told_limit.hpp"

#include <chrono>
#include <cstdint>
#include <vector>

#define HAWSER_MATRIX_POLICY "concurrency_limit"

namespace support {

/// One permit and one place to wait, so that either shows if it is not given back; and what each
/// call taught is written down.
struct lender {
    std::vector<hawser::limit_sample> heard;
    std::uint32_t number = 1;
    hawser::concurrency_limit<told_limit, hawser::wait_up_to, hawser::places> limit{
        told_options{&heard, &number}, hawser::wait_up_to{std::chrono::milliseconds{100}},
        hawser::places{1}};

    /// What a call hears that has waited in vain.
    static constexpr hawser::refusal in_vain{hawser::errc::overloaded, std::chrono::milliseconds{0},
                                             HAWSER_MATRIX_POLICY};

    template <class Environment>
    auto line_in(Environment environment, test_bulkhead& outer, told_gate& gate) {
        return hawser::compose_in(environment, hawser::borrow(outer), hawser::borrow(limit),
                                  hawser::borrow(gate),
                                  hawser::attempt_timeout{std::chrono::milliseconds{100}});
    }
    auto permits(hawser::time_point) { return limit.permits().snapshot(); }
    bool learned_nothing() const { return heard.empty(); }
    /// Whether one call was in, alone, and this is what it said of the load.
    bool taught(hawser::sample_outcome what) const {
        return heard.size() == 1 && heard[0].inflight_at_start == 1 && heard[0].outcome == what;
    }
};

}  // namespace support

#endif  // HAWSER_TESTS_SUPPORT_MATRIX_CONCURRENCY_LIMIT_HPP
