// SPDX-License-Identifier: BSL-1.0
//
// The schedules of a model checker: which fiber goes on at each point, and what is left to try.
// `support/interleave.hpp` is what tests include.
#ifndef HAWSER_TESTS_SUPPORT_SCHEDULES_HPP
#define HAWSER_TESTS_SUPPORT_SCHEDULES_HPP

#include "support/fiber.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace support {

struct limits {
    int preemptions = 2;
    std::uint64_t schedules = 20'000'000;  ///< More are a failure: the model is too big.
};

/// What has been tried, and what was wrong; empty if nothing was.
struct explored {
    std::uint64_t schedules = 0, states = 0, longest = 0;
    std::string failure;
};

/// Numbers other than zero.
class number_set {
public:
    /// False if it was in already.
    bool insert(std::uint64_t number) {
        if (2 * ++size_ > mask_) grow();
        auto* const place = find(number);
        if (*place != 0) return --size_, false;
        *place = number;
        return true;
    }
    [[nodiscard]] std::size_t size() const { return size_; }

private:
    [[nodiscard]] std::uint64_t* find(std::uint64_t number) const {
        auto at = number >> 20U;
        while (places_[at & mask_] != 0 && places_[at & mask_] != number) ++at;
        return &places_[at & mask_];
    }
    void grow() {
        auto const old = std::move(places_);
        auto const count = mask_ + 1;
        mask_ = 4 * count - 1;
        places_ = std::make_unique<std::uint64_t[]>(mask_ + 1);
        for (std::uint64_t i = 0; i != count; ++i)
            if (old[i] != 0) *find(old[i]) = old[i];
    }

    std::uint64_t mask_ = 1023;
    std::unique_ptr<std::uint64_t[]> places_ = std::make_unique<std::uint64_t[]>(mask_ + 1);
    std::size_t size_ = 0;
};

/// The decisions of all runs.
class search {
public:
    explicit search(limits const& bounds) : bounds_{bounds} {}

    [[nodiscard]] int preemptions() const { return bounds_.preemptions; }

    void begin() { depth_ = 0, place_ = 0, known_ = false, ++seen.schedules; }

    /// Whether the next decision is known to be none, or the first of its possibilities. Counts
    /// the places of decisions: called once for each.
    [[nodiscard]] bool is_known() {
        ++place_;
        return depth_ < path_.size() ? path_[depth_].place != place_ : known_;
    }
    /// One of `n`, each once over all runs. `state()` is what the decision is taken in.
    template <class State>
    std::size_t decide(std::size_t n, State state) {
        if (depth_ < path_.size() && path_[depth_].place == place_) return path_[depth_++].taken;
        if (known_ || !states_.insert(state())) {
            known_ = true;  // From here on the run only ends.
            return 0;
        }
        return add(n);
    }
    std::size_t choose(std::size_t n) {
        ++place_;
        return depth_ < path_.size() ? path_[depth_++].taken : add(n);
    }

    /// False if all has been tried.
    bool next() {
        seen.states = states_.size();
        if (!seen.failure.empty()) return false;
        while (!path_.empty() && path_.back().taken + 1U == path_.back().of) path_.pop_back();
        if (path_.empty()) return false;
        ++path_.back().taken;
        if (seen.schedules < bounds_.schedules) return true;
        seen.failure = "more schedules than were allowed";
        return false;
    }

    void fail(std::string const& what) {
        if (!seen.failure.empty()) return;
        seen.failure = what + "; schedule " + std::to_string(seen.schedules) + ", decisions";
        for (auto const& step : path_) seen.failure += " " + std::to_string(step.taken);
    }

    explored seen;

private:
    struct decision {
        std::uint64_t place;
        std::size_t of, taken;
    };
    std::size_t add(std::size_t n) {
        path_.push_back({place_, n, 0});
        ++depth_;
        return 0;
    }

    limits bounds_;
    std::vector<decision> path_;
    std::size_t depth_ = 0;
    std::uint64_t place_ = 0;
    bool known_ = false;
    number_set states_;
};

/// One run: the fibers and who of them goes on.
class run {
public:
    explicit run(search& s) : search_{s} { objects = 0; }
    run(run const&) = delete;
    run& operator=(run const&) = delete;

    /// A thread of the model, of eight at most.
    void fiber(work todo) {
        if (count_ == max_fibers) stuck("more fibers than there may be");
        threads_[count_++].todo = std::move(todo);
    }
    /// A thread that begins when no other can go on, or all have ended.
    void at_rest(work todo) {
        fiber(std::move(todo));
        threads_[count_ - 1].waits_for_rest = true;
    }

    /// Runs all until they have ended.
    void go() {
        for (std::size_t number = 0; number != count_; ++number) {
            auto& one = threads_[number];
            one.on = &fiber_pool::take(number);
            one.on->begin([this, &one] {
                sees(1);  // It has begun.
                one.todo();
                one.ended = true;
                hand_over(false);
            });
        }
        now = this;
        hand_over(false);
        now = nullptr;
        if (steps_ > search_.seen.longest) search_.seen.longest = steps_;
    }

    void check(bool holds, char const* what) {
        if (!holds) search_.fail(what);
    }
    /// One of `n`, each once over all runs.
    std::size_t choose(std::size_t n) {
        auto const taken = n < 2 ? 0 : search_.choose(n);
        if (now != nullptr) sees(taken);
        return taken;
    }

    /// The run whose fiber this is, if it is one.
    static run* current() { return now; }

    /// Before an operation: others may come first.
    void point() {
        if (++steps_ > 100'000) stuck("goes on for ever");
        if (preempted_ < search_.preemptions()) hand_over(true);
        sees(0);
    }
    /// Goes on when `holds()`, which others make true. It decides by what they have written.
    template <class Predicate>
    void wait_until(Predicate holds) {
        auto& me = threads_[active_];
        me.ready = [](void* predicate) { return (*static_cast<Predicate*>(predicate))(); };
        me.waits_on = &holds;
        hand_over(holds());
        threads_[active_].ready = nullptr;
        sees(0);
    }
    /// Goes on when somebody has written since the last time.
    void spin() {
        auto& me = threads_[active_];
        if (std::exchange(me.has_spun, true)) wait_until([&me] { return me.news; });
        me.news = false;
    }

    // What a fiber has seen, and what wrote what is to be seen.

    struct object {
        std::uint64_t id = ++objects, writes = 0;
    };
    void sees(std::uint64_t what) { learn(mixed(threads_[active_].seen, what)); }
    void writes(object& what) {
        auto const fresh = mixed(mixed(threads_[active_].seen, what.writes), 1);
        state_ += mixed(fresh, what.id) - mixed(what.writes, what.id);
        what.writes = fresh;
        learn(fresh);
        for (std::size_t i = 0; i != count_; ++i)
            if (i != active_) threads_[i].news = true;
    }

private:
    struct thread {
        work todo;
        support::fiber* on = nullptr;
        bool (*ready)(void*) = nullptr;
        void* waits_on = nullptr;
        std::uint64_t seen = 0;
        bool ended = false, waits_for_rest = false, has_spun = false, news = false;

        [[nodiscard]] bool can_go_on() const {
            return !ended && !waits_for_rest && (ready == nullptr || ready(waits_on));
        }
    };

    static std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
        auto x = a * 0x9e3779b97f4a7c15U + b + 0x632be59bd9b4e019U;
        x = (x ^ (x >> 31U)) * 0xbf58476d1ce4e5b9U;
        return x ^ (x >> 29U);
    }
    void learn(std::uint64_t fresh) {
        auto& me = threads_[active_];
        state_ += mixed(fresh, ~active_) - mixed(me.seen, ~active_);
        me.seen = fresh;
    }
    [[nodiscard]] std::uint64_t state() const {
        auto const all = mixed(state_, active_ * 64 + static_cast<unsigned>(preempted_));
        std::uint64_t bits = 1;
        for (std::size_t i = 0; i != count_; ++i)
            bits = bits * 4 + (threads_[i].has_spun && threads_[i].news ? 2U : 0U) +
                   (threads_[i].ended ? 1U : 0U);
        return mixed(all, bits) | 1U;
    }

    /// Lets the next one go on: the active one, if it can, or another.
    void hand_over(bool can_stay) {
        if (search_.is_known() && can_stay) return;
        std::size_t able[max_fibers], count = 0;
        if (can_stay) able[count++] = active_;
        if (!can_stay || preempted_ < search_.preemptions())
            for (std::size_t i = 0; i != count_; ++i)
                if (!(can_stay && i == active_) && threads_[i].can_go_on()) able[count++] = i;
        for (std::size_t i = 0; count == 0 && i != count_; ++i)
            if (std::exchange(threads_[i].waits_for_rest, false)) able[count++] = i;
        if (count == 0) return finish();
        auto const next = able[count == 1 ? 0 : search_.decide(count, [this] { return state(); })];
        if (can_stay && next != active_) ++preempted_;
        if (std::exchange(active_, next) != next || !began_) {
            began_ = true;
            threads_[next].on->resume();
        }
    }
    void finish() {
        for (std::size_t i = 0; i != count_; ++i)
            if (!threads_[i].ended) stuck("some wait, and nobody is left to wake them");
        fiber_pool::main().resume();
    }
    [[noreturn]] void stuck(char const* what) {
        search_.fail(what);
        std::fprintf(stderr, "interleaving: %s\n", search_.seen.failure.c_str());
        std::abort();
    }

    static constexpr std::size_t max_fibers = 8;
    static inline run* now = nullptr;
    static inline std::uint64_t objects = 0;

    search& search_;
    thread threads_[max_fibers];
    std::size_t count_ = 0;
    std::size_t active_ = 0;
    bool began_ = false;
    int preempted_ = 0;
    std::uint64_t steps_ = 0, state_ = 0;
};

/// Calls `model(run)` for every schedule.
template <class Model>
explored explore(limits const& bounds, Model model) {
    search all{bounds};
    do {
        all.begin();
        run one{all};
        model(one);
    } while (all.next());
    return std::move(all.seen);
}

}  // namespace support

#endif  // HAWSER_TESTS_SUPPORT_SCHEDULES_HPP
