// SPDX-License-Identifier: BSL-1.0
//
// The one block of memory of an asynchronous call, from the allocator of its handler.
#ifndef HAWSER_ADAPT_ASIO_DETAIL_CALL_BLOCK_HPP
#define HAWSER_ADAPT_ASIO_DETAIL_CALL_BLOCK_HPP

#include <memory>

namespace hawser::inline v0::detail {

template <class T, class Allocator>
using block_allocator = typename std::allocator_traits<Allocator>::template rebind_alloc<T>;

/// Makes a `T` by `construct(memory)` in a block of its own; frees that if it throws.
template <class T, class Allocator, class Construct>
[[nodiscard, gnu::always_inline]] inline T* make_in_block(Allocator const& allocator,
                                                          Construct&& construct) {
    block_allocator<T, Allocator> blocks{allocator};
    T* const block = std::allocator_traits<decltype(blocks)>::allocate(blocks, 1);
    try {
        return construct(static_cast<void*>(block));
    } catch (...) {
        std::allocator_traits<decltype(blocks)>::deallocate(blocks, block, 1);
        throw;
    }
}

/// Gives the memory back of what `make_in_block` made and somebody has destroyed.
template <class T, class Allocator>
[[gnu::always_inline]] inline void free_block(Allocator const& allocator, T* block) noexcept {
    block_allocator<T, Allocator> blocks{allocator};
    std::allocator_traits<decltype(blocks)>::deallocate(blocks, block, 1);
}

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_ADAPT_ASIO_DETAIL_CALL_BLOCK_HPP
