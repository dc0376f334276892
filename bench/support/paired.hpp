// SPDX-License-Identifier: BSL-1.0
//
// Compares the speed of two pieces of code on a machine that is noisy.
//
// Nanoseconds measured a minute apart are not comparable there; a ratio of two batches that ran
// one right after the other is. Each round runs a batch of A, of B and of A again, forwards and
// backwards in turn so that a drift cancels:
//
//     A B A'   A' B A   A B A'   ...         ratio = median of B / A      control = median of A' /
//     A
//
// The control compares A with itself: how far it is from one shows what this run can tell apart.
#ifndef HAWSER_BENCH_SUPPORT_PAIRED_HPP
#define HAWSER_BENCH_SUPPORT_PAIRED_HPP

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <stdexcept>
#include <vector>

namespace support {

struct paired_options {
    /// Rounds, and so pairs. At least 30 for a result that counts; fewer only to see that it runs.
    std::size_t pairs = 41;

    /// How long a batch of A should take: long against the clock's resolution, short against a
    /// time slice of the scheduler, so that most batches are not interrupted.
    std::chrono::nanoseconds batch = std::chrono::milliseconds{1};

    /// How far the control may be from 1 before the run says nothing.
    double tolerance = 0.10;
};

struct paired_result {
    double a_ns = 0;     ///< Median time of one call of A, in nanoseconds.
    double b_ns = 0;     ///< Median time of one call of B, in nanoseconds.
    double ratio = 0;    ///< Median of B / A over the pairs.
    double control = 0;  ///< Median of A / A over the pairs.
    std::size_t pairs = 0;
    bool valid = false;  ///< False: the control is too far from 1, and the run is void.
};

namespace detail {

[[nodiscard]] inline double median(std::vector<double> values) {
    auto const middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

/// Nanoseconds that `calls` calls take.
template <class Code>
[[nodiscard, gnu::noinline]] double time_of(Code& code, std::size_t calls) {
    auto const start = std::chrono::steady_clock::now();
    for (std::size_t call = 0; call != calls; ++call) code();
    std::chrono::duration<double, std::nano> const taken = std::chrono::steady_clock::now() - start;
    return std::max(taken.count(), 1.0);
}

/// Calls of `code` that fill a batch. Warms the code up on the way.
template <class Code>
[[nodiscard]] std::size_t calls_in(std::chrono::nanoseconds batch, Code& code) {
    std::size_t calls = 1;
    while (time_of(code, calls) < static_cast<double>(batch.count())) calls *= 2;
    return calls;
}

}  // namespace detail

/// Measures `a` and `b`, which are called without arguments and must keep their work from being
/// optimised away. Takes about pairs * (2 + ratio) * batch.
template <class A, class B>
[[nodiscard]] paired_result compare_paired(A&& a, B&& b, paired_options const& options = {}) {
    if (options.pairs == 0) throw std::invalid_argument{"paired: pairs is zero"};
    auto const calls = detail::calls_in(options.batch, a);
    (void)detail::time_of(b, calls);  // B is warm, too, before the first round.

    std::vector<double> a_times, b_times, ratios, controls;
    for (std::size_t round = 0; round != options.pairs; ++round) {
        auto const first = detail::time_of(a, calls);
        auto const middle = detail::time_of(b, calls);
        auto const last = detail::time_of(a, calls);
        bool const forwards = round % 2 == 0;
        auto const base = forwards ? first : last;
        a_times.push_back(base / static_cast<double>(calls));
        b_times.push_back(middle / static_cast<double>(calls));
        ratios.push_back(middle / base);
        controls.push_back((forwards ? last : first) / base);
    }
    paired_result result{.a_ns = detail::median(a_times),
                         .b_ns = detail::median(b_times),
                         .ratio = detail::median(ratios),
                         .control = detail::median(controls),
                         .pairs = options.pairs};
    result.valid = std::abs(result.control - 1.0) <= options.tolerance;
    return result;
}

inline void print_paired_header() {
    std::printf("%-44s %10s %10s %8s %8s\n", "", "A ns", "B ns", "B / A", "A / A");
}

inline void print_paired(char const* name, paired_result const& result) {
    std::printf("%-44s %10.2f %10.2f %8.3f %8.3f%s\n", name, result.a_ns, result.b_ns, result.ratio,
                result.control, result.valid ? "" : "  void: too noisy");
}

/// Measures and prints until a run is valid, or `attempts` runs were void.
template <class A, class B>
[[nodiscard]] paired_result compare_until_valid(char const* name, A&& a, B&& b,
                                                paired_options const& options = {},
                                                int attempts = 5) {
    paired_result result;
    for (; attempts > 0 && !result.valid; --attempts) {
        result = compare_paired(a, b, options);
        print_paired(name, result);
    }
    return result;
}

}  // namespace support

#endif  // HAWSER_BENCH_SUPPORT_PAIRED_HPP
