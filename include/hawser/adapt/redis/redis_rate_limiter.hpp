// SPDX-License-Identifier: BSL-1.0
//
// A rate limit that any number of machines share, decided by a Redis server; without the server,
// each machine goes on with its share of it.
//
// One request is one round trip: a script on the server decides by the server's clock, for all
// limits at once (`gcra_script.hpp`). A request whose answer is lost is asked again under the same
// number, and is charged once. Where no answer comes, the caller is not made to wait again and
// again: one call in a probe interval tries the server, the others are decided here by the lease.
//
//                        no answer by the timeout
//              +---------+ ------------------------> +------+
//              | server  |                           | away | --- by the lease, at once
//              +---------+ <------------------------ +------+
//                        one call per probe interval
#ifndef HAWSER_ADAPT_REDIS_REDIS_RATE_LIMITER_HPP
#define HAWSER_ADAPT_REDIS_REDIS_RATE_LIMITER_HPP

#include <hawser/adapt/redis/connection.hpp>
#include <hawser/adapt/redis/detail/lanes.hpp>
#include <hawser/adapt/redis/gcra_script.hpp>
#include <hawser/adapt/redis/lease.hpp>
#include <hawser/adapt/redis/options.hpp>
#include <hawser/adapt/redis/quota.hpp>
#include <hawser/base/clock.hpp>
#include <hawser/base/contract.hpp>
#include <hawser/base/random.hpp>
#include <hawser/base/saturating.hpp>
#include <hawser/base/time.hpp>
#include <hawser/rate/admission.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hawser::inline v0 {

/// The answer to one request, and who gave it.
struct [[nodiscard]] redis_admission : admission {
    bool leased = false;  ///< Decided here, for want of an answer by the server.

    /// Whole tokens that the tightest limit has left, if the server decided.
    std::uint32_t remaining = 0;
};

/// How a limiter stands.
struct redis_limiter_status {
    bool away = false;        ///< The last request that was sent had no answer.
    double share = 0;         ///< The part of the rate that this node may admit by itself.
    std::uint32_t nodes = 0;  ///< As of the last lease; 0 if there was none yet.
    std::string error{};      ///< Why a request last had no answer; empty if none ever had.
};

/// Holds the requests of a fleet to sustained rates, with bounded bursts. Starts full, and connects
/// with the first request.
///
/// Waits, unlike an in-process limiter: for the server, at most `timeout` a call. An instant `now`
/// is for leases and probes alone; it is the server's clock that refills.
///
/// Guarantee:     with the server, within any span d grants a key at most
///                burst + floor(d * rate / period) tokens, exactly, and nothing is charged twice.
///                While the server is away from everybody for d, all nodes together grant at most
///                lease_share * (burst + d * rate / period) and a token each, and never one node
///                more than half of it. A node that joined within `lease_for` before adds the least
///                share, 1 / max_nodes of it, until the others have come for a smaller one; so does
///                one that is still there though the server has heard nothing of it for eleven
///                leases. Where the server is away from some nodes alone, this is beside what it
///                grants to the others.
///                A server that comes back without its data counts every bucket as empty, as soon
///                as a node that knew it asks; a new node that comes first finds them full. One
///                that lost its last second gives back what that second took.
/// Thread safety: all members may be called concurrently. `connections` requests are under way at
///                once. Not to be used in a process forked from the one that made it.
/// Cost:          a round trip; without the server, a lock. Allocates.
/// Errors:        none of the server is thrown; it is away while it answers with errors, and
///                `status` says which. `std::bad_alloc` is.
class redis_rate_limiter {
public:
    /// Throws `std::invalid_argument`, naming the field, if an option is out of range.
    explicit redis_rate_limiter(redis_rate_limiter_options const& options)
        : options_{detail::checked(options)},
          quotas_(options.limits.begin(), options.limits.end()),
          lanes_{options.server, options.prefix, node_, options.connections},
          lease_{options.limits, total() / options.max_nodes, options.lease_buckets} {
        for (auto const& quota : quotas_) burst_ = std::min(burst_, quota.burst());
    }

    /// Takes `count` tokens for `key`, or none. Requires that there is one limit.
    redis_admission try_acquire(std::string_view key, std::uint32_t count = 1,
                                time_point now = steady_clock_source{}.now()) {
        return try_acquire_all({&key, 1}, count, now);
    }

    /// Takes `count` tokens from every limit, of the key that stands at its place, or none from
    /// any. Requires a key for each limit.
    ///
    /// No tokens are always granted. A refusal by the server says when the same request would be
    /// granted, were nobody to ask before, rounded up to the microsecond; one by the lease says
    /// when to ask again, at the latest with the next probe. `never`: more tokens than a burst.
    redis_admission try_acquire_all(std::span<std::string_view const> keys, std::uint32_t count = 1,
                                    time_point now = steady_clock_source{}.now()) {
        HAWSER_ASSERT(keys.size() == quotas_.size());
        if (count == 0) return {{.granted = true}};
        if (count > burst_) return {{.granted = false, .retry_after = never}};
        auto const asked = may_ask(now);
        if (!asked) return by_lease(keys, count, now);
        auto const deadline = steady_clock_source{}.now() + options_.timeout;
        auto const lane = lanes_.lend(deadline);
        if (!lane) return by_lease(keys, count, now);
        auto const answer = ask(*lane, *asked, keys, count, deadline);
        if (answer) return settle(*answer, *asked, keys, now);
        set_away(*lane, now);
        return by_lease(keys, count, now);
    }

    [[nodiscard]] redis_limiter_status status(time_point now = steady_clock_source{}.now()) const {
        std::lock_guard const lock{mutex_};
        return {.away = away_,
                .share = static_cast<double>(lease_.share(now)) / redis_lease::whole,
                .nodes = nodes_,
                .error = error_};
    }

private:
    /// What of this node's state goes with a request.
    struct question {
        std::uint64_t generation = 0;
        bool renews = false;
    };

    [[nodiscard]] std::uint32_t total() const noexcept {
        return static_cast<std::uint32_t>(options_.lease_share * redis_lease::whole);
    }

    static std::string new_node() {
        shared_random const random;
        return std::to_string(random()) + '-' + std::to_string(random());
    }

    /// Whether the server is to be asked; while it is away, true for one caller in an interval.
    std::optional<question> may_ask(time_point now) {
        std::lock_guard const lock{mutex_};
        if (away_) {
            if (now < probe_at_) return {};
            probe_at_ = next_probe(now);
        }
        question asked;
        // The server keeps its generation for a day after a renewal; the half leaves room for both.
        constexpr duration memory = std::chrono::hours{12};
        if (time_between(answered_at_, now) < memory) asked.generation = generation_;
        asked.renews = now >= renew_at_;
        // Not before the last renewal has had its time: the answers of two might change places.
        if (asked.renews) renew_at_ = now + std::max(options_.lease_for / 4, options_.timeout);
        return asked;
    }

    [[nodiscard]] time_point next_probe(time_point now) const noexcept {
        auto const most = scale(options_.probe_interval, options_.probe_jitter);
        return now + options_.probe_interval + part_of(most, shared_random{}());
    }

    /// Asks twice if the connection breaks, for that of a server that was restarted always does.
    redis_reply ask(detail::redis_lane& lane, question const& asked,
                    std::span<std::string_view const> keys, std::uint32_t count,
                    time_point deadline) {
        ++lane.number;
        put_together(lane, asked, keys, count);
        std::vector<std::string_view> const words(lane.words.begin(), lane.words.end());
        for (bool again = false;; again = true) {
            if (!lane.connection.is_open() && !lane.connection.open(deadline)) return {};
            auto reply = lane.connection.evaluate(lane.script, words, keys.size() + 3, deadline);
            if (is_answer(reply)) return reply;
            if (reply) lane.connection.give_up(reply);
            if (reply || again || steady_clock_source{}.now() >= deadline) return {};
        }
    }

    void put_together(detail::redis_lane& lane, question const& asked,
                      std::span<std::string_view const> keys, std::uint32_t count) const {
        auto const tag = '{' + options_.prefix + '}';
        auto& words = lane.words;
        words.assign({tag + ":generation", lane.client, tag + ":leases"});
        for (std::size_t i = 0; i != keys.size(); ++i)
            words.push_back((tag + ":limit:" + std::to_string(i) + ':').append(keys[i]));
        auto const add = [&](auto... numbers) { (words.push_back(std::to_string(numbers)), ...); };
        add(lane.number, asked.generation);
        words.push_back(node_);
        auto const length = std::chrono::floor<std::chrono::microseconds>(options_.lease_for);
        add(asked.renews ? length.count() : 0, total(), total() / options_.max_nodes);
        for (auto const& quota : quotas_) {
            auto const cost = quota.cost(count), capacity = quota.cost(quota.burst());
            add(cost.whole, cost.part, capacity.whole, capacity.part, quota.parts());
        }
    }

    [[nodiscard]] bool is_answer(redis_reply const& reply) const noexcept {
        if (!reply || reply->type != REDIS_REPLY_ARRAY) return false;
        std::span const all{reply->element, reply->elements};
        return all.size() == 5 + 2 * quotas_.size() &&
               std::all_of(all.begin(), all.end(), [](redisReply const* one) {
                   // What the script counts is exact; beyond that it is no word of the script's.
                   return one->type == REDIS_REPLY_INTEGER && one->integer >= 0 &&
                          static_cast<std::uint64_t>(one->integer) < redis_quota::exact_max;
               });
    }

    redis_admission settle(redisReply const& reply, question const& asked,
                           std::span<std::string_view const> keys, time_point now) {
        auto const number = [&](std::size_t i) {
            return static_cast<std::uint64_t>(reply.element[i]->integer);
        };
        redis_admission answer{
            {.granted = number(0) == 1, .retry_after = std::chrono::microseconds{number(1)}}};
        std::lock_guard const lock{mutex_};
        away_ = false;
        generation_ = number(2);
        answered_at_ = now;
        if (asked.renews) {
            nodes_ = static_cast<std::uint32_t>(number(4));
            // From before it was sent: it ends here before it ends on the server.
            lease_.renew(static_cast<std::uint32_t>(number(3)), now + options_.lease_for, now);
        }
        answer.remaining = burst_;
        for (std::size_t i = 0; i != keys.size(); ++i) {
            auto const has = quotas_[i].available({number(5 + 2 * i), number(6 + 2 * i)});
            lease_.learn(i, keys[i], has, now);
            answer.remaining = std::min(answer.remaining, has);
        }
        return answer;
    }

    void set_away(detail::redis_lane const& lane, time_point now) {
        std::lock_guard const lock{mutex_};
        if (!away_) probe_at_ = next_probe(now);
        away_ = true;
        renew_at_ = time_point::min();
        error_ = lane.connection.why();
    }

    redis_admission by_lease(std::span<std::string_view const> keys, std::uint32_t count,
                             time_point now) {
        std::lock_guard const lock{mutex_};
        redis_admission answer{lease_.decide(keys, count, now), true};
        // The server may know more as soon as it can be asked.
        auto const asks_again = away_ ? time_between(now, probe_at_) : options_.timeout;
        if (!answer.granted)
            answer.retry_after = std::min(answer.retry_after, std::max(asks_again, duration{1}));
        return answer;
    }

    redis_rate_limiter_options const options_;
    std::vector<redis_quota> const quotas_;
    std::string const node_ = new_node();
    std::uint32_t burst_ = ~std::uint32_t{0};  ///< The smallest of the limits.
    detail::redis_lanes lanes_;

    std::mutex mutable mutex_;  ///< Never held while a call waits for the server.
    redis_lease lease_;
    bool away_ = false;
    time_point probe_at_ = time_point::min();
    time_point renew_at_ = time_point::min();
    time_point answered_at_ = time_point::min();
    std::uint64_t generation_ = 0;
    std::uint32_t nodes_ = 0;
    std::string error_;
};

}  // namespace hawser::inline v0
#endif  // HAWSER_ADAPT_REDIS_REDIS_RATE_LIMITER_HPP
