// SPDX-License-Identifier: BSL-1.0
//
// An item that threw halfway out of a buffer would be neither in it nor out of it.
// expect: hawser: an item of a bounded_buffer must move without throwing, or it is lost
#include <hawser/flow/bounded_buffer.hpp>

struct item {
    item() = default;
#ifdef HAWSER_ACCEPT
    item(item&&) noexcept {}
#else
    item(item&&) {}
#endif
};

int main() {
    hawser::bounded_buffer<item> const buffer;
    return buffer.empty() ? 0 : 1;
}
