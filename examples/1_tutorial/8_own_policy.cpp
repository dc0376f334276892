// SPDX-License-Identifier: BSL-1.0
//
// How do I write a policy of my own?
//
// Output:
//     a call inside a call: bulkhead full (one_at_a_time)
//     the next call: 4.50
#include <hawser/hawser.hpp>

#include <atomic>
#include <cstdio>

namespace {

// [policy]
/// Lets one call through at a time and refuses the others.
class one_at_a_time {
public:
    using stateful = void;  // Its calls meet in it: pipelines borrow it and do not copy it.
    static constexpr char const* name = "one_at_a_time";

    struct call_state {};  // Nothing to remember from `before` to `after`.

    template <class Call>
    hawser::gate before(call_state&, Call&) noexcept {
        // Acquire: what the call before this one wrote is seen by this one.
        if (busy_.exchange(true, std::memory_order_acquire))
            return {.code = hawser::errc::bulkhead_full};
        return {};
    }
    template <class Call, class R>
    void after(call_state&, Call&, hawser::outcome<R>&) noexcept {
        release();
    }
    template <class Call>
    void abandon(call_state&, Call&) noexcept {
        release();
    }

private:
    void release() noexcept { busy_.store(false, std::memory_order_release); }

    std::atomic<bool> busy_{false};
};
// [/policy]

}  // namespace

int main() {
    // [use]
    one_at_a_time door;
    auto const line = hawser::compose(hawser::borrow(door));

    auto const outer = hawser::try_execute(line, [&] {
        auto const inner = hawser::try_execute(line, [] { return 4.50; });
        std::printf("a call inside a call: %s (%s)\n", hawser::to_string(inner.code()),
                    inner.why()->policy);
        return inner.code();
    });
    double const price = hawser::execute(line, [] { return 4.50; });
    std::printf("the next call: %.2f\n", price);
    // [/use]
    return outer.value() == hawser::errc::bulkhead_full && price == 4.50 ? 0 : 1;
}
