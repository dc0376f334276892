// SPDX-License-Identifier: BSL-1.0
//
// Whatever happens to many calls at random, limits lose nothing and let no more in than they may.
#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/base/random.hpp>
#include <hawser/hawser.hpp>
#include <hawser/limit/aimd.hpp>
#include <hawser/testing/asio_time.hpp>

#include "support/asio_calls.hpp"
#include "support/catch.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <stop_token>

using namespace std::chrono_literals;
using namespace support;
using hawser::borrow;

namespace {

using learning =
    hawser::concurrency_limit<hawser::limits::aimd, hawser::wait_up_to, hawser::places>;
using parting = hawser::bulkhead<hawser::semaphore, hawser::wait_up_to>;
using rating = hawser::rate_limit<hawser::token_bucket, hawser::wait_up_to>;

auto make_line(hawser::testing::asio_time& time, rating& rated, learning& learned,
               parting& parted) {
    return hawser::compose_in(time.environment(), hawser::total_timeout{300ms},
                              hawser::retry{{.max_attempts = 3},
                                            hawser::backoff::constant{.delay = 20ms},
                                            hawser::jitter::none{},
                                            hawser::no_budget{}},
                              borrow(rated), borrow(learned), borrow(parted),
                              hawser::attempt_timeout{50ms});
}

/// A crowd of calls on one context, and the things that can happen to them.
class crowd {
public:
    explicit crowd(std::uint64_t seed) : seed_{seed} {}

    void step() {
        switch (random(10)) {
            case 0:
            case 1:
            case 2: call(); break;
            case 3:
                if (remote_.waiting() > 0) remote_.succeed(1);
                break;
            case 4:
                if (remote_.waiting() > 0) remote_.fail();
                break;
            case 5:
                if (remote_.waiting() > 0) remote_.drop();
                break;
            case 6: time_.advance(std::chrono::milliseconds{random(40)}); break;
            case 7:
                if (!callers_.empty())
                    callers_[random(callers_.size())].signal.emit(
                        asio::cancellation_type::terminal);
                break;
            case 8:
                if (!callers_.empty()) callers_[random(callers_.size())].stop.request_stop();
                break;
            default:
                parted_.resize(1 + static_cast<std::uint32_t>(random(4)), time_.now());
                time_.poll();
        }
    }
    /// Ends every call, or destroys those that wait with their context.
    void end() {
        drop_all();
        if (random(2) == 0)
            for (time_.run(); remote_.waiting() > 0; time_.run()) drop_all();
        io_.reset();
        for (auto& by : callers_) CHECK(by.got.completed + by.got.dropped == 1);
    }
    [[nodiscard]] bool balances() const {
        auto const in = parted_now(), out = learned_now();
        // Who is in the bulkhead is in the limit further out; and nobody is in two times.
        return balances(in) && balances(out) && in.held <= out.held && remote_.waiting() <= in.held;
    }
    [[nodiscard]] bool is_whole() const {
        return is_whole(parted_now()) && is_whole(learned_now());
    }

private:
    struct caller {
        receipt got;
        asio::cancellation_signal signal;
        std::stop_source stop;
    };
    using snapshot = hawser::semaphore_snapshot;

    static bool balances(snapshot const& now) {
        return now.free + now.held + now.on_the_way == now.capacity;
    }
    static bool is_whole(snapshot const& now) {
        return now.free == now.capacity && now.held == 0 && now.on_the_way == 0 && now.waiting == 0;
    }
    snapshot parted_now() const { return const_cast<parting&>(parted_).permits().snapshot(); }
    snapshot learned_now() const { return const_cast<learning&>(learned_).permits().snapshot(); }

    std::size_t random(std::size_t below) {
        return static_cast<std::size_t>(hawser::random_at(seed_, drawn_++) % below);
    }
    void drop_all() {
        while (remote_.waiting() > 0) remote_.drop();
    }
    void call() {
        auto& by = callers_.emplace_back();
        remote_.next = static_cast<dependency::manner>(random(4));
        hawser::async_execute(line_, io_->get_executor(), {.stop = by.stop.get_token()},
                              request{&remote_},
                              to_receipt{by.got, io_->get_executor(), by.signal.slot()});
    }

    std::uint64_t seed_;
    std::uint64_t drawn_ = 0;
    rating rated_{{.rate = 200, .burst = 5}, hawser::wait_up_to{100ms}};
    learning learned_{
        {.initial = 3, .floor = 1, .ceiling = 6}, hawser::wait_up_to{60ms}, hawser::places{4}};
    parting parted_{{.permits = 2, .places = 2}, hawser::wait_up_to{40ms}};
    std::deque<caller> callers_;
    std::optional<asio::io_context> io_{std::in_place};
    hawser::testing::asio_time time_{*io_};
    decltype(make_line(time_, rated_, learned_, parted_)) line_ =
        make_line(time_, rated_, learned_, parted_);
    dependency remote_{io_->get_executor()};
};

}  // namespace

TEST_CASE("async_execute: limits lose no permit whatever happens to the calls that wait or run") {
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        INFO("seed " << seed);
        crowd calls{seed};
        for (int i = 0; i < 200; ++i) {
            calls.step();
            REQUIRE(calls.balances());
        }
        calls.end();
        REQUIRE(calls.is_whole());
    }
}
