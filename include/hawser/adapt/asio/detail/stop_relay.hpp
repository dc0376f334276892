// SPDX-License-Identifier: BSL-1.0
//
// Carries a stop request from whichever thread makes it to the executor of the call.
#ifndef HAWSER_ADAPT_ASIO_DETAIL_STOP_RELAY_HPP
#define HAWSER_ADAPT_ASIO_DETAIL_STOP_RELAY_HPP

#include <atomic>
#include <optional>
#include <stop_token>

namespace hawser::inline v0::detail {

/// Calls `Owner::relay_stop`, once, when a stop is requested. `Owner` posts itself a message there,
/// and says `arrived` when it has come.
template <class Owner>
class stop_relay {
public:
    void watch(std::stop_token const& token, Owner& owner) {
        if (token.stop_possible()) callback_.emplace(token, request{*this, owner});
    }

    /// After this no message is sent any more; one that was may be on its way.
    void unwatch() noexcept { callback_.reset(); }

    void arrived() noexcept { sent_.store(false, std::memory_order_relaxed); }

    /// Requires `unwatch`, which makes what the callback stored visible.
    [[nodiscard]] bool on_its_way() const noexcept { return sent_.load(std::memory_order_relaxed); }

private:
    struct request {
        stop_relay& relay;
        Owner& owner;
        void operator()() const noexcept {
            relay.sent_.store(true, std::memory_order_relaxed);
            owner.relay_stop();
        }
    };

    std::atomic<bool> sent_{false};
    std::optional<std::stop_callback<request>> callback_;
};

/// For calls that have no stop token.
struct no_stop_relay {
    void unwatch() noexcept {}
    void arrived() noexcept {}
    [[nodiscard]] bool on_its_way() const noexcept { return false; }
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_ADAPT_ASIO_DETAIL_STOP_RELAY_HPP
