// SPDX-License-Identifier: BSL-1.0
//
// What the tests of flows are made of: a subscriber that writes down what it is told and whether
// that kept to the rules, a publisher that a test feeds by hand, and one that breaks the rules.
#ifndef HAWSER_TESTS_RUN_DEMAND_PROBE_HPP
#define HAWSER_TESTS_RUN_DEMAND_PROBE_HPP

#include <hawser/run/demand/flow.hpp>
#include <hawser/run/demand/publisher.hpp>

#include <atomic>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace support {

namespace demand = hawser::demand;

inline constexpr auto everything = std::numeric_limits<std::int64_t>::max();

/// What a subscriber was told. Read it when no signal is under way.
template <class T>
struct diary {
    demand::subscription handle;
    std::weak_ptr<int> life;  ///< Expired once the subscriber is destroyed.
    std::function<void(T const&)> on_next;
    std::function<void()> on_subscribe;

    std::vector<T> items;
    int subscribed = 0, completed = 0, failed = 0;
    std::exception_ptr why;
    std::atomic<std::int64_t> asked{0};
    std::atomic<int> inside{0};
    std::atomic<int> overlaps{0}, early{0}, late{0}, uncalled_for{0};

    /// Asks, and counts what was asked for.
    void request(std::int64_t count) {
        if (count > 0) asked = count > everything - asked ? everything : asked + count;
        handle.request(count);
    }
    [[nodiscard]] bool kept_the_rules() const {
        return subscribed == 1 && completed + failed <= 1 && overlaps == 0 && early == 0 &&
               late == 0 && uncalled_for == 0;
    }
    [[nodiscard]] bool is_let_go() const { return life.expired(); }
    [[nodiscard]] std::string complaint() const {
        if (!why) return "";
        try {
            std::rethrow_exception(why);
        } catch (std::exception const& e) {
            return e.what();
        }
    }
};

/// The subscriber that keeps a diary.
template <class T>
class probe {
public:
    explicit probe(diary<T>& into) : diary_{&into} { into.life = life_; }

    void on_subscribe(demand::subscription handle) noexcept {
        inside const in{*diary_};
        ++diary_->subscribed;
        diary_->handle = std::move(handle);
        if (diary_->on_subscribe) diary_->on_subscribe();
    }
    void on_next(T item) {
        inside const in{*diary_};
        note(diary_->subscribed == 0, diary_->early);
        note(diary_->completed + diary_->failed > 0, diary_->late);
        diary_->items.push_back(std::move(item));
        note(static_cast<std::int64_t>(diary_->items.size()) > diary_->asked, diary_->uncalled_for);
        if (diary_->on_next) diary_->on_next(diary_->items.back());
    }
    void on_error(std::exception_ptr why) noexcept {
        inside const in{*diary_};
        note(diary_->subscribed == 0, diary_->early);
        note(diary_->completed + diary_->failed++ > 0, diary_->late);
        diary_->why = std::move(why);
    }
    void on_complete() noexcept {
        inside const in{*diary_};
        note(diary_->subscribed == 0, diary_->early);
        note(diary_->completed++ + diary_->failed > 0, diary_->late);
    }

private:
    struct inside {
        explicit inside(diary<T>& d) : of{&d} {
            if (d.inside++ != 0) ++d.overlaps;
        }
        inside(inside const&) = delete;
        inside& operator=(inside const&) = delete;
        ~inside() { --of->inside; }
        diary<T>* of;
    };
    static void note(bool wrong, std::atomic<int>& where) {
        if (wrong) ++where;
    }

    std::shared_ptr<int> life_ = std::make_shared<int>(0);
    diary<T>* diary_;
};

/// A publisher by the rules whose items a test brings, from any thread. Copies share them.
template <class T>
class hand_publisher {
    struct shared {
        std::mutex mutex;
        std::deque<T> items;
        bool done = false, closed = false;
        std::exception_ptr why;
        std::shared_ptr<demand::wakeable> flow;
    };
    class source {
    public:
        using value_type = T;
        explicit source(std::shared_ptr<shared> hand) : hand_{std::move(hand)} {}
        void start(std::shared_ptr<demand::wakeable> self) {
            std::lock_guard const lock{hand_->mutex};
            hand_->flow = std::move(self);
        }
        bool ended() {
            std::lock_guard const lock{hand_->mutex};
            if (!hand_->items.empty()) return false;
            if (hand_->why) std::rethrow_exception(hand_->why);
            return hand_->done;
        }
        std::optional<T> next() {
            std::lock_guard const lock{hand_->mutex};
            if (hand_->items.empty()) return std::nullopt;
            std::optional<T> item{std::move(hand_->items.front())};
            hand_->items.pop_front();
            return item;
        }
        void close() noexcept {
            std::shared_ptr<demand::wakeable> flow;
            std::lock_guard const lock{hand_->mutex};
            hand_->closed = true;
            flow.swap(hand_->flow);
        }

    private:
        std::shared_ptr<shared> hand_;
    };

public:
    using value_type = T;

    template <demand::subscriber<T> S>
    void subscribe(S to) const {
        demand::flow<source, S>::begin(std::move(to), shared_);
    }

    void bring(T item) const {
        change([&] { shared_->items.push_back(std::move(item)); });
    }
    void complete() const {
        change([&] { shared_->done = true; });
    }
    void fail(std::exception_ptr why) const {
        change([&] { shared_->why = std::move(why); });
    }
    /// Items that were brought and not sent.
    [[nodiscard]] std::size_t left() const {
        std::lock_guard const lock{shared_->mutex};
        return shared_->items.size();
    }
    [[nodiscard]] bool is_closed() const {
        std::lock_guard const lock{shared_->mutex};
        return shared_->closed;
    }

private:
    void change(auto what) const {
        std::shared_ptr<demand::wakeable> flow;
        {
            std::lock_guard const lock{shared_->mutex};
            what();
            flow = shared_->flow;
        }
        if (flow) flow->wake();
    }

    std::shared_ptr<shared> shared_ = std::make_shared<shared>();
};

/// A subscription that writes down what is asked of it.
struct asked_of final : demand::subscription_core {
    void request(std::int64_t count) noexcept override { requests.push_back(count); }
    void cancel() noexcept override { ++cancels; }
    std::vector<std::int64_t> requests;
    int cancels = 0;
};

/// A publisher that signals what and when the test likes, rules or not.
template <class T>
class rogue_publisher {
public:
    using value_type = T;

    /// The subscriber's signals, as functions.
    struct signals {
        std::function<void(demand::subscription)> on_subscribe;
        std::function<void(T)> on_next;
        std::function<void(std::exception_ptr)> on_error;
        std::function<void()> on_complete;
    };

    explicit rogue_publisher(bool subscribes = true) : subscribes_{subscribes} {}

    template <demand::subscriber<T> S>
    void subscribe(S to) const {
        auto const kept = std::make_shared<S>(std::move(to));
        *out = {[kept](demand::subscription handle) { kept->on_subscribe(std::move(handle)); },
                [kept](T item) { kept->on_next(std::move(item)); },
                [kept](std::exception_ptr why) { kept->on_error(std::move(why)); },
                [kept] { kept->on_complete(); }};
        if (subscribes_) out->on_subscribe(demand::subscription{asked});
    }
    void let_go() const { *out = {}; }

    std::shared_ptr<asked_of> asked = std::make_shared<asked_of>();
    std::shared_ptr<signals> out = std::make_shared<signals>();

private:
    bool subscribes_;
};

}  // namespace support
#endif  // HAWSER_TESTS_RUN_DEMAND_PROBE_HPP
