// SPDX-License-Identifier: BSL-1.0
//
// What does a decision cost beside the bare round trip, and do four processes on one hot key get
// what it has, to one in a hundred? Exits non-zero if they do not.
#include <hawser/adapt/redis/redis_rate_limiter.hpp>

#include "../../../tests/support/redis_fleet.hpp"
#include "../../../tests/support/redis_server.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

using namespace std::chrono_literals;
using support::steady_ns;

namespace {

struct quantiles {
    std::int64_t p50, p99;
};

quantiles times_of(int count, auto work) {
    std::vector<std::int64_t> times;
    for (int i = 0; i != count; ++i) {
        auto const begin = steady_ns();
        work();
        times.push_back(steady_ns() - begin);
    }
    return {support::detail::at_quantile(times, 0.5), support::detail::at_quantile(times, 0.99)};
}

void print(char const* what, quantiles const& times) {
    std::printf("%-44s %8.1f %8.1f\n", what, static_cast<double>(times.p50) / 1e3,
                static_cast<double>(times.p99) / 1e3);
}

void one_process(support::redis_server const& server, int count) {
    hawser::redis_connection connection{server.endpoint()};
    if (!connection.open(hawser::time_point{hawser::duration{steady_ns()}} + 10s)) std::exit(1);
    std::printf("%-44s %8s %8s\n", "microseconds", "p50", "p99");
    print("bare round trip: PING", times_of(count, [&] {
              auto const now = hawser::steady_clock_source{}.now();
              if (!connection.command({"PING"}, now + 10s)) std::exit(1);
          }));
    hawser::redis_rate_limiter_options options{.server = server.endpoint(), .timeout = 1s};
    options.limits = {{.rate = 1'000'000'000, .period = 1s, .burst = 1'000'000'000}};
    hawser::redis_rate_limiter grants{options};
    print("a grant", times_of(count, [&] {
              if (!grants.try_acquire("a").granted) std::exit(1);
          }));
    options.limits = {{.rate = 1, .period = 1h, .burst = 1}};
    options.prefix = "other";
    hawser::redis_rate_limiter refuses{options};
    (void)refuses.try_acquire("a");
    print("a refusal", times_of(count, [&] {
              if (refuses.try_acquire("a").granted) std::exit(1);
          }));
}

int four_processes(support::redis_server& server, std::int64_t length) {
    support::fleet_job const job{.port = server.port(),
                                 .length = length,
                                 .timeout = 5'000'000'000,
                                 .probe_interval = 5'000'000'000};
    auto const report = support::run_fleet(4, job, {}, [](auto) {});
    print("a decision, four processes on one hot key", {report.p50, report.p99});
    auto const seconds = static_cast<double>(report.last - report.first) / 1e9;
    auto const expected = static_cast<double>(job.burst) + static_cast<double>(job.rate) * seconds;
    auto const off = static_cast<double>(report.granted) / expected - 1;
    std::printf("granted %lld of burst + rate * time = %.0f: %+.2f %%, limit 1 %%\n",
                static_cast<long long>(report.granted), expected, 100 * off);
    return off <= 0 && off >= -0.01 ? 0 : 1;
}

void without_server(support::redis_server& server, int count) {
    hawser::redis_rate_limiter limiter{
        {.server = server.endpoint(), .timeout = 50ms, .probe_interval = 1s}};
    (void)limiter.try_acquire("a");
    server.pause();
    (void)limiter.try_acquire("a");
    print("a decision by the lease, the server away",
          times_of(count, [&] { (void)limiter.try_acquire("a"); }));
    server.resume();
}

}  // namespace

int main(int argc, char** argv) {
    if (std::getenv("HAWSER_FLEET_JOB") != nullptr) {
        support::run_fleet_client();
        return 0;
    }
    if (std::system("command -v redis-server >/dev/null") != 0) {
        std::puts("skipped: redis-server is not installed");
        return 0;
    }
    bool const quick = argc > 1 && std::strcmp(argv[1], "--quick") == 0;
    support::redis_server server;
    one_process(server, quick ? 500 : 20'000);
    auto const broken = four_processes(server, quick ? 500'000'000 : 10'000'000'000);
    without_server(server, quick ? 1'000 : 100'000);
    if (quick) std::puts("quick run, not judged");
    return quick ? 0 : broken;
}
