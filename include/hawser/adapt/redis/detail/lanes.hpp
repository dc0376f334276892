// SPDX-License-Identifier: BSL-1.0
//
// A few connections that threads share, each lent to one at a time.
#ifndef HAWSER_ADAPT_REDIS_DETAIL_LANES_HPP
#define HAWSER_ADAPT_REDIS_DETAIL_LANES_HPP

#include <hawser/adapt/redis/connection.hpp>
#include <hawser/adapt/redis/gcra_script.hpp>
#include <hawser/base/time.hpp>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace hawser::inline v0::detail {

/// A connection, and what a request is put together in.
struct redis_lane {
    redis_connection connection;
    std::string client;        ///< The key of its last grant.
    std::uint64_t number = 0;  ///< Of its last request.
    redis_script script{gcra_script};
    std::vector<std::string> words{};
};

/// Thread safety: `lend` may be called concurrently.
class redis_lanes {
public:
    /// The right to a lane, given back when it ends.
    class lent {
    public:
        lent() = default;
        lent(redis_lanes& of, redis_lane& lane) noexcept : of_{&of}, lane_{&lane} {}
        lent(lent&& other) noexcept
            : of_{std::exchange(other.of_, nullptr)}, lane_{std::exchange(other.lane_, nullptr)} {}
        lent& operator=(lent&&) = delete;
        ~lent() {
            if (lane_ != nullptr) of_->take_back(*lane_);
        }
        explicit operator bool() const noexcept { return lane_ != nullptr; }
        redis_lane& operator*() const noexcept { return *lane_; }

    private:
        redis_lanes* of_ = nullptr;
        redis_lane* lane_ = nullptr;
    };

    redis_lanes(redis_endpoint const& endpoint, std::string const& prefix, std::string const& node,
                std::uint32_t count) {
        free_.reserve(count);  // Else to give one back might allocate.
        for (std::uint32_t i = 0; i != count; ++i) {
            auto client = '{' + prefix + "}:client:" + node + ':' + std::to_string(i);
            lanes_.push_back({redis_connection{endpoint}, std::move(client)});
            free_.push_back(&lanes_.back());
        }
    }

    /// A free lane, the one given back last; none by `deadline` is an empty answer.
    lent lend(time_point deadline) {
        std::unique_lock lock{mutex_};
        if (!given_back_.wait_until(lock, deadline, [&] { return !free_.empty(); })) return {};
        auto& lane = *free_.back();
        free_.pop_back();
        return {*this, lane};
    }

private:
    void take_back(redis_lane& lane) noexcept {
        {
            std::lock_guard const lock{mutex_};
            free_.push_back(&lane);
        }
        given_back_.notify_one();
    }

    std::mutex mutex_;
    std::condition_variable given_back_;
    std::deque<redis_lane> lanes_;
    std::vector<redis_lane*> free_;
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_ADAPT_REDIS_DETAIL_LANES_HPP
