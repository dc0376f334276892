// SPDX-License-Identifier: BSL-1.0
//
// Exact totals: every call is run once or never, and has one end; every result is destroyed once.
#include <hawser/adapt/asio/isolated.hpp>

#include "support/catch.hpp"
#include "support/isolation.hpp"
#include "support/threads.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <array>
#include <atomic>
#include <optional>
#include <stop_token>
#include <thread>

using namespace std::chrono_literals;
namespace asio = boost::asio;
using hawser::borrow;
using hawser::errc;
using hawser::isolated;
using hawser::isolation_pool;
using support::entry;
using support::ledger;

namespace {

struct totals {
    std::atomic<int> runs{0};
    std::atomic<int> values{0};
    std::array<std::atomic<int>, 16> refusals{};
    std::atomic<int> others{0};

    void count(hawser::outcome<entry> const& out) {
        if (out.has_value())
            ++values;
        else if (out.why() != nullptr)
            ++refusals[static_cast<std::size_t>(out.code())];
        else
            ++others;
    }
    int of(errc code) const { return refusals[static_cast<std::size_t>(code)]; }
    int all() const {
        auto sum = values + others;
        for (auto const& count : refusals) sum += count;
        return sum;
    }
};

/// How many there are, of those that were moved from too.
struct shells {
    std::atomic<int> alive{0};
};
class shell {
public:
    explicit shell(shells& of) noexcept : of_{&of} { ++of.alive; }
    shell(shell&& other) noexcept : of_{other.of_} { ++of_->alive; }
    shell& operator=(shell&&) = delete;
    ~shell() { --of_->alive; }

private:
    shells* of_;
};

struct counted {
    ledger* results;
    totals* to;

    entry operator()() const {
        ++to->runs;
        return entry{*results};
    }
};

}  // namespace

TEST_CASE("isolated: no call is lost or run twice while the pool is stopped") {
    constexpr int each = 400;
    ledger results;
    totals sum;
    for (int round = 0; round != 20; ++round) {
        std::atomic<int> begun{0};
        isolation_pool pool{{.threads = 2, .places = 2}};
        auto const line = hawser::compose(isolated{borrow(pool)});
        support::on_threads(4, [&](int thread) {
            if (thread == 3) {
                support::await(begun, 100);
                return pool.stop();
            }
            for (int call = 0; call != each; ++call) {
                ++begun;
                begun.notify_all();
                sum.count(hawser::try_execute(line, counted{&results, &sum}));
            }
        });
        auto const left = pool.snapshot();
        CHECK((left.running == 0 && left.waiting == 0 && left.behind == 0));
    }
    CHECK(sum.all() == 20 * 3 * each);
    CHECK(sum.values == sum.runs);
    CHECK(sum.values + sum.of(errc::closed) + sum.of(errc::bulkhead_full) == sum.all());
    CHECK(sum.of(errc::closed) > 0);
    CHECK(results.destroyed == results.made);
}

TEST_CASE("isolated: a result and the caller's leave race, and one of them wins") {
    constexpr int each = 2'000;
    ledger results;
    totals sum;
    {
        isolation_pool pool{{.threads = 2, .places = 64}};
        auto const line = hawser::compose(isolated{borrow(pool)});
        support::on_threads(4, [&](int thread) {
            auto const now = [] { return hawser::steady_clock_source{}.now(); };
            for (int call = 0; call != each; ++call) {
                auto const limit = std::chrono::microseconds{5 * (1 + (call + thread) % 10)};
                sum.count(hawser::try_execute(line, {.deadline = now() + limit},
                                              counted{&results, &sum}));
            }
        });
        pool.stop();
        CHECK(pool.snapshot().behind == 0);
    }
    CHECK(sum.all() == 4 * each);
    CHECK(sum.values + sum.of(errc::timed_out) == sum.all());
    CHECK(sum.values <= sum.runs);
    CHECK(results.made == sum.runs);
    CHECK(results.destroyed == results.made);
}

TEST_CASE("isolated: who has the result of a call finds its place free") {
    constexpr int each = 1'000;
    auto refused = 0;
    isolation_pool pool{{.threads = 1, .places = 0}};
    auto const line = hawser::compose(isolated{borrow(pool)});
    asio::io_context io;
    for (int call = 0; call != each; ++call) {
        refused += hawser::try_execute(line, [] {}).has_value() ? 0 : 1;
        hawser::async_try_execute(
            line, io.get_executor(), [] {},
            [&](hawser::outcome<void> out) { refused += out.has_value() ? 0 : 1; });
        io.restart();
        io.run();
    }
    CHECK(refused == 0);
}

TEST_CASE("isolated: of a result that was awaited nothing is left on the pool's threads") {
    constexpr int each = 2'000;
    shells of;
    auto left = 0;
    isolation_pool pool{{.threads = 1, .places = 1}};
    auto const line = hawser::compose(isolated{borrow(pool)});
    asio::io_context io;
    for (int call = 0; call != each; ++call) {
        (void)hawser::try_execute(line, [at = &of] { return shell{*at}; });
        left += of.alive;
        hawser::async_try_execute(
            line, io.get_executor(), [at = &of] { return shell{*at}; },
            [](hawser::outcome<shell>) {});
        io.restart();
        io.run();
        left += of.alive;
    }
    CHECK(left == 0);
}

TEST_CASE("isolated: a stop from another thread races with the result") {
    constexpr int each = 1'000;
    ledger results;
    totals sum;
    {
        isolation_pool pool{{.threads = 2, .places = 64}};
        auto const line = hawser::compose(isolated{borrow(pool)});
        for (int call = 0; call != each; ++call) {
            std::stop_source patience;
            std::jthread const stopper{[&] { patience.request_stop(); }};
            sum.count(
                hawser::try_execute(line, {.stop = patience.get_token()}, counted{&results, &sum}));
        }
    }
    CHECK(sum.all() == each);
    CHECK(sum.values + sum.of(errc::cancelled) == each);
    CHECK(results.destroyed == results.made);
    CHECK(results.made == sum.runs);
}

TEST_CASE("isolated: asynchronous calls, cancelled or in time, each end once") {
    constexpr int each = 4'000;
    ledger results;
    totals sum;
    {
        isolation_pool pool{{.threads = 2, .places = 4}};
        auto const line = hawser::compose(isolated{borrow(pool)});
        support::on_threads(4, [&](int) {
            asio::io_context io;
            asio::cancellation_signal signal;
            for (int call = 0; call != each; ++call) {
                hawser::async_try_execute(
                    line, io.get_executor(), counted{&results, &sum},
                    asio::bind_cancellation_slot(
                        signal.slot(), [&](hawser::outcome<entry> out) { sum.count(out); }));
                if (call % 3 != 0) signal.emit(asio::cancellation_type::terminal);
                io.restart();
                io.run();
            }
        });
    }
    INFO(sum.values << ' ' << sum.of(errc::cancelled) << ' ' << sum.of(errc::bulkhead_full));
    CHECK(sum.all() == 4 * each);
    CHECK(sum.values + sum.of(errc::cancelled) + sum.of(errc::bulkhead_full) == sum.all());
    CHECK(sum.of(errc::cancelled) > 0);
    CHECK(sum.values > 0);
    CHECK(results.made == sum.runs);
    CHECK(results.destroyed == results.made);
}

TEST_CASE("isolated: asynchronous calls started on other threads, with deadlines, each end once") {
    constexpr int each = 2'000;
    ledger results;
    totals sum;
    {
        isolation_pool pool{{.threads = 2, .places = 16}};
        auto const line = hawser::compose(isolated{borrow(pool)});
        asio::io_context io;
        auto work = asio::make_work_guard(io);
        support::on_threads(4, [&](int thread) {
            if (thread == 3) {
                while (sum.all() < 3 * each) io.run_one();
                return;
            }
            for (int call = 0; call != each; ++call) {
                auto const limit = std::chrono::microseconds{20 * (1 + (call + thread) % 10)};
                hawser::async_try_execute(line, io.get_executor(),
                                          {.deadline = hawser::steady_clock_source{}.now() + limit},
                                          counted{&results, &sum},
                                          [&](hawser::outcome<entry> out) { sum.count(out); });
                if (call % 16 == 0) std::this_thread::yield();
            }
        });
    }
    INFO(sum.values << ' ' << sum.of(errc::timed_out) << ' ' << sum.of(errc::bulkhead_full));
    CHECK(sum.all() == 3 * each);
    CHECK(sum.values + sum.of(errc::timed_out) + sum.of(errc::bulkhead_full) == sum.all());
    CHECK(results.made == sum.runs);
    CHECK(results.destroyed == results.made);
}

TEST_CASE("isolated: contexts are destroyed while results are on their way to them") {
    constexpr int each = 2'000;
    ledger results;
    totals sum;
    {
        isolation_pool pool{{.threads = 2, .places = 64}};
        auto const line = hawser::compose(isolated{borrow(pool)});
        support::on_threads(4, [&](int thread) {
            for (int round = 0; round != each; ++round) {
                asio::io_context io;
                for (int call = 0; call != 3; ++call)
                    hawser::async_try_execute(line, io.get_executor(), counted{&results, &sum},
                                              [&](hawser::outcome<entry> out) { sum.count(out); });
                if ((round + thread) % 2 == 0) io.poll();
            }
        });
    }
    CHECK(sum.all() <= 4 * each * 3);
    CHECK(results.made == sum.runs);
    CHECK(results.destroyed == results.made);
}
