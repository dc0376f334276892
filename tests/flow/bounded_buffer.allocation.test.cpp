// SPDX-License-Identifier: BSL-1.0
//
// In a file of its own, because it counts what every `new` of the program does.
#include <hawser/flow/bounded_buffer.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"

#include <chrono>
#include <cstdint>
#include <utility>

using namespace std::chrono_literals;
namespace overflow = hawser::overflow;

namespace {

struct add {
    void operator()(std::uint64_t& kept, std::uint64_t item) const noexcept { kept += item; }
};
struct value {
    std::uint64_t operator()(std::uint64_t number) const noexcept { return number; }
};

}  // namespace

TEMPLATE_TEST_CASE("bounded_buffer: allocates its slots when it is made, and nothing after",
                   "[template]", overflow::block, overflow::reject, overflow::drop_newest,
                   overflow::drop_oldest, overflow::drop_all, overflow::keep_latest,
                   overflow::conflate<add>) {
    support::allocation_probe const making;
    hawser::bounded_buffer<std::uint64_t, TestType, value> buffer{
        {.capacity = 16, .weight = 64, .max_age = 50ms}};
    auto const made = making.count();
    CHECK(made == 1);

    support::allocation_probe const running;
    std::uint64_t came_out = 0;
    for (unsigned i = 0; i != 2000; ++i) {
        hawser::time_point const now{1h + i * 1ms};
        hawser::drop_list<std::uint64_t> drops;
        (void)buffer.push(i % 7, now, drops);
        while (buffer.collect(drops)) drops.clear();
        drops.clear();
        if (i % 100 < 30 && buffer.pop(now, drops).item) ++came_out;
    }
    auto const allocated = running.count();
    CHECK(allocated == 0);
    CHECK(came_out > 100);
}
