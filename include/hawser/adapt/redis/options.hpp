// SPDX-License-Identifier: BSL-1.0
//
// Settings of a limiter that several machines share.
#ifndef HAWSER_ADAPT_REDIS_OPTIONS_HPP
#define HAWSER_ADAPT_REDIS_OPTIONS_HPP

#include <hawser/adapt/redis/connection.hpp>
#include <hawser/adapt/redis/lease.hpp>
#include <hawser/adapt/redis/quota.hpp>
#include <hawser/base/time.hpp>
#include <hawser/rate/bucket_shape.hpp>

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace hawser::inline v0 {

/// Where the server is, what is limited, and what holds without the server.
struct redis_rate_limiter_options {
    redis_endpoint server{};

    /// What the names of all keys begin with. Of one limiter with one set of limits, on every node
    /// the same. Not empty, without braces: it is the hash tag that keeps the keys in one slot.
    std::string prefix = "hawser";

    /// One request is held to all of these at once; each has keys of its own. 1 to 16.
    std::vector<token_bucket_options> limits{token_bucket_options{}};

    /// The most that a call waits: for a connection, and for the answer. 1 ms to 1 min.
    duration timeout = std::chrono::milliseconds{50};

    /// Once the server is away, one call in this time asks it again, and may pay the timeout; all
    /// others are decided by the lease at once. At least `timeout`, at most an hour.
    duration probe_interval = std::chrono::seconds{1};

    /// The interval is longer by a random part of itself, up to this one, so that nodes do not come
    /// back in step. [0, 1].
    double probe_jitter = 0.2;

    /// Connections, and so requests under way at once; more callers wait. 1 to 64.
    std::uint32_t connections = 1;

    /// What all nodes together may admit while the server is away, as a part of the rate. (0, 1].
    double lease_share = 1;

    /// How long a node keeps its share while the server is away; it is renewed four times as often.
    /// At least a second and twice `timeout`, at most a day.
    duration lease_for = std::chrono::seconds{10};

    /// The most nodes there will be: without a lease, each has this part of `lease_share`, the
    /// least share. 2 to 10 000.
    std::uint32_t max_nodes = 16;

    /// Buckets for the lease, 8 bytes each, for each limit: keys that meet in one share it while
    /// the server is away. 1 to 2^20, rounded up to a power of two.
    std::uint32_t lease_buckets = 1024;
};

namespace detail {

[[noreturn]] inline void refuse_redis_option(char const* rule) {
    throw std::invalid_argument{std::string{"redis_rate_limiter: "} + rule};
}

inline void check_redis_lease(redis_rate_limiter_options const& options) {
    if (!(options.lease_share > 0 && options.lease_share <= 1))
        refuse_redis_option("lease_share is not in (0, 1]");
    if (options.lease_for < std::chrono::seconds{1} || options.lease_for > std::chrono::hours{24})
        refuse_redis_option("lease_for is not in [1 s, 24 h]");
    if (options.lease_for < 2 * options.timeout)
        refuse_redis_option("lease_for is less than twice timeout");
    if (options.max_nodes < 2 || options.max_nodes > 10'000)
        refuse_redis_option("max_nodes is not in [2, 10000]");
    if (options.lease_buckets == 0 || options.lease_buckets > 1U << 20U)
        refuse_redis_option("lease_buckets is not in [1, 2^20]");
    if (options.lease_share * redis_lease::whole < options.max_nodes)
        refuse_redis_option("lease_share leaves max_nodes no millionth each");
}

/// Throws `std::invalid_argument`, naming the field and the rule, if an option is out of range.
inline redis_rate_limiter_options const& checked(redis_rate_limiter_options const& options) {
    if (options.prefix.empty()) refuse_redis_option("prefix is empty");
    if (options.prefix.find_first_of("{}") != std::string::npos)
        refuse_redis_option("prefix has a brace in it");
    if (options.limits.empty() || options.limits.size() > 16)
        refuse_redis_option("limits are not 1 to 16");
    if (options.timeout < std::chrono::milliseconds{1} || options.timeout > std::chrono::minutes{1})
        refuse_redis_option("timeout is not in [1 ms, 1 min]");
    if (options.probe_interval < options.timeout || options.probe_interval > std::chrono::hours{1})
        refuse_redis_option("probe_interval is not in [timeout, 1 h]");
    if (!(options.probe_jitter >= 0 && options.probe_jitter <= 1))
        refuse_redis_option("probe_jitter is not in [0, 1]");
    if (options.connections == 0 || options.connections > 64)
        refuse_redis_option("connections is not in [1, 64]");
    check_redis_lease(options);
    return options;
}

}  // namespace detail
}  // namespace hawser::inline v0
#endif  // HAWSER_ADAPT_REDIS_OPTIONS_HPP
