// SPDX-License-Identifier: BSL-1.0
//
// Whatever happens to many calls at random, no permit is lost and none is made.
#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/base/random.hpp>
#include <hawser/policy/retry.hpp>
#include <hawser/policy/timeout.hpp>
#include <hawser/testing/asio_time.hpp>

#include "support/asio_calls.hpp"
#include "support/catch.hpp"
#include "support/test_bulkhead.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <deque>
#include <optional>
#include <stop_token>

using namespace std::chrono_literals;
using namespace support;

static auto make_line(hawser::testing::asio_time& time, test_bulkhead& bulkhead,
                      reserving_gate& gate) {
    return hawser::compose_in(time.environment(), hawser::total_timeout{300ms},
                              hawser::borrow(gate),
                              hawser::retry{{.max_attempts = 3},
                                            hawser::backoff::constant{.delay = 20ms},
                                            hawser::jitter::none{},
                                            hawser::no_budget{}},
                              hawser::borrow(bulkhead), hawser::attempt_timeout{50ms});
}

/// A crowd of calls on one context, and the things that can happen to them.
class crowd {
public:
    explicit crowd(std::uint64_t seed) : seed_{seed} {}

    void step() {
        switch (random(9)) {
            case 0:
            case 1: call(); break;
            case 2:
                if (remote_.waiting() > 0) remote_.succeed(1);
                break;
            case 3:
                if (remote_.waiting() > 0) remote_.fail();
                break;
            case 4:
                if (remote_.waiting() > 0) remote_.drop();
                break;
            case 5: time_.advance(std::chrono::milliseconds{random(40)}); break;
            case 6:
                if (!callers_.empty()) callers_[random(callers_.size())].signal.emit(some_type());
                break;
            case 7:
                if (!callers_.empty()) callers_[random(callers_.size())].stop.request_stop();
                break;
            default: time_.poll();
        }
    }
    /// Ends every call, or destroys those that wait with their context.
    void end() {
        drop_all();
        if (random(2) == 0)
            for (time_.run(); remote_.waiting() > 0; time_.run()) drop_all();
        io_.reset();
        for (auto& by : callers_) {
            CHECK(by.got.completed + by.got.dropped == 1);
            by.stop.request_stop();  // Reaches nothing.
        }
    }
    [[nodiscard]] bool balances() const { return bulkhead_.balances() && gate_.balances(); }
    [[nodiscard]] bool is_whole() const { return bulkhead_.is_whole() && gate_.is_whole(); }

private:
    struct caller {
        receipt got;
        asio::cancellation_signal signal;
        std::stop_source stop;
    };

    std::size_t random(std::size_t below) {
        return static_cast<std::size_t>(hawser::random_at(seed_, drawn_++) % below);
    }
    asio::cancellation_type some_type() {
        return random(2) == 0 ? asio::cancellation_type::terminal : asio::cancellation_type::total;
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
    test_bulkhead bulkhead_{2, 5, 60ms};
    reserving_gate gate_{20, 5ms};
    std::deque<caller> callers_;
    std::optional<asio::io_context> io_{std::in_place};
    hawser::testing::asio_time time_{*io_};
    decltype(make_line(time_, bulkhead_, gate_)) line_ = make_line(time_, bulkhead_, gate_);
    dependency remote_{io_->get_executor()};
};

TEST_CASE("async_execute: permits are conserved whatever happens to the calls that hold them") {
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
