// SPDX-License-Identifier: BSL-1.0
//
// Counts what a program allocates: replaces the global operator new and delete by ones that count.
//
// A replacement may be defined once in a program and may not be inline: include this in one source
// file of a test or benchmark.
#ifndef HAWSER_BENCH_SUPPORT_ALLOCATIONS_HPP
#define HAWSER_BENCH_SUPPORT_ALLOCATIONS_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace support {

/// Allocations of all threads since the program began. Relaxed: the counts order nothing.
inline constinit std::atomic<std::uint64_t> allocation_count{0};
inline constinit std::atomic<std::uint64_t> allocated_bytes{0};
inline constinit std::atomic<std::uint64_t> deallocation_count{0};

/// What was allocated since this was made.
///
///     support::allocation_probe probe;
///     execute(line, operation);
///     CHECK(probe.count() == 0);
class allocation_probe {
public:
    [[nodiscard]] std::uint64_t count() const noexcept { return now(allocation_count) - count_; }
    [[nodiscard]] std::uint64_t bytes() const noexcept { return now(allocated_bytes) - bytes_; }

    /// Blocks given back since then, whenever they were allocated.
    [[nodiscard]] std::uint64_t freed() const noexcept { return now(deallocation_count) - freed_; }

private:
    static std::uint64_t now(std::atomic<std::uint64_t> const& counter) noexcept {
        return counter.load(std::memory_order_relaxed);
    }
    std::uint64_t count_ = now(allocation_count);
    std::uint64_t bytes_ = now(allocated_bytes);
    std::uint64_t freed_ = now(deallocation_count);
};

/// If not zero: the how-manieth allocation of this thread from now on finds no memory. Zero then.
inline constinit thread_local std::uint64_t allocation_to_fail = 0;

namespace detail {

[[gnu::noinline]] inline void* try_allocate(std::size_t size, std::size_t alignment) noexcept {
    if (allocation_to_fail != 0 && --allocation_to_fail == 0) return nullptr;
    allocation_count.fetch_add(1, std::memory_order_relaxed);
    allocated_bytes.fetch_add(size, std::memory_order_relaxed);
    if (size == 0) size = 1;
    if (alignment <= alignof(std::max_align_t)) return std::malloc(size);
    // aligned_alloc asks for a size that is a multiple of the alignment.
    return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

[[gnu::noinline]] inline void* allocate(std::size_t size, std::size_t alignment) {
    auto* const block = try_allocate(size, alignment);
    if (block == nullptr) throw std::bad_alloc{};
    return block;
}

// Not inlined: g++ would see the free of what it knows came from operator new, and warn.
[[gnu::noinline]] inline void deallocate(void* block) noexcept {
    if (block == nullptr) return;
    deallocation_count.fetch_add(1, std::memory_order_relaxed);
    std::free(block);
}

}  // namespace detail
}  // namespace support

// Every form, and not the few that the others call by default: the address sanitizer brings its own
// for each that is missing, and then sees blocks of one kind freed by the other.
void* operator new(std::size_t size) { return support::detail::allocate(size, 1); }
void* operator new[](std::size_t size) { return support::detail::allocate(size, 1); }
void* operator new(std::size_t size, std::align_val_t alignment) {
    return support::detail::allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
    return support::detail::allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, std::nothrow_t const&) noexcept {
    return support::detail::try_allocate(size, 1);
}
void* operator new[](std::size_t size, std::nothrow_t const&) noexcept {
    return support::detail::try_allocate(size, 1);
}
void* operator new(std::size_t size, std::align_val_t alignment, std::nothrow_t const&) noexcept {
    return support::detail::try_allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment, std::nothrow_t const&) noexcept {
    return support::detail::try_allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* block) noexcept { support::detail::deallocate(block); }
void operator delete[](void* block) noexcept { support::detail::deallocate(block); }
void operator delete(void* block, std::size_t) noexcept { support::detail::deallocate(block); }
void operator delete[](void* block, std::size_t) noexcept { support::detail::deallocate(block); }
void operator delete(void* block, std::align_val_t) noexcept { support::detail::deallocate(block); }
void operator delete[](void* block, std::align_val_t) noexcept {
    support::detail::deallocate(block);
}
void operator delete(void* block, std::size_t, std::align_val_t) noexcept {
    support::detail::deallocate(block);
}
void operator delete[](void* block, std::size_t, std::align_val_t) noexcept {
    support::detail::deallocate(block);
}
void operator delete(void* block, std::nothrow_t const&) noexcept {
    support::detail::deallocate(block);
}
void operator delete[](void* block, std::nothrow_t const&) noexcept {
    support::detail::deallocate(block);
}

#endif  // HAWSER_BENCH_SUPPORT_ALLOCATIONS_HPP
