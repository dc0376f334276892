// SPDX-License-Identifier: BSL-1.0
//
// What becomes of a pool and of its calls where memory runs out: at the first allocation that their
// thread makes, at the second, and so on.
#include <hawser/adapt/asio/isolated.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"

#include <boost/asio/io_context.hpp>

#include <atomic>
#include <cstdint>
#include <exception>
#include <new>
#include <optional>
#include <utility>

namespace asio = boost::asio;
using hawser::borrow;
using hawser::isolated;
using hawser::isolation_pool;

namespace {

struct life {
    std::atomic<int> alive{0};
    std::atomic<int> runs{0};
};

/// An operation that counts how many of it there are, and its runs.
class counted {
public:
    explicit counted(life& of) noexcept : of_{&of} { ++of.alive; }
    counted(counted const& other) noexcept : of_{other.of_} { ++of_->alive; }
    ~counted() { --of_->alive; }
    int operator()() const { return ++of_->runs; }

private:
    life* of_;
};

/// Calls `act` with memory that runs out at the first allocation, then at the second, until it does
/// not any more; how often it did. `look(ran_out, threw)` follows each.
template <class Act, class Look>
int with_less_memory(Act&& act, Look&& look) {
    for (std::uint64_t at = 1;; ++at) {
        auto threw = false;
        support::allocation_to_fail = at;
        try {
            act();
        } catch (std::bad_alloc const&) {
            threw = true;
        }
        auto const ran_out = std::exchange(support::allocation_to_fail, 0) == 0;
        look(ran_out, threw);
        if (!ran_out) return static_cast<int>(at) - 1;
    }
}

}  // namespace

TEST_CASE("isolation_pool: that cannot have all its threads says so, and leaves none behind") {
    auto const allocations =
        with_less_memory([] { isolation_pool const pool{{.threads = 3}}; },
                         [](bool ran_out, bool threw) { CHECK(threw == ran_out); });
    CHECK(allocations > 3);  // Each thread takes some.
}

TEST_CASE("isolated: a call for which there is no memory ends with that, and is not run") {
    life of;
    isolation_pool pool{{.threads = 1}};
    auto const line = hawser::compose(isolated{borrow(pool)});
    {
        counted const op{of};
        std::optional<hawser::outcome<int>> out;
        auto runs = 0;
        auto const allocations =
            with_less_memory([&] { out.emplace(hawser::try_execute(line, op)); },
                             [&](bool ran_out, bool threw) {
                                 CHECK_FALSE(threw);
                                 CHECK(out->has_value() == !ran_out);
                                 CHECK((out->exception() != nullptr) == ran_out);
                                 runs += out->has_value() ? 1 : 0;
                             });
        CHECK(allocations > 0);
        CHECK(of.runs == runs);
    }
    CHECK(of.alive == 0);
}

TEST_CASE("isolated: an asynchronous call for which there is no memory ends once, and is not run") {
    life of;
    isolation_pool pool{{.threads = 1}};
    auto const line = hawser::compose(isolated{borrow(pool)});
    std::optional<asio::io_context> io;
    auto completed = 0, values = 0;
    auto const begin = [&] {
        hawser::async_try_execute(line, io->get_executor(), counted{of},
                                  [&](hawser::outcome<int> out) {
                                      ++completed;
                                      values += out.has_value() ? 1 : 0;
                                  });
    };
    io.emplace();
    auto const allocations = with_less_memory(begin, [&](bool ran_out, bool threw) {
        io->run();
        CHECK(completed == (threw ? 0 : 1));
        CHECK(values == (ran_out ? 0 : 1));
        completed = values = 0;
        io.emplace();
    });
    CHECK(allocations > 0);
    CHECK(of.runs == 1);
    CHECK(of.alive == 0);
}
