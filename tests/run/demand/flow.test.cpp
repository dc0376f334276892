// SPDX-License-Identifier: BSL-1.0
#include <hawser/run/demand/flow.hpp>

#include "run/demand/probe.hpp"
#include "support/catch.hpp"

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace demand = hawser::demand;
using support::diary;
using support::hand_publisher;
using support::probe;

namespace {

/// A source that writes down how it is called.
class noted_source {
public:
    using value_type = int;
    explicit noted_source(std::string& calls, bool fails = false) : calls_{&calls}, fails_{fails} {}

    void start(std::shared_ptr<demand::wakeable> const&) {
        *calls_ += "start ";
        if (fails_) throw std::runtime_error{"no start"};
    }
    bool ended() {
        *calls_ += "ended ";
        return sent_ == 2;
    }
    std::optional<int> next() {
        *calls_ += "next ";
        return ++sent_;
    }
    void close() noexcept { *calls_ += "close "; }

private:
    std::string* calls_;
    bool fails_;
    int sent_ = 0;
};

using noted_flow = demand::flow<noted_source, probe<int>>;

}  // namespace

TEST_CASE("flow: a source is started after on_subscribe, asked for what is wanted, closed once") {
    std::string calls;
    diary<int> told;
    told.on_subscribe = [&] { calls += "on_subscribe "; };
    noted_flow::begin(probe<int>{told}, calls);
    CHECK(calls == "on_subscribe start ended ");
    calls.clear();
    told.request(1);
    CHECK(calls == "ended next ended ");
    calls.clear();
    told.request(5);
    CHECK(calls == "ended next ended close ");
    told.handle.cancel();
    CHECK(calls == "ended next ended close ");
    CHECK(told.completed == 1);
}

TEST_CASE("flow: a source that cannot start is an error, after on_subscribe") {
    std::string calls;
    diary<int> told;
    noted_flow::begin(probe<int>{told}, calls, true);
    CHECK(told.subscribed == 1);
    CHECK(told.complaint() == "no start");
    CHECK(calls == "start close ");
    CHECK(told.kept_the_rules());
}

TEST_CASE("flow: a source whose subscriber cancels in on_subscribe is closed and never started") {
    std::string calls;
    diary<int> told;
    told.on_subscribe = [&] { told.handle.cancel(); };
    noted_flow::begin(probe<int>{told}, calls);
    CHECK(calls == "close ");
    CHECK(told.is_let_go());
}

TEST_CASE("flow: a source is closed before its subscriber hears of the end") {
    auto const how = GENERATE("complete", "fail", "misuse");
    hand_publisher<int> hand;
    struct listener {
        void on_subscribe(demand::subscription s) noexcept { *handle = s; }
        void on_next(int) {}
        void on_error(std::exception_ptr) noexcept { *closed = hand->is_closed(); }
        void on_complete() noexcept { *closed = hand->is_closed(); }
        hand_publisher<int>* hand;
        demand::subscription* handle;
        bool* closed;
    };
    demand::subscription handle;
    bool closed = false;
    hand.subscribe(listener{&hand, &handle, &closed});
    if (std::string{how} == "complete") hand.complete();
    if (std::string{how} == "fail") hand.fail(std::make_exception_ptr(1));
    if (std::string{how} == "misuse") handle.request(0);
    CHECK(closed);
}

TEST_CASE("flow: an item that comes is sent if one is asked for, and else waits") {
    hand_publisher<int> hand;
    diary<int> told;
    hand.subscribe(probe<int>{told});
    hand.bring(1);
    CHECK(told.items.empty());
    told.request(2);
    CHECK(told.items == std::vector<int>{1});
    hand.bring(2);
    hand.bring(3);
    CHECK(told.items == std::vector<int>{1, 2});
    told.handle.cancel();
}

TEST_CASE("flow: a subscriber destroyed by the end may hold the last subscription") {
    struct owner {
        void on_subscribe(demand::subscription s) noexcept {
            handle = std::move(s);
            handle.request(2);
        }
        void on_next(int) {
            if (cancels) handle.cancel();
            handle.request(1);
        }
        void on_error(std::exception_ptr) noexcept {}
        void on_complete() noexcept {}
        bool cancels;
        demand::subscription handle{};
    };
    hand_publisher<int> one, other;
    one.subscribe(owner{true});
    one.bring(1);
    CHECK(one.is_closed());
    other.subscribe(owner{false});
    other.bring(1);
    other.complete();
    CHECK(other.is_closed());
}

TEST_CASE("flow: an item in whose making the flow was cancelled is not sent") {
    class cancelling_source {
    public:
        using value_type = int;
        explicit cancelling_source(diary<int>& told) : told_{&told} {}
        bool ended() const { return false; }
        std::optional<int> next() {
            told_->handle.cancel();
            return 1;
        }
        void close() noexcept {}

    private:
        diary<int>* told_;
    };
    diary<int> told;
    demand::flow<cancelling_source, probe<int>>::begin(probe<int>{told}, told);
    told.request(1);
    CHECK(told.items.empty());
    CHECK(told.is_let_go());
}
