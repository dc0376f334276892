// SPDX-License-Identifier: BSL-1.0
//
// A subscription: how a subscriber asks for items, and says that it wants no more.
#ifndef HAWSER_RUN_DEMAND_SUBSCRIPTION_HPP
#define HAWSER_RUN_DEMAND_SUBSCRIPTION_HPP

#include <cstdint>
#include <memory>
#include <utility>

namespace hawser::inline v0::demand {

/// What stands behind a subscription: the sender's part of one flow.
///
/// A class with virtual functions, where subscribers are a concept: a subscription passes through
/// all stages of a line, whose types it must not know, and is called once for many items.
class subscription_core {
public:
    subscription_core() = default;
    subscription_core(subscription_core const&) = delete;
    subscription_core& operator=(subscription_core const&) = delete;

    virtual void request(std::int64_t count) noexcept = 0;
    virtual void cancel() noexcept = 0;

protected:
    ~subscription_core() = default;  // Owned by shared pointers that know its type.
};

/// A subscriber's share in a flow. Copies are the same subscription.
///
/// Thread safety: `request` and `cancel` may be called concurrently, on one object or on copies,
///                from inside of signals or outside of them.
class subscription {
public:
    /// The subscription to nothing: what it is asked has no effect.
    subscription() = default;

    explicit subscription(std::shared_ptr<subscription_core> core) noexcept
        : core_{std::move(core)} {}

    /// Asks for `count` more items. They may arrive before this returns, on this thread, but for
    /// calls from inside of a signal, which return first. Does nothing once the flow has ended or
    /// was cancelled; else a `count` below one ends it with an error (rule 3.9).
    void request(std::int64_t count) const noexcept {
        // The pointer is kept for the call: the flow may end in it, and its subscriber be destroyed
        // with this object inside.
        if (auto const core = core_) core->request(count);
    }

    /// Says that no more items are wanted. From inside of a signal: nothing follows it. From
    /// elsewhere: at most the signal that is under way still arrives. Again: does nothing.
    void cancel() const noexcept {
        if (auto const core = core_) core->cancel();
    }

    /// Whether there is a flow that it was made for, ended or not.
    explicit operator bool() const noexcept { return core_ != nullptr; }

private:
    std::shared_ptr<subscription_core> core_;
};

}  // namespace hawser::inline v0::demand
#endif  // HAWSER_RUN_DEMAND_SUBSCRIPTION_HPP
