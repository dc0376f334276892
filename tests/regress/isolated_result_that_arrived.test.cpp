// SPDX-License-Identifier: BSL-1.0
//
// A result that has arrived, and whose caller goes without it, is destroyed as the caller goes, and
// not on the thread that is the last to hold the call: that one may be about to come out of the
// pool's own `stop`, or past it.
#include <hawser/adapt/asio/isolated.hpp>
#include <hawser/hawser.hpp>

#include "support/catch.hpp"
#include "support/isolation.hpp"
#include "support/stage.hpp"
#include "support/unwound.hpp"

#include <boost/asio/io_context.hpp>

#include <atomic>
#include <optional>
#include <stop_token>
#include <thread>

namespace asio = boost::asio;
using support::entry;
using support::holding;
using support::ledger;

namespace {

/// Runs when somebody asks an operation to stop, and holds whoever asks.
class stop_listener {
public:
    void listen(std::stop_token const& stop) { listener_.emplace(stop, on_stop{this}); }
    void await_asked() const { support::await(asked_, 1); }
    void answer() {
        answered_ = 1;
        answered_.notify_all();
    }

private:
    struct on_stop {
        stop_listener* self;
        void operator()() const {
            self->asked_ = 1;
            self->asked_.notify_all();
            self->answered_.wait(0);
        }
    };

    std::atomic<int> asked_{0};
    std::atomic<int> answered_{0};
    std::optional<std::stop_callback<on_stop>> listener_;
};

struct stand {
    support::stage scene;
    holding held;
    ledger results;
    stop_listener listener;
    hawser::isolation_pool pool{{.threads = 1, .places = 1}};
    std::jthread drains;

    ~stand() {
        held.let_all_go();
        listener.answer();
    }
    auto line() {
        return hawser::compose_in(scene.environment(), hawser::isolated{hawser::borrow(pool)});
    }
    /// Stays until it is let go, and listens.
    auto op() {
        return [this](auto& call) {
            listener.listen(call.stop_token());
            held.stay();
            return entry{results};
        };
    }
    /// Blocks until the operation has ended, while another thread still has the call in its hands.
    void end_while_held() {
        held.await_started(1);
        drains = std::jthread{[this] { (void)pool.drain({}); }};
        listener.await_asked();
        held.let_go();
        support::await_idle(pool);
        CHECK((results.made == 1 && results.destroyed == 0));
    }
};

}  // namespace

TEST_CASE("isolated: a result that has arrived goes with its caller's thread") {
    stand on;
    on.scene.on_wait = [&] {
        on.end_while_held();
        support::unwind_here();
    };
    CHECK(support::unwound([&] { (void)hawser::try_execute(on.line(), on.op()); }));
    CHECK(on.results.destroyed == 1);
}

TEST_CASE("isolated: a result that has arrived goes with its caller's context") {
    stand on;
    auto const line = hawser::compose(hawser::isolated{hawser::borrow(on.pool)});
    int completed = 0;
    std::optional<asio::io_context> io{std::in_place};
    hawser::async_try_execute(line, io->get_executor(), on.op(),
                              [&](hawser::outcome<entry>) { ++completed; });
    on.end_while_held();
    io.reset();
    CHECK(completed == 0);
    CHECK(on.results.destroyed == 1);
}
