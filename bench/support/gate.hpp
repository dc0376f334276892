// SPDX-License-Identifier: BSL-1.0
//
// A gate: promises of speed, measured and judged. Exits non-zero when one is broken.
#ifndef HAWSER_BENCH_SUPPORT_GATE_HPP
#define HAWSER_BENCH_SUPPORT_GATE_HPP

#include "support/paired.hpp"

#include <time.h>
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <latch>
#include <thread>
#include <vector>

namespace support {

/// Collects rows. `--quick` measures too little to judge by: it only shows that everything runs.
class gate {
public:
    gate(int argc, char** argv) {
        for (int i = 1; i < argc; ++i) quick_ = quick_ || std::strcmp(argv[i], "--quick") == 0;
        if (quick_) options_ = {.pairs = 3, .batch = std::chrono::microseconds{100}};
        std::printf("%-48s %9s %9s %9s %9s %7s\n", "", "A ns", "B ns", "B - A", "limit", "A / A");
    }

    /// B costs at most `limit` nanoseconds more than A. One call of either is `calls` of what is
    /// promised.
    template <class A, class B>
    void at_most_over(char const* what, A&& a, B&& b, double limit, double calls = 1) {
        for (int attempt = 0;; ++attempt) {
            auto measured = compare_paired(a, b, options_);
            if (!measured.valid && !quick_ && attempt < retries) continue;
            measured.a_ns /= calls;
            measured.b_ns /= calls;
            return row(what, measured, measured.b_ns - measured.a_ns, limit);
        }
    }

    /// B costs at most `floors` times the floor more than A, the floor measured beside them.
    template <class A, class B, class Floor>
    void at_most_floors(char const* what, A&& a, B&& b, Floor&& floor, double floors,
                        double calls = 1) {
        auto const beside = compare_paired(floor, floor, options_);
        std::printf("%-48s %9.2f\n", "  its floor", beside.a_ns / calls);
        at_most_over(what, a, b, floors * beside.a_ns / calls, calls);
    }

    /// B takes at most `ratio` times as long as A.
    template <class A, class B>
    void at_most_times(char const* what, A&& a, B&& b, double ratio, double calls = 1) {
        for (int attempt = 0;; ++attempt) {
            auto measured = compare_paired(a, b, options_);
            if (!measured.valid && !quick_ && attempt < retries) continue;
            measured.a_ns /= calls;
            measured.b_ns /= calls;
            std::printf("%-48s %9.2f %9.2f %8.2fx %8.2fx %7.3f%s\n", what, measured.a_ns,
                        measured.b_ns, measured.ratio, ratio, measured.control,
                        note(measured, measured.ratio <= ratio));
            return judge(measured.valid, measured.ratio <= ratio);
        }
    }

    /// How B stands beside A; nothing is promised.
    template <class A, class B>
    void beside(char const* what, A&& a, B&& b, double calls = 1) {
        auto const measured = compare_paired(a, b, options_);
        std::printf("%-48s %9.2f %9.2f %8.2fx %9s %7.3f\n", what, measured.a_ns / calls,
                    measured.b_ns / calls, measured.ratio, "", measured.control);
    }

    void exactly(char const* what, std::uint64_t value, std::uint64_t expected) {
        auto const held = value == expected;
        std::printf("%-48s %39llu%s\n", what, static_cast<unsigned long long>(value),
                    held ? "" : "  BROKEN");
        broken_ += held ? 0 : 1;
    }

    /// The same work on two threads at once takes at most `ratio` times as long as on one.
    template <class Work>
    void two_threads(char const* what, Work&& work, double ratio) {
        std::vector<double> ones, twos, ratios, controls;
        for (std::size_t round = 0; round != options_.pairs; ++round) {
            auto const one = time_on(1, work), two = time_on(2, work), again = time_on(1, work);
            ones.push_back(one);
            twos.push_back(two);
            ratios.push_back(two / one);
            controls.push_back(again / one);
        }
        paired_result const measured{.a_ns = detail::median(ones),
                                     .b_ns = detail::median(twos),
                                     .ratio = detail::median(ratios),
                                     .control = detail::median(controls),
                                     .pairs = options_.pairs,
                                     .valid = true};
        std::printf("%-48s %9.0f %9.0f %8.2fx %8.2fx %7.3f%s\n", what, measured.a_ns, measured.b_ns,
                    measured.ratio, ratio, measured.control,
                    note(measured, measured.ratio <= ratio));
        judge(std::abs(measured.control - 1) <= options_.tolerance, measured.ratio <= ratio);
    }

    /// B on two threads at once takes at most `ratio` times as long as A on two threads at once.
    /// One call of either is `calls` of what is promised. Counts only what ran side by side: where
    /// other programs take a core, two threads run one after the other, and are fast.
    template <class A, class B>
    void two_threads_times(char const* what, A&& a, B&& b, double ratio, double calls = 1) {
        for (int attempt = 0;; ++attempt) {
            auto const measured = on_two_threads(a, b, calls);
            if (!measured.valid && !quick_ && attempt < retries) continue;
            std::printf("%-48s %9.2f %9.2f %8.2fx %8.2fx %7.3f%s\n", what, measured.a_ns,
                        measured.b_ns, measured.ratio, ratio, measured.control,
                        note(measured, measured.ratio <= ratio));
            return judge(measured.valid, measured.ratio <= ratio);
        }
    }

    [[nodiscard]] int verdict() const {
        std::printf("%s%d held, %d broken, %d void\n", quick_ ? "quick run, not judged: " : "",
                    held_, broken_, void_);
        return !quick_ && broken_ != 0 ? 1 : 0;
    }

private:
    static constexpr int retries = 4;

    /// The longest of the threads' own times for `work`, in nanoseconds.
    template <class Work>
    static double time_on(int threads, Work& work) {
        std::vector<double> times(static_cast<std::size_t>(threads));
        std::latch start{threads};
        {
            std::vector<std::jthread> running;
            for (auto& time : times)
                running.emplace_back([&] {
                    work();
                    start.arrive_and_wait();
                    time = detail::time_of(work, 1);
                });
        }
        return *std::max_element(times.begin(), times.end());
    }

    template <class A, class B>
    [[nodiscard]] paired_result on_two_threads(A& a, B& b, double calls) const {
        std::vector<double> as, bs, ratios, controls;
        auto const tries = quick_ ? options_.pairs : 20 * options_.pairs;
        for (std::size_t round = 0; round != tries && as.size() != options_.pairs; ++round) {
            auto const first = side_by_side(a), middle = side_by_side(b), last = side_by_side(a);
            if (std::min({first, middle, last}) == 0) continue;
            auto const base = round % 2 == 0 ? first : last;
            as.push_back(base / calls);
            bs.push_back(middle / calls);
            ratios.push_back(middle / base);
            controls.push_back((round % 2 == 0 ? last : first) / base);
        }
        if (as.empty()) return {};
        paired_result measured{.a_ns = detail::median(as),
                               .b_ns = detail::median(bs),
                               .ratio = detail::median(ratios),
                               .control = detail::median(controls),
                               .pairs = as.size()};
        measured.valid =
            2 * as.size() > options_.pairs && std::abs(measured.control - 1) <= options_.tolerance;
        return measured;
    }

    /// The longer of the times of two threads; zero if not both ran all the while.
    template <class Work>
    [[nodiscard]] double side_by_side(Work& work) const {
        spell spells[2];
        std::atomic<int> ready{0};
        {
            std::vector<std::jthread> running;
            for (auto& mine : spells)
                running.emplace_back([&] {
                    work();
                    // Spinning: who is woken starts too late.
                    for (++ready; ready.load(std::memory_order_relaxed) != 2;) {}
                    mine = timed(work);
                });
        }
        auto const both =
            std::min(spells[0].end, spells[1].end) - std::max(spells[0].begin, spells[1].begin);
        auto const longest = std::max(spells[0].length(), spells[1].length());
        auto const least_cpu = std::min(spells[0].share_of_cpu(), spells[1].share_of_cpu());
        return quick_ || (both > 0.9 * longest && least_cpu > 0.95) ? longest : 0;
    }

    /// When a thread ran, in nanoseconds.
    struct spell {
        double begin = 0, end = 0, cpu = 0;
        [[nodiscard]] double length() const { return end - begin; }
        [[nodiscard]] double share_of_cpu() const { return cpu / length(); }
    };
    static double read(clockid_t clock) {
        timespec now{};
        ::clock_gettime(clock, &now);
        return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
    }
    template <class Work>
    static spell timed(Work& work) {
        spell mine;
        auto const cpu = read(CLOCK_THREAD_CPUTIME_ID);
        mine.begin = read(CLOCK_MONOTONIC);
        work();
        mine.end = read(CLOCK_MONOTONIC);
        mine.cpu = read(CLOCK_THREAD_CPUTIME_ID) - cpu;
        return mine;
    }

    void row(char const* what, paired_result const& measured, double over, double limit) {
        std::printf("%-48s %9.2f %9.2f %9.2f %9.2f %7.3f%s\n", what, measured.a_ns, measured.b_ns,
                    over, limit, measured.control, note(measured, over <= limit));
        judge(measured.valid, over <= limit);
    }
    char const* note(paired_result const& measured, bool held) const {
        if (quick_) return "";
        return !measured.valid ? "  void" : held ? "" : "  BROKEN";
    }
    void judge(bool valid, bool held) {
        if (!valid)
            ++void_;
        else
            ++(held ? held_ : broken_);
    }

    paired_options options_{};
    bool quick_ = false;
    int held_ = 0;
    int broken_ = 0;
    int void_ = 0;
};

}  // namespace support

#endif  // HAWSER_BENCH_SUPPORT_GATE_HPP
