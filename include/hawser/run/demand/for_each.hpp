// SPDX-License-Identifier: BSL-1.0
//
// for_each: the plain end of a line, which hands each item to a function.
#ifndef HAWSER_RUN_DEMAND_FOR_EACH_HPP
#define HAWSER_RUN_DEMAND_FOR_EACH_HPP

#include <hawser/flow/credit.hpp>
#include <hawser/run/demand/subscriber.hpp>

#include <concepts>
#include <cstdint>
#include <exception>
#include <utility>

namespace hawser::inline v0::demand {

/// What a flow came to. Handed to the second function of `for_each`, once.
struct flow_end {
    /// None if the flow has completed.
    std::exception_ptr error{};

    [[nodiscard]] bool is_complete() const noexcept { return error == nullptr; }
};

/// A subscriber that asks for `prefetch` items at first, and again in batches of three quarters as
/// it is done with them; `replenishment::unbounded` asks once for all there are.
///
/// `use(item)` may throw, which ends the flow with that error. `done(flow_end)` is called at the
/// end, unless the flow was cancelled, and may not throw.
template <class Use, std::invocable<flow_end> Done>
class item_loop {
public:
    /// Throws `std::invalid_argument` if `prefetch` is zero.
    item_loop(Use use, Done done, std::uint32_t prefetch)
        : use_(std::move(use)), done_(std::move(done)), credit_{prefetch} {}

    void on_subscribe(subscription handle) noexcept {
        from_ = std::move(handle);
        from_.request(credit_.first());
    }
    template <class T>
    requires std::invocable<Use&, T>
    void on_next(T item) {
        use_(std::move(item));
        if (auto const more = credit_.consume_one(); more > 0) from_.request(more);
    }
    void on_error(std::exception_ptr why) noexcept { done_(flow_end{std::move(why)}); }
    void on_complete() noexcept { done_(flow_end{}); }

private:
    Use use_;
    Done done_;
    replenishment credit_;
    subscription from_;
};

/// A subscriber for `subscribe`: calls `use` for each item, and `done` at the end.
template <class Use, std::invocable<flow_end> Done>
[[nodiscard]] auto for_each(Use use, Done done, std::uint32_t prefetch = 256) {
    return item_loop<Use, Done>{std::move(use), std::move(done), prefetch};
}

}  // namespace hawser::inline v0::demand
#endif  // HAWSER_RUN_DEMAND_FOR_EACH_HPP
