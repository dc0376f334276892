// SPDX-License-Identifier: BSL-1.0
//
// An adaptive limit that learns nothing: it writes down what it is told, and answers what it is
// given.
#ifndef HAWSER_TESTS_SUPPORT_TOLD_LIMIT_HPP
#define HAWSER_TESTS_SUPPORT_TOLD_LIMIT_HPP

#include <hawser/limit/limit_algorithm.hpp>

#include <cstdint>
#include <stdexcept>
#include <vector>

namespace support {

class told_limit;

struct told_options {
    using algorithm_type = told_limit;
    std::vector<hawser::limit_sample>* heard;
    std::uint32_t* limit;
};

class told_limit {
public:
    using options_type = told_options;
    explicit told_limit(told_options const& options) : options_{options} {
        if (*options.limit == 0) throw std::invalid_argument{"told_limit: limit is zero"};
    }
    std::uint32_t on_sample(hawser::limit_sample const& sample) noexcept {
        options_.heard->push_back(sample);
        return *options_.limit;
    }
    [[nodiscard]] std::uint32_t limit() const noexcept { return *options_.limit; }

private:
    told_options options_;
};

/// What a call taught.
[[nodiscard]] inline bool is_measure(hawser::limit_sample const& sample,
                                     hawser::duration service_time,
                                     hawser::duration queue_time = {}) {
    return sample.outcome == hawser::sample_outcome::success &&
           sample.service_time == service_time && sample.queue_time == queue_time;
}

}  // namespace support

#endif  // HAWSER_TESTS_SUPPORT_TOLD_LIMIT_HPP
