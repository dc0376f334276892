// SPDX-License-Identifier: BSL-1.0
//
// What does a limiter for each key cost, against finding the key alone? The bare code is a find in
// an absl::flat_hash_map under one lock that nobody else wants; beside it, the same keys in the
// same order through a keyed token bucket: lookup, lock and decision.
#include <hawser/rate/keyed.hpp>

#include "support/allocations.hpp"
#include "support/gate.hpp"

#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <latch>
#include <mutex>
#include <random>
#include <stop_token>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

namespace {

using namespace std::chrono_literals;

std::uint64_t volatile result;

/// A row's code runs so many of what it measures: the loop round it costs nothing then.
constexpr std::size_t calls = 100;

template <class Key>
std::vector<Key> shuffled_keys(std::size_t count) {
    std::vector<Key> keys;
    for (std::size_t i = 0; i != count; ++i) {
        if constexpr (std::is_same_v<Key, std::string>)
            keys.push_back("user-" + std::to_string(1'000'000 + i));
        else
            keys.push_back(static_cast<Key>(1'000'000 + i));
    }
    std::shuffle(keys.begin(), keys.end(), std::mt19937{20261120});
    return keys;
}

template <class Key>
class bare {
public:
    explicit bare(std::vector<Key> const& keys) : keys_{keys} {
        for (auto const& key : keys) map_.emplace(key, 1);
    }
    void operator()() {
        std::uint64_t sum = 0;
        for (std::size_t call = 0; call != calls; ++call) {
            auto const& key = keys_[next_];
            next_ = next_ + 1 == keys_.size() ? 0 : next_ + 1;
            std::lock_guard const lock{mutex_};
            sum += map_.find(key)->second;
        }
        result = sum;
    }

private:
    std::vector<Key> const& keys_;
    std::size_t next_ = 0;
    std::mutex mutex_;
    absl::flat_hash_map<Key, std::uint64_t> map_;
};

/// Asks with each call a microsecond later: `step` of zero has the tokens run out.
template <class Key>
class through_keyed {
public:
    through_keyed(std::vector<Key> const& keys, hawser::token_bucket_options const& limit,
                  hawser::duration step)
        : keys_{keys}, step_{step}, limiter_{limit, {.keys = 2 * size_of(keys)}} {
        for (auto const& key : keys) (void)limiter_.try_acquire(key, now_);
    }
    void operator()() {
        std::uint64_t sum = 0;
        for (std::size_t call = 0; call != calls; ++call) {
            auto const& key = keys_[next_];
            next_ = next_ + 1 == keys_.size() ? 0 : next_ + 1;
            now_ += step_;
            sum += limiter_.try_acquire(key, now_).granted ? 1 : 0;
        }
        result = sum;
    }

    [[nodiscard]] std::size_t size() const { return limiter_.size(); }

private:
    static std::uint32_t size_of(std::vector<Key> const& keys) {
        return static_cast<std::uint32_t>(keys.size());
    }
    std::vector<Key> const& keys_;
    std::size_t next_ = 0;
    hawser::duration step_;
    hawser::time_point now_{1h};
    hawser::keyed<hawser::token_bucket, Key> limiter_;
};

constexpr hawser::token_bucket_options generous{.rate = 1'000'000, .burst = 1'000'000};

template <class Key>
void row(support::gate& gate, char const* what, std::size_t count) {
    auto const keys = shuffled_keys<Key>(count);
    bare<Key> alone{keys};
    through_keyed<Key> limited{keys, generous, 1us};
    gate.at_most_times(what, alone, limited, 2.5, calls);
    limited();
    gate.exactly("  granted", result, calls);
    support::allocation_probe const probe;
    for (std::size_t call = 0; call < count; call += calls) limited();
    gate.exactly("  allocations", probe.count(), 0);
    gate.exactly("  keys", limited.size(), count);
}

void refused(support::gate& gate) {
    auto const keys = shuffled_keys<std::string>(1'000);
    bare<std::string> alone{keys};
    through_keyed<std::string> limited{keys, {.rate = 7, .burst = 1}, 0us};
    gate.at_most_times("refused, 1 000 strings", alone, limited, 2.5, calls);
    limited();
    gate.exactly("  granted", result, 0);
}

/// Twice the work, on two threads at once.
template <class Work>
auto on_two_threads(Work const& work) {
    return [&work] {
        std::latch start{2};
        auto const run = [&] {
            start.arrive_and_wait();
            work();
        };
        std::jthread const other{run};
        run();
    };
}

void two_threads(support::gate& gate) {
    auto const keys = shuffled_keys<std::string>(10'000);
    std::mutex mutex;
    absl::flat_hash_map<std::string, std::uint64_t> map;
    hawser::keyed<hawser::token_bucket> limiter{generous, {.keys = 65'536}};
    for (auto const& key : keys) map.emplace(key, 1);
    auto const alone = [&] {
        std::uint64_t sum = 0;
        for (std::size_t call = 0; call != 20'000; ++call) {
            std::lock_guard const lock{mutex};
            sum += map.find(keys[call % keys.size()])->second;
        }
        result = sum;
    };
    auto const limited = [&] {
        std::uint64_t granted = 0;
        for (std::size_t call = 0; call != 20'000; ++call)
            granted +=
                limiter.try_acquire(keys[call % keys.size()], hawser::time_point{1h}) ? 1 : 0;
        result = granted;
    };
    gate.at_most_times("two threads, 10 000 strings", on_two_threads(alone),
                       on_two_threads(limited), 1.5, 20'000);
}

}  // namespace

int main(int argc, char** argv) {
    support::gate gate{argc, argv};
    // While a program has one thread, glibc locks without a locked instruction, which is not what
    // a lock costs where it is needed.
    std::jthread const another{[](std::stop_token const& stop) {
        std::mutex mutex;
        std::unique_lock lock{mutex};
        std::condition_variable_any{}.wait(lock, stop, [] { return false; });
    }};
    row<std::string>(gate, "granted, 1 000 strings", 1'000);
    row<std::string>(gate, "granted, 100 000 strings", 100'000);
    row<std::uint64_t>(gate, "granted, 1 000 integers", 1'000);
    row<std::uint64_t>(gate, "granted, 100 000 integers", 100'000);
    refused(gate);
    two_threads(gate);
    return gate.verdict();
}
