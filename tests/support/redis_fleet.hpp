// SPDX-License-Identifier: BSL-1.0
//
// Several processes that ask for tokens of one hot key at once, and what became of it.
//
// A program that uses this runs itself once more for each client: with HAWSER_FLEET_JOB set, and
// then has to call `run_fleet_client`.
#ifndef HAWSER_TESTS_SUPPORT_REDIS_FLEET_HPP
#define HAWSER_TESTS_SUPPORT_REDIS_FLEET_HPP

#include <hawser/adapt/redis/redis_rate_limiter.hpp>

#include "redis_server.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

namespace support {

/// What each client does. Times are in nanoseconds.
struct fleet_job {
    std::int64_t port = 0;
    std::int64_t length = 3'000'000'000;
    std::int64_t timeout = 1'000'000'000;
    std::int64_t probe_interval = 1'000'000'000;
    std::int64_t rate = 2'000;
    std::int64_t burst = 400;
    std::int64_t pace = 200'000;  ///< From the end of one request to the next.
    std::int64_t start = 0;       ///< On the steady clock, which all processes share.
};

/// What came of it, for one client or for all. Times are in nanoseconds.
struct fleet_report {
    std::int64_t granted = 0;          ///< By the server.
    std::int64_t leased = 0;           ///< Granted by the lease.
    std::int64_t leased_most = 0;      ///< By one client's.
    std::int64_t refused = 0;          ///< By either.
    std::int64_t slow = 0;             ///< Lease decisions that took a millisecond or more,
    std::int64_t slow_most = 0;        ///< of one client.
    std::int64_t first = 0, last = 0;  ///< Begin of the first request, end of the last.
    std::int64_t p50 = 0, p99 = 0;     ///< Of the server's decisions; of clients, the most.
    std::int64_t leased_p99 = 0, leased_max = 0;
};

namespace detail {

template <class Struct>
auto fields(Struct& of) {
    // Both are structs of std::int64_t alone.
    return std::span{reinterpret_cast<std::int64_t*>(&of), sizeof of / sizeof(std::int64_t)};
}
template <class Struct>
std::string written(Struct of) {
    std::string text;
    for (auto const value : fields(of)) text += std::to_string(value) + ' ';
    return text;
}
template <class Struct>
Struct read(std::string const& text) {
    Struct of;
    std::istringstream words{text};
    for (auto& value : fields(of)) words >> value;
    return of;
}

inline std::int64_t at_quantile(std::vector<std::int64_t>& times, double q) {
    if (times.empty()) return 0;
    auto const place =
        times.begin() + static_cast<std::ptrdiff_t>(q * static_cast<double>(times.size() - 1));
    std::nth_element(times.begin(), place, times.end());
    return *place;
}

}  // namespace detail

inline std::int64_t steady_ns() {
    return hawser::steady_clock_source{}.now().time_since_epoch().count();
}

/// The client's whole life: asks for one token after the other, and prints what came of it.
inline void run_fleet_client() {
    auto const job = detail::read<fleet_job>(std::getenv("HAWSER_FLEET_JOB"));
    hawser::redis_rate_limiter limiter{
        {.server = {.port = static_cast<std::uint16_t>(job.port)},
         .limits = {{.rate = static_cast<std::uint32_t>(job.rate),
                     .burst = static_cast<std::uint32_t>(job.burst)}},
         .timeout = hawser::duration{job.timeout},
         .probe_interval = hawser::duration{job.probe_interval},
         .lease_for =
             std::max<hawser::duration>(std::chrono::seconds{2}, hawser::duration{2 * job.timeout}),
         .max_nodes = 4}};
    pass(hawser::duration{job.start - steady_ns()});
    fleet_report report;
    std::vector<std::int64_t> times, leased_times;
    while (report.last - job.start < job.length) {
        auto const begin = steady_ns();
        auto const answer = limiter.try_acquire("hot");
        report.last = steady_ns();
        if (report.first == 0) report.first = begin;
        (answer.leased ? leased_times : times).push_back(report.last - begin);
        (!answer.granted ? report.refused : answer.leased ? report.leased : report.granted) += 1;
        if (answer.leased && report.last - begin >= 1'000'000) ++report.slow;
        if (job.pace > 0) pass(hawser::duration{job.pace});
    }
    report.p50 = detail::at_quantile(times, 0.5);
    report.p99 = detail::at_quantile(times, 0.99);
    report.leased_p99 = detail::at_quantile(leased_times, 0.99);
    report.leased_max = detail::at_quantile(leased_times, 1);
    std::printf("\nfleet %s\n", detail::written(report).c_str());
    std::fflush(stdout);
}

/// Runs `clients` of them, each this program with `arguments`, and `meanwhile` beside them with
/// the time at which they start.
template <class Meanwhile>
fleet_report run_fleet(int clients, fleet_job job, std::vector<std::string> arguments,
                       Meanwhile&& meanwhile) {
    // By then each is there; one that is late only asks for less.
    job.start = steady_ns() + 700'000'000;
    ::setenv("HAWSER_FLEET_JOB", detail::written(job).c_str(), 1);
    arguments.insert(arguments.begin(), "/proc/self/exe");
    struct client {
        child_process process;
        std::FILE* output;
    };
    std::vector<client> all;
    for (int i = 0; i != clients; ++i) {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error{"no pipe"};
        all.push_back({child_process{arguments, ends[1]}, ::fdopen(ends[0], "r")});
        ::close(ends[1]);
    }
    meanwhile(hawser::time_point{hawser::duration{job.start}});

    fleet_report sum;
    for (auto& one : all) {
        char line[4096];
        std::string found;
        while (std::fgets(line, sizeof line, one.output) != nullptr)
            if (std::string_view{line}.substr(0, 6) == "fleet ") found = line + 6;
        std::fclose(one.output);
        one.process.wait();
        if (found.empty()) throw std::runtime_error{"a client said nothing"};
        auto const report = detail::read<fleet_report>(found);
        sum.granted += report.granted;
        sum.leased += report.leased;
        sum.leased_most = std::max(sum.leased_most, report.leased);
        sum.refused += report.refused;
        sum.slow += report.slow;
        sum.slow_most = std::max(sum.slow_most, report.slow);
        sum.first = sum.first == 0 ? report.first : std::min(sum.first, report.first);
        sum.last = std::max(sum.last, report.last);
        sum.p50 = std::max(sum.p50, report.p50);
        sum.p99 = std::max(sum.p99, report.p99);
        sum.leased_p99 = std::max(sum.leased_p99, report.leased_p99);
        sum.leased_max = std::max(sum.leased_max, report.leased_max);
    }
    return sum;
}

inline void pass_until(hawser::time_point then) {
    pass(then - hawser::steady_clock_source{}.now());
}

}  // namespace support

#endif  // HAWSER_TESTS_SUPPORT_REDIS_FLEET_HPP
