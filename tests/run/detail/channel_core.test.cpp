// SPDX-License-Identifier: BSL-1.0
//
// The core of the channel on one thread: what it decides, one event after the other, and every
// order of a set of events beside a plain model. What threads do to it: the schedules.
#include <hawser/run/detail/channel_core.hpp>

#include "support/catch.hpp"
#include "support/schedules.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using hawser::mpmc_ring;
using hawser::detail::passage;

namespace {

using core_type = hawser::detail::channel_core<int, mpmc_ring<int>>;
using node_type = core_type::node_type;

/// A waiter that counts its bells.
struct end final : node_type {
    end() : node_type{&ring} {}
    static void ring(hawser::waiter& node) noexcept {
        ++static_cast<end&>(static_cast<node_type&>(node)).bells;
    }
    int bells = 0;
};

passage send(core_type& core, int& value, end* node = nullptr) {
    return core.send_by_lock(value, node).result;
}
passage send(core_type& core, int&& value) { return send(core, value); }

struct got {
    passage result;
    std::optional<int> value;
};
got receive(core_type& core, end* node = nullptr) {
    got answer{passage::none, {}};
    answer.result = core.receive_by_lock(answer.value, node).result;
    return answer;
}

}  // namespace

TEST_CASE("channel_core: nobody takes the lock while nobody waits") {
    core_type core{2, 8};
    std::optional<int> into;
    int one = 1, two = 2, three = 3;
    CHECK(core.send_at_once(one));
    CHECK(core.send_at_once(two));
    CHECK_FALSE(core.send_at_once(three));
    CHECK(core.receive_at_once(into));
    CHECK(into == 1);
    CHECK(core.size() == 1);
    CHECK(core.capacity() == 2);
}

TEST_CASE("channel_core: a sender that waits is served by who makes room, in order") {
    core_type core{1, 8};
    end a, b;
    int one = 1, two = 2, three = 3;
    CHECK(send(core, 0) == passage::done);
    CHECK(send(core, one, &a) == passage::waits);
    CHECK(send(core, two, &b) == passage::waits);
    CHECK(send(core, three) == passage::none);
    CHECK_FALSE(core.send_at_once(three));

    CHECK(receive(core).value == 0);
    CHECK(a.bells == 1);
    CHECK(b.bells == 0);
    CHECK(receive(core).value == 1);
    CHECK(b.bells == 1);
    CHECK(receive(core).value == 2);
    CHECK(core.send_at_once(three));  // And the way without the lock is open again.
}

TEST_CASE("channel_core: who comes later does not get in before a sender that waits") {
    core_type core{1, 8};
    end a;
    int first = 1, later = 2;
    CHECK(send(core, 0) == passage::done);
    CHECK(send(core, first, &a) == passage::waits);
    std::optional<int> into;
    CHECK_FALSE(core.receive_at_once(into));  // By the lock: whoever makes room gives it to `a`.
    CHECK(receive(core).value == 0);
    CHECK_FALSE(core.send_at_once(later));
    CHECK(receive(core).value == 1);
}

TEST_CASE("channel_core: a receiver is told of a value that comes, one for each") {
    core_type core{4, 8};
    end a, b;
    CHECK(receive(core, &a).result == passage::waits);
    CHECK(receive(core, &b).result == passage::waits);
    int one = 1, two = 2, three = 3;
    CHECK_FALSE(core.send_at_once(one));  // The gate is up: by the lock, where it is told.
    CHECK(send(core, one) == passage::done);
    CHECK(a.bells == 1);
    CHECK(b.bells == 0);
    CHECK(send(core, two) == passage::done);
    CHECK(b.bells == 1);
    CHECK(core.send_at_once(three));
    CHECK(receive(core).value == 1);
}

TEST_CASE("channel_core: a receiver that was told and leaves has another told") {
    core_type core{4, 8};
    end a, b;
    CHECK(receive(core, &a).result == passage::waits);
    CHECK(receive(core, &b).result == passage::waits);
    CHECK(send(core, 1) == passage::done);
    CHECK(a.bells == 1);
    {
        auto const out = core.withdraw_receiver(a);
        CHECK(out.bell_will_ring);
    }
    CHECK(b.bells == 1);
    CHECK(receive(core).value == 1);
}

TEST_CASE("channel_core: nobody is told of a value that is gone") {
    core_type core{4, 8};
    end a, b;
    CHECK(receive(core, &a).result == passage::waits);
    CHECK(receive(core, &b).result == passage::waits);
    CHECK(send(core, 1) == passage::done);
    CHECK(receive(core).value == 1);
    {
        auto const out = core.withdraw_receiver(a);
        CHECK(out.bell_will_ring);
    }
    CHECK(b.bells == 0);
    CHECK_FALSE(core.withdraw_receiver(b).bell_will_ring);
}

TEST_CASE("channel_core: without capacity a value goes into the hand of who waits") {
    core_type core{0, 8};
    end a, b;
    CHECK(core.capacity() == 0);
    int none = 0;
    CHECK_FALSE(core.send_at_once(none));
    CHECK(send(core, 1) == passage::none);
    CHECK(receive(core, &a).result == passage::waits);
    CHECK(send(core, 2) == passage::done);
    CHECK(a.given == 2);
    CHECK(core.size() == 0);
    CHECK(core.withdraw_receiver(a).bell_will_ring);
    CHECK(a.given == 2);  // Cancelled or not.

    int three = 3;
    CHECK(send(core, three, &b) == passage::waits);
    CHECK(receive(core).value == 3);
    CHECK(b.bells == 1);
    CHECK(b.granted);
    CHECK_FALSE(b.turned_away);
    CHECK(core.withdraw_sender(b).bell_will_ring);
}

TEST_CASE("channel_core: close turns senders away, and receivers look once more") {
    core_type core{1, 8};
    end a, b;
    int one = 1;
    CHECK(send(core, 0) == passage::done);
    CHECK(send(core, one, &a) == passage::waits);
    CHECK(core.close().to_wake.ring_all() == 1);
    CHECK(a.turned_away);
    CHECK(one == 1);
    CHECK(core.closed());
    CHECK_FALSE(core.send_at_once(one));
    CHECK(send(core, one) == passage::closed);
    CHECK(send(core, one, &b) == passage::closed);
    CHECK(receive(core).value == 0);
    CHECK(receive(core, &b).result == passage::closed);
    CHECK(core.close().to_wake.empty());

    core_type roomy{2, 8};
    CHECK(roomy.close().to_wake.empty());
    CHECK_FALSE(roomy.send_at_once(one));

    core_type empty{1, 8};
    CHECK(receive(empty, &b).result == passage::waits);
    CHECK(empty.close().to_wake.ring_all() == 1);
    CHECK(b.granted);
    CHECK(receive(empty, nullptr).result == passage::closed);
}

TEST_CASE("channel_core: as many wait as may, at each end") {
    core_type core{1, 1};
    end a, b, c;
    CHECK(receive(core, &a).result == passage::waits);
    CHECK(receive(core, &b).result == passage::crowded);
    CHECK(core.await_value(b).result == passage::crowded);
    CHECK_FALSE(core.withdraw_receiver(a).bell_will_ring);
    int one = 1, two = 2;
    CHECK(send(core, 0) == passage::done);
    CHECK(send(core, one, &b) == passage::waits);
    CHECK(send(core, two, &c) == passage::crowded);
    CHECK(core.waiting_now().senders == 1);
    CHECK_FALSE(core.withdraw_sender(b).bell_will_ring);

    core_type no_places{1, 0};
    end d;
    CHECK(receive(no_places, &d).result == passage::crowded);
    CHECK(send(no_places, 1) == passage::done);
    CHECK(send(no_places, one, &d) == passage::crowded);
    CHECK(receive(no_places).value == 1);
}

TEST_CASE("channel_core: who was told in vain is not refused as one too many") {
    core_type core{1, 1};
    end a, b;
    CHECK(receive(core, &a).result == passage::waits);
    CHECK(send(core, 1) == passage::done);
    CHECK(receive(core).value == 1);  // Somebody else was quicker than `a`.
    CHECK(receive(core, &b).result == passage::waits);
    a.granted = false;
    CHECK(receive(core, &a).result == passage::waits);
    CHECK_FALSE(core.withdraw_receiver(a).bell_will_ring);
    CHECK(core.await_value(a).result == passage::waits);
    CHECK_FALSE(core.withdraw_receiver(a).bell_will_ring);
    CHECK_FALSE(core.withdraw_receiver(b).bell_will_ring);
}

TEST_CASE("channel_core: await_value takes nothing, and says when there is something") {
    core_type core{2, 8};
    end a;
    CHECK(core.await_value(a).result == passage::waits);
    int one = 1;
    CHECK_FALSE(core.send_at_once(one));
    CHECK(send(core, one) == passage::done);
    CHECK(a.bells == 1);
    a.granted = false;
    CHECK(core.await_value(a).result == passage::done);
    CHECK(core.size() == 1);
    CHECK(core.send_at_once(one));  // Nobody waits: the way without the lock is open.
    CHECK(core.close().to_wake.empty());
    CHECK(core.await_value(a).result == passage::done);
    CHECK(receive(core).value == 1);
    CHECK(receive(core).value == 1);
    CHECK(core.await_value(a).result == passage::closed);
}

namespace {

/// What a channel is, without gates and nodes: a queue, and who waits at its ends.
class plain_model {
public:
    explicit plain_model(std::size_t capacity) : capacity_{capacity} {}

    /// Waiters are known by a number.
    passage send(int value, int who) {
        if (closed_) return passage::closed;
        if (senders_.empty() && capacity_ == 0 && !receivers_.empty()) {
            given[next_told()] = value;
            return passage::done;
        }
        if (senders_.empty() && values_.size() < capacity_) {
            values_.push_back(value);
            if (!receivers_.empty()) (void)next_told();
            return passage::done;
        }
        senders_.emplace_back(who, value);
        return passage::waits;
    }
    passage receive(std::optional<int>& into, int who) {
        if (!values_.empty()) {
            into = values_.front();
            values_.pop_front();
            if (!senders_.empty()) {
                values_.push_back(next_sender());
                if (!receivers_.empty()) (void)next_told();
            }
            return passage::done;
        }
        if (capacity_ == 0 && !senders_.empty()) {
            into = next_sender();
            return passage::done;
        }
        if (closed_) return passage::closed;
        receivers_.push_back(who);
        return passage::waits;
    }
    /// True: it is out. False: it was told before.
    bool cancel_sender(int who) {
        return std::erase_if(senders_, [=](auto const& s) { return s.first == who; }) != 0;
    }
    bool cancel_receiver(int who) {
        if (std::erase(receivers_, who) != 0) return true;
        if (!values_.empty() && !receivers_.empty()) (void)next_told();
        return false;
    }
    void close() {
        closed_ = true;
        for (auto const& sender : senders_) turned_away.push_back(sender.first);
        senders_.clear();
        while (!receivers_.empty()) (void)next_told();
    }
    [[nodiscard]] std::size_t size() const { return values_.size(); }
    [[nodiscard]] std::size_t senders() const { return senders_.size(); }
    [[nodiscard]] std::size_t receivers() const { return receivers_.size(); }

    std::vector<int> told, turned_away;
    std::array<std::optional<int>, 10> given{};

private:
    std::size_t next_told() {
        auto const who = receivers_.front();
        receivers_.pop_front();
        told.push_back(who);
        return static_cast<std::size_t>(who);
    }
    int next_sender() {
        auto const [who, value] = senders_.front();
        senders_.pop_front();
        told.push_back(who);
        return value;
    }

    std::size_t capacity_;
    std::deque<int> values_;
    std::deque<std::pair<int, int>> senders_;
    std::deque<int> receivers_;
    bool closed_ = false;
};

/// Five operations that may wait, a close, and a cancel of each, in an order that is chosen.
class events {
public:
    events(support::run& run, std::size_t capacity)
        : run_{run}, core_{capacity, 8}, model_{capacity} {}

    void play() {
        for (;;) {
            std::vector<int> able;
            for (int who = 0; who != ends; ++who)
                if (may_start(who) || may_cancel(who) || may_look(who)) able.push_back(who);
            if (!closed_) able.push_back(close);
            if (able.empty()) break;
            auto const who = able[run_.choose(able.size())];
            if (who == close)
                do_close();
            else if (may_start(who))
                is_sender(who) ? do_send(who) : do_receive(who);
            else if (may_look(who) && (!may_cancel(who) || run_.choose(2) == 0))
                do_look(who);
            else
                do_cancel(who);
            compare();
        }
        run_.check(core_.waiting_now().senders + core_.waiting_now().receivers == 0, "left queued");
    }

private:
    static constexpr int ends = 5, close = 5;
    enum class stage { before, waits, ended };
    static bool is_sender(int who) { return who < 3; }
    /// The second of the first sender comes after the first.
    bool may_start(int who) const {
        return at(who).stage == stage::before && (who != 1 || at(0).stage != stage::before);
    }
    bool may_cancel(int who) const { return at(who).stage == stage::waits; }
    bool may_look(int who) const {
        return at(who).stage == stage::waits && at(who).node.bells != 0;
    }

    struct one {
        end node;
        int value = 0;
        events::stage stage = events::stage::before;
    };
    one& at(int who) { return ends_[static_cast<std::size_t>(who)]; }
    one const& at(int who) const { return ends_[static_cast<std::size_t>(who)]; }

    void do_send(int who) {
        auto& me = at(who);
        me.value = 10 + who;
        auto const mine = send(core_, me.value, &me.node);
        run_.check(mine == model_.send(10 + who, who), "a send's answer");
        me.stage = mine == passage::waits ? stage::waits : stage::ended;
    }
    void do_receive(int who) {
        auto& me = at(who);
        auto const mine = receive(core_, &me.node);
        std::optional<int> expected;
        run_.check(mine.result == model_.receive(expected, who), "a receive's answer");
        run_.check(mine.value == expected, "the value received");
        me.stage = mine.result == passage::waits ? stage::waits : stage::ended;
    }
    /// One that has been told goes on.
    void do_look(int who) {
        auto& me = at(who);
        if (is_sender(who) || me.node.given) {
            me.stage = stage::ended;
            return;
        }
        me.node.bells = 0, me.node.granted = false;
        std::erase(model_.told, who);
        do_receive(who);
    }
    void do_cancel(int who) {
        auto& me = at(who);
        if (is_sender(who)) {
            auto const out = core_.withdraw_sender(me.node);
            run_.check(!out.bell_will_ring == model_.cancel_sender(who), "a sender's withdrawal");
        } else {
            auto const out = core_.withdraw_receiver(me.node);
            run_.check(!out.bell_will_ring == model_.cancel_receiver(who),
                       "a receiver's withdrawal");
        }
        me.stage = stage::ended;
    }
    void do_close() {
        (void)core_.close().to_wake.ring_all();
        model_.close();
        closed_ = true;
    }
    void compare() {
        auto const waiting = core_.waiting_now();
        run_.check(core_.size() == model_.size(), "the values in it");
        run_.check(waiting.senders == model_.senders(), "the senders that wait");
        run_.check(waiting.receivers == model_.receivers(), "the receivers that wait");
        for (int who = 0; who != ends; ++who) {
            auto const& node = at(who).node;
            auto const turned =
                std::count(model_.turned_away.begin(), model_.turned_away.end(), who);
            auto const told = std::count(model_.told.begin(), model_.told.end(), who) + turned;
            run_.check(node.bells == told, "who is told");
            run_.check(node.given == model_.given[static_cast<std::size_t>(who)], "what is given");
            run_.check((node.granted && node.turned_away) == (turned != 0), "who is turned away");
        }
    }

    support::run& run_;
    core_type core_;
    plain_model model_;
    std::array<one, ends> ends_;
    bool closed_ = false;
};

}  // namespace

TEST_CASE("channel_core: agrees with a plain model in every order of events") {
    for (std::size_t const capacity : {0U, 1U, 2U}) {
        auto const seen = support::explore({}, [&](support::run& run) {
            events e{run, capacity};
            e.play();
        });
        std::printf("events, capacity %zu: %llu orders\n", capacity,
                    static_cast<unsigned long long>(seen.schedules));
        INFO("capacity " << capacity);
        CHECK(seen.failure == "");
        CHECK(seen.schedules > 5'000);
    }
}
