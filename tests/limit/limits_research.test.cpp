// SPDX-License-Identifier: BSL-1.0
//
// Options of limits that are no numbers: a comparison with one is false, so a check for what is
// wrong lets it through, and a check for what is right does not.
#include <hawser/limit/adaptive_throttle.hpp>
#include <hawser/limit/aimd.hpp>
#include <hawser/limit/gradient2.hpp>
#include <hawser/limit/knee.hpp>
#include <hawser/limit/vegas.hpp>

#include "support/catch.hpp"

#include <limits>
#include <stdexcept>
#include <string>

namespace limits = hawser::limits;

namespace {

constexpr double wrong_numbers[] = {std::numeric_limits<double>::quiet_NaN(),
                                    std::numeric_limits<double>::infinity(),
                                    -std::numeric_limits<double>::infinity()};

template <class Limit, class Options>
std::string complaint_about(Options const& options) {
    try {
        Limit const made{options};
        return "none";
    } catch (std::invalid_argument const& refused) {
        return refused.what();
    }
}

/// Whether each number that is none is refused, by the name of the field.
template <class Limit, class Options>
bool refuses(double Options::*field, std::string const& name) {
    for (auto const wrong : wrong_numbers) {
        Options options;
        options.*field = wrong;
        auto const complaint = complaint_about<Limit>(options);
        INFO(name << " = " << wrong << ": " << complaint);
        if (complaint.find(": " + name + " ") == std::string::npos) return false;
    }
    return true;
}

}  // namespace

TEST_CASE("limits research: an option that is no number is refused by its name") {
    CHECK(refuses<limits::aimd>(&limits::aimd_options::backoff, "backoff"));
    CHECK(refuses<limits::vegas>(&limits::vegas_options::smoothing, "smoothing"));
    CHECK(refuses<limits::gradient2>(&limits::gradient2_options::smoothing, "smoothing"));
    CHECK(refuses<limits::gradient2>(&limits::gradient2_options::tolerance, "tolerance"));
    CHECK(refuses<limits::knee>(&limits::knee_options::quantile, "quantile"));
    CHECK(refuses<limits::knee>(&limits::knee_options::headroom, "headroom"));
    CHECK(refuses<limits::knee>(&limits::knee_options::dropped, "dropped"));
    using throttle_options = hawser::adaptive_throttle_options;
    CHECK(refuses<hawser::adaptive_throttle>(&throttle_options::multiplier, "multiplier"));
    CHECK(refuses<hawser::adaptive_throttle>(&throttle_options::rejection_max, "rejection_max"));
}
