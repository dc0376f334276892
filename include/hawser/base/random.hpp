// SPDX-License-Identifier: BSL-1.0
//
// Random numbers from a counter: the n-th number is a function of a seed and n, nothing else.
//
// A counter needs no lock and no per-thread state, a seeded source can be replayed, and a number
// can be derived from a key so that the order of threads does not change who draws what.
// Source: G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators",
// OOPSLA 2014 (SplitMix64); the constants are those of its variant 13 finaliser.
#ifndef HAWSER_BASE_RANDOM_HPP
#define HAWSER_BASE_RANDOM_HPP

#include <atomic>
#include <concepts>
#include <cstdint>
#if __has_include(<sys/auxv.h>)
#include <sys/auxv.h>
#include <unistd.h>
#include <cstring>
#else
#include <random>
#endif

namespace hawser::inline v0 {

/// Something that draws 64 uniformly random bits at a time.
template <class Source>
concept random_source = requires(Source& source) {
    { source() }
    noexcept->std::same_as<std::uint64_t>;
};

/// The number that stands at place `index` of the sequence that `seed` begins. Not for secrets.
[[nodiscard]] constexpr std::uint64_t random_at(std::uint64_t seed, std::uint64_t index) noexcept {
    auto bits = seed + (index + 1) * 0x9e3779b97f4a7c15U;  // 2^64 / the golden ratio, made odd.
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9U;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebU;
    return bits ^ (bits >> 31);
}

/// Random numbers that repeat from run to run: the sequence of a seed.
///
/// Thread safety: may be called concurrently; each number is handed out once, in no order.
class seeded_random {
public:
    explicit seeded_random(std::uint64_t seed) noexcept : seed_{seed} {}

    /// Continues the sequence where `other` stands. Requires that nobody draws from it meanwhile.
    seeded_random(seeded_random const& other) noexcept
        : seed_{other.seed_}, drawn_{other.drawn_.load(std::memory_order_relaxed)} {}
    seeded_random& operator=(seeded_random const&) = delete;

    std::uint64_t operator()() const noexcept {
        // Relaxed: the counter orders nothing but itself.
        return random_at(seed_, drawn_.fetch_add(1, std::memory_order_relaxed));
    }

private:
    std::uint64_t seed_;
    mutable std::atomic<std::uint64_t> drawn_{0};
};

/// The default source: one sequence for each process, with a seed from the system, so that a fleet
/// of equal processes, or the workers that one process forked, do not draw in step.
///
/// Thread safety: may be called concurrently. Cost: one relaxed fetch_add and, on Linux, one
/// getpid, a system call: it is drawn from only where a call is about to wait or be rejected.
class shared_random {
public:
    std::uint64_t operator()() const noexcept {
        static std::uint64_t const at_start = seed_of_process();
        static constinit std::atomic<std::uint64_t> drawn{0};
        return random_at(at_start ^ identity(), drawn.fetch_add(1, std::memory_order_relaxed));
    }

private:
#if __has_include(<sys/auxv.h>)
    /// The kernel hands every program sixteen random bytes when it starts it.
    static std::uint64_t seed_of_process() noexcept {
        std::uint64_t seed = 0;
        if (auto const bytes = getauxval(AT_RANDOM))
            std::memcpy(&seed, reinterpret_cast<void const*>(bytes), sizeof seed);
        return seed;
    }
    /// A forked child inherits the seed and the count, but not the process id.
    static std::uint64_t identity() noexcept {
        return random_at(0, static_cast<std::uint64_t>(::getpid()));
    }
#else
    static std::uint64_t seed_of_process() noexcept {
        try {
            std::random_device device;
            return std::uint64_t{device()} << 32 | device();
        } catch (...) {  // No entropy is no reason to fail a call: the address is random enough.
            static char const here = 0;
            return reinterpret_cast<std::uintptr_t>(&here);
        }
    }
    static std::uint64_t identity() noexcept { return 0; }
#endif
};

}  // namespace hawser::inline v0
#endif  // HAWSER_BASE_RANDOM_HPP
