// SPDX-License-Identifier: BSL-1.0
//
// ordered_delivery: many threads cause events, one at a time delivers them, in order.
//
// Whoever has caused an event asks for a delivery, after leaving every lock. The first to ask
// delivers; who asks meanwhile, from another thread or from inside the delivery, only leaves word
// and goes, and the one who delivers looks again. So a sink may call back into what it observes.
#ifndef HAWSER_TRACE_ORDERED_DELIVERY_HPP
#define HAWSER_TRACE_ORDERED_DELIVERY_HPP

#include <atomic>
#include <cstdint>

namespace hawser::inline v0 {

/// Sees to it that one thread at a time delivers, and that nothing is left lying.
///
/// Thread safety: `run` may be called concurrently and from inside a delivery.
class ordered_delivery {
public:
    /// Calls `deliver_all`, which takes out and delivers everything there is, now and again for as
    /// long as others ask; or leaves that to whoever is delivering. `deliver_all` does not throw.
    template <class DeliverAll>
    void run(DeliverAll&& deliver_all) noexcept {
        // Acquire and release on both sides: what was delivered before is seen by who delivers
        // next, and what was queued before asking is seen by who serves the request.
        if (requests_.fetch_add(1, std::memory_order_acq_rel) != 0) return;
        for (std::uint32_t served = 1;;) {
            deliver_all();
            auto const asked = requests_.fetch_sub(served, std::memory_order_acq_rel);
            if (asked == served) return;
            served = asked - served;
        }
    }

private:
    std::atomic<std::uint32_t> requests_{0};
};

}  // namespace hawser::inline v0
#endif  // HAWSER_TRACE_ORDERED_DELIVERY_HPP
