// SPDX-License-Identifier: BSL-1.0
//
// Four processes on one hot key, in real time: with the server, without it, and across a restart.
// ctest: slow
#include <hawser/adapt/redis/redis_rate_limiter.hpp>

#include "support/catch.hpp"
#include "support/redis_fleet.hpp"
#include "support/redis_server.hpp"

#include <string>

using namespace std::chrono_literals;
using support::fleet_job;
using support::redis_server;

namespace {

/// This program as a client: the case below, which runs only if it is named.
std::vector<std::string> const as_client{"a client of the fleet"};

std::string words(support::fleet_report const& report) {
    return "granted " + std::to_string(report.granted) + ", leased " +
           std::to_string(report.leased) + ", at most by one " +
           std::to_string(report.leased_most) + ", refused " + std::to_string(report.refused) +
           ", slow " + std::to_string(report.slow) + ", p99 " + std::to_string(report.p99) +
           " ns, of leases " + std::to_string(report.leased_p99) + " ns, in " +
           std::to_string(report.last - report.first) + " ns";
}

}  // namespace

TEST_CASE("a client of the fleet", "[.]") { support::run_fleet_client(); }

TEST_CASE("redis_rate_limiter: four processes get what one hot key has, within one in a hundred") {
    redis_server server;
    fleet_job const job{
        .port = server.port(), .timeout = 10'000'000'000, .probe_interval = 10'000'000'000};
    auto const report = support::run_fleet(4, job, as_client, [](auto) {});
    INFO(words(report));
    CHECK(report.leased == 0);
    auto const expected = job.burst + job.rate * job.length / 1'000'000'000;
    auto const most = job.burst + job.rate * (report.last - report.first) / 1'000'000'000;
    CHECK(report.granted <= most);
    CHECK(report.granted * 100 >= expected * 99);
    CHECK(report.refused > 0);
}

TEST_CASE("redis_rate_limiter: four processes without the server keep to the rate together") {
    redis_server server;
    fleet_job const job{.port = server.port(),
                        .length = 4'000'000'000,
                        .timeout = 50'000'000,
                        .probe_interval = 500'000'000};
    auto const report = support::run_fleet(4, job, as_client, [&](hawser::time_point start) {
        support::pass_until(start + 1500ms);
        server.pause();  // Worse than gone: it does not even refuse connections.
    });
    INFO(words(report));
    auto const seconds = static_cast<double>(report.last - report.first) / 1e9;
    auto const rate = static_cast<double>(job.rate), burst = static_cast<double>(job.burst);
    // The rate throughout; the burst once by the server and once more by all leases together.
    CHECK(static_cast<double>(report.granted + report.leased) <= 2 * burst + 4 + rate * seconds);
    // No node ever has more than half of the rate, and four have a quarter each.
    CHECK(static_cast<double>(report.leased_most) <= 0.5 * (burst + rate * (seconds - 1.5)) + 1);
    CHECK(static_cast<double>(report.leased) >= 0.5 * rate * (seconds - 2));
    // One call in half a second pays, two at the beginning: 2.5 seconds have six.
    CHECK(report.slow_most <= 8);
    CHECK(report.leased_max < 1'000'000'000);
    CHECK(report.leased_p99 < 50'000'000);
    server.resume();
}

TEST_CASE(
    "redis_rate_limiter: a restart without data neither loses nor doubles for four processes") {
    redis_server server;
    fleet_job const job{.port = server.port(),
                        .length = 4'000'000'000,
                        .timeout = 200'000'000,
                        .probe_interval = 200'000'000};
    auto const report = support::run_fleet(4, job, as_client, [&](hawser::time_point start) {
        support::pass_until(start + 1300ms);
        server.kill();
        support::pass_until(start + 2s);
        server.start();
    });
    INFO(words(report));
    CHECK(report.leased > 0);
    auto const seconds = static_cast<double>(report.last - report.first) / 1e9;
    auto const rate = static_cast<double>(job.rate), burst = static_cast<double>(job.burst);
    auto const all = static_cast<double>(report.granted + report.leased);
    CHECK(all <= 2 * burst + 4 + rate * seconds);
    CHECK(all >= 0.85 * (burst + rate * seconds));
}
