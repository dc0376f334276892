// SPDX-License-Identifier: BSL-1.0
//
// A merged item is weighed after the merge, when there is no way back.
// expect: hawser: weighing an item must be noexcept, and answer with a number
#include <hawser/flow/bounded_buffer.hpp>

#include <string>

struct bytes {
#ifdef HAWSER_ACCEPT
    std::size_t operator()(std::string const& text) const noexcept { return text.size(); }
#else
    std::size_t operator()(std::string const& text) const { return text.size(); }
#endif
};

int main() {
    hawser::bounded_buffer<std::string, hawser::overflow::block, bytes> const buffer;
    return buffer.empty() ? 0 : 1;
}
