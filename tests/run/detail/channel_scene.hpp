// SPDX-License-Identifier: BSL-1.0
//
// A channel's core among fibers that send, receive, are stopped and close, and what must hold in
// whatever order they meet.
#ifndef HAWSER_TESTS_RUN_DETAIL_CHANNEL_SCENE_HPP
#define HAWSER_TESTS_RUN_DETAIL_CHANNEL_SCENE_HPP

#include <hawser/containers/mpmc_ring.hpp>
#include <hawser/containers/spsc_ring.hpp>
#include <hawser/run/detail/channel_core.hpp>
#include <hawser/run/detail/channel_news.hpp>
#include <hawser/run/detail/parked_end.hpp>

#include "support/interleave.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

namespace channel_tests {

using hawser::parking_spot;
using hawser::transfer;
using hawser::wake_reason;
using hawser::detail::passage;
using sync = support::interleaved;

/// A number that is in one place at a time; zero where it has been taken from.
struct value {
    int id = 0;
    explicit value(int n) noexcept : id{n} {}
    value(value&& other) noexcept : id{std::exchange(other.id, 0)} {}
    value& operator=(value&&) = delete;
};

/// Fibers are one thread: what they do is in one order, and no fence is needed.
struct no_fence {
    void light() const noexcept {}
    void heavy() const noexcept {}
};
// Said before this is included, it is the ring for one at each end.
#ifdef HAWSER_TESTS_ONE_AT_EACH_END
using ring_type = hawser::spsc_ring<value, sync, no_fence>;
#else
using ring_type = hawser::mpmc_ring<value, sync>;
#endif
using core_type = hawser::detail::channel_core<value, ring_type, sync>;
using node_type = core_type::node_type;

/// What a canceller raises, and a waiting fiber sees.
class flag {
public:
    void raise(support::run& run) {
        run.point();
        run.writes(object_);
        up_ = true;
    }
    [[nodiscard]] bool is_up() const { return up_; }

private:
    bool up_ = false;
    support::run::object object_;
};

/// Parks a fiber. Nobody listens.
struct fiber_environment {
    support::run* run;
    flag const* stop;
    parking_spot** at;

    [[nodiscard]] static hawser::time_point now() noexcept { return {}; }
    [[nodiscard]] hawser::null_sink& sink() const noexcept {
        static hawser::null_sink nobody;
        return nobody;
    }
    wake_reason park(parking_spot& spot, hawser::time_point, std::stop_token const&) const {
        *at = &spot;
        run->wait_until([&] { return spot.is_woken() || (stop != nullptr && stop->is_up()); });
        run->sees(spot.is_woken() ? 1 : 2);
        return spot.is_woken() ? wake_reason::woken : wake_reason::stopped;
    }
};
using news_type = hawser::detail::channel_news<fiber_environment>;

/// The core as one operation of a thread sees it: with a point before bells are rung, and one look
/// before it queues; and where it would block for its bell, the fiber does.
struct core_of_one {
    core_type& core;
    support::run& run;
    parking_spot* spot = nullptr;
    bool looked = false;

    using node_type = core_type::node_type;
    static constexpr bool at_once = true;
    struct sync_type {
        static void pause() {}
    };

    bool send_at_once(value& v) { return !std::exchange(looked, true) && core.send_at_once(v); }
    bool receive_at_once(std::optional<value>& into) {
        return !std::exchange(looked, true) && core.receive_at_once(into);
    }
    auto send_by_lock(value& v, node_type* node) { return told(core.send_by_lock(v, node)); }
    auto receive_by_lock(std::optional<value>& into, node_type* node) {
        return told(core.receive_by_lock(into, node));
    }
    auto withdraw_sender(node_type& node) { return taken_out(core.withdraw_sender(node)); }
    auto withdraw_receiver(node_type& node) { return taken_out(core.withdraw_receiver(node)); }

private:
    core_type::answer told(core_type::answer answer) {
        if (!answer.to_wake.empty()) run.point();
        return answer;
    }
    hawser::detail::withdrawn taken_out(hawser::detail::withdrawn out) {
        if (!out.to_wake.empty()) run.point();
        out.to_wake.ring_all();
        if (out.bell_will_ring) run.wait_until([this] { return spot->is_woken(); });
        return out;
    }
};

/// A waiting receiver of the kind that is told by a message: it looks when it comes to it, and is
/// queued without being given anything.
struct told_receiver final : node_type {
    told_receiver() : node_type{&ring} {}
    static void ring(hawser::waiter& node) noexcept {
        static_cast<told_receiver&>(static_cast<node_type&>(node)).rung = true;
    }
    bool rung = false;
};

class scene {
public:
    scene(support::run& run, std::size_t capacity, std::size_t waiters = 8)
        : run_{run}, core_{capacity, waiters} {}

    /// Sends so many values, whose numbers tell whose they are and their order.
    void sender(int who, int count, flag const* stop = nullptr) {
        run_.fiber([=, this] {
            for (int n = 1; n <= count; ++n)
                if (!is_on(send(10 * who + n, stop))) return;
        });
    }
    void trying_sender(int who) {
        run_.fiber([=, this] {
            value v{10 * who + 1};
            auto& way = begin(v.id);
            auto const sent = core_.send_at_once(v) ||
                              bells(core_.send_by_lock(v, nullptr)).result == passage::done;
            end(way, v, sent);
        });
    }
    /// Receives so many values.
    void receiver(int count, flag const* stop = nullptr) {
        run_.fiber([=, this] {
            for (int n = 0; n != count; ++n)
                if (!is_on(receive(stop))) return;
        });
    }
    void trying_receiver() {
        run_.fiber([this] {
            std::optional<value> got;
            auto const from = ++time_;
            auto what = passage::done;
            if (!core_.receive_at_once(got))
                what = bells(core_.receive_by_lock(got, nullptr)).result;
            arrive(got, from, what == passage::closed);
        });
    }
    void told_by_message(int count, flag const* stop = nullptr) {
        run_.fiber([=, this] {
            for (int n = 0; n != count; ++n)
                if (!receive_by_message(stop)) return;
        });
    }
    void canceller(flag& what) {
        run_.fiber([this, &what] { what.raise(run_); });
    }
    void closer() {
        run_.fiber([this] { close(); });
    }

    /// Runs it, and checks.
    void play() {
        run_.at_rest([this] {
            check_rest();
            if (auto const w = core_.waiting_now(); w.senders + w.receivers != 0) close();
        });
        run_.go();
        check_end();
    }

    bool crowded = false;

private:
    /// The way of a value.
    struct passing {
        int id = 0, sent_from = 0, sent_to = 0, received_from = 0, received_to = 0;
    };
    static bool is_on(transfer what) { return what == transfer::done; }

    transfer send(int id, flag const* stop) {
        value v{id};
        auto& way = begin(id);
        core_of_one one{core_, run_};
        news_type const news{fiber_environment{&run_, stop, &one.spot}, "channel"};
        auto const after_close = closed_at_ != 0;
        auto const what = core_.send_at_once(v)
                              ? transfer::done
                              : parked::send(one, news, v, hawser::no_deadline, {});
        end(way, v, what == transfer::done);
        run_.check(!after_close || what == transfer::closed, "sent into a closed channel");
        crowded |= what == transfer::crowded;
        return what;
    }
    transfer receive(flag const* stop) {
        core_of_one one{core_, run_};
        news_type const news{fiber_environment{&run_, stop, &one.spot}, "channel"};
        std::optional<value> got;
        auto const from = ++time_;
        auto const what = core_.receive_at_once(got)
                              ? transfer::done
                              : parked::receive(one, news, got, hawser::no_deadline, {});
        run_.check(got.has_value() == (what == transfer::done), "an answer that is not true");
        arrive(got, from, what == transfer::closed);
        crowded |= what == transfer::crowded;
        return what;
    }
    bool receive_by_message(flag const* stop) {
        told_receiver node;
        std::optional<value> got;
        auto const from = ++time_;
        for (;;) {
            auto const said = bells(core_.await_value(node)).result;
            if (said == passage::waits) {
                run_.wait_until([&] { return node.rung || (stop != nullptr && stop->is_up()); });
                run_.sees(node.rung ? 1 : 2);
                if (!node.rung) pass_on(node);
            }
            if (stop != nullptr && stop->is_up()) {
                if (node.rung) pass_on(node);
                if (node.given) got.emplace(*std::move(node.given));
                arrive(got, from, false);
                return got.has_value();
            }
            if (node.given) got.emplace(*std::move(node.given));
            if (!got && !core_.receive_at_once(got)) {
                auto const what = bells(core_.receive_by_lock(got, nullptr)).result;
                if (what == passage::closed) arrive(got, from, true);
                if (what == passage::closed) return false;
            }
            if (got) {
                arrive(got, from, false);
                return true;
            }
            node.granted = node.rung = false;
        }
    }
    void pass_on(told_receiver& node) {
        auto out = core_.withdraw_receiver(node);
        if (!out.to_wake.empty()) run_.point();
        out.to_wake.ring_all();
        if (out.bell_will_ring) run_.wait_until([&] { return node.rung; });
    }
    core_type::answer bells(core_type::answer answer) {
        if (!answer.to_wake.empty()) run_.point();
        answer.to_wake.ring_all();
        return answer;
    }
    void close() {
        {
            auto bells = core_.close();
            run_.point();
            bells.to_wake.ring_all();
        }
        closed_at_ = ++time_;
    }

    passing& begin(int id) { return ways_.emplace_back(passing{.id = id, .sent_from = ++time_}); }
    void end(passing& way, value const& v, bool sent) {
        run_.check(v.id == (sent ? 0 : way.id), "moved from, or not, against the answer");
        if (sent) way.sent_to = ++time_;
    }
    void arrive(std::optional<value> const& got, int from, bool closed) {
        ++time_;
        if (closed && nothing_left_at_ == 0) nothing_left_at_ = time_;
        if (!got) return;
        auto const way = std::find_if(ways_.begin(), ways_.end(),
                                      [&](passing const& w) { return w.id == got->id; });
        run_.check(way != ways_.end(), "received what was not sent");
        if (way == ways_.end()) return;
        run_.check(way->received_to == 0, "received twice");
        way->received_from = from, way->received_to = time_;
        run_.check(nothing_left_at_ == 0 || from < nothing_left_at_,
                   "a value was left when a receiver heard that none is");
    }

    /// Nobody can go on.
    void check_rest() {
        auto const waiting = core_.waiting_now();
        run_.check(waiting.receivers == 0 || (core_.size() == 0 && waiting.senders == 0),
                   "a receiver waits while a value is there");
        run_.check(waiting.senders == 0 || core_.size() == core_.capacity(),
                   "a sender waits while there is room");
    }
    void check_end() {
        auto const waiting = core_.waiting_now();
        run_.check(waiting.senders == 0 && waiting.receivers == 0, "a node stays queued");
        if (closed_at_ == 0 && core_.capacity() != 0) check_gates();
        for (std::optional<value> got;; got.reset()) {
            auto const from = ++time_;
            if (core_.receive_by_lock(got, nullptr).result != passage::done) break;
            arrive(got, from, false);
        }
        for (auto const& a : ways_) {
            run_.check((a.sent_to != 0) == (a.received_to != 0),
                       "sent and not received, or not sent");
            for (auto const& b : ways_)
                run_.check(!(a.sent_to != 0 && a.sent_to < b.sent_from && b.received_to != 0 &&
                             b.received_to < a.received_from),
                           "overtaken");
        }
    }
    /// While nobody waits, nobody takes the lock.
    void check_gates() {
        std::optional<value> got;
        if (core_.receive_at_once(got)) {
            arrive(got, ++time_, false);
        } else {
            run_.check(core_.size() == 0, "the gate of the receivers stays up");
        }
        value v{99};
        auto& way = begin(v.id);
        auto const sent = core_.send_at_once(v);
        end(way, v, sent);
        run_.check(sent, "the gate of the senders stays up");
    }

    using parked = hawser::detail::parked_end<value, fiber_environment>;

    support::run& run_;
    core_type core_;
    std::deque<passing> ways_;
    int time_ = 0, closed_at_ = 0, nothing_left_at_ = 0;
};

}  // namespace channel_tests

#endif  // HAWSER_TESTS_RUN_DETAIL_CHANNEL_SCENE_HPP
