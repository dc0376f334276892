// SPDX-License-Identifier: BSL-1.0
//
// The calls of an execution context that wait for something outside it. When the context shuts
// down, they are told, on the thread that does so, and nothing is posted to it any more.
#ifndef HAWSER_ADAPT_ASIO_DETAIL_CALL_REGISTRY_HPP
#define HAWSER_ADAPT_ASIO_DETAIL_CALL_REGISTRY_HPP

#include <boost/asio/execution_context.hpp>
#include <boost/intrusive/list.hpp>

#include <memory>
#include <mutex>

namespace hawser::inline v0::detail {

/// A call that waits. Its members are under the lock of the registry.
class registered_call : public boost::intrusive::list_base_hook<> {
public:
    registered_call(registered_call const&) = delete;
    registered_call& operator=(registered_call const&) = delete;

    /// The context shuts down; the call has been taken out of the registry, and `lock`, which is
    /// held, is to be let go.
    virtual void drop(std::unique_lock<std::mutex>& lock) noexcept = 0;

protected:
    registered_call() = default;
    ~registered_call() = default;
};

/// The calls of one context. Lives as long as anybody refers to it: longer than the context.
struct call_registry {
    std::mutex mutex;
    boost::intrusive::list<registered_call> calls;
    bool closed = false;

    /// The registry of a context.
    [[nodiscard]] static std::shared_ptr<call_registry> const& of(
        boost::asio::execution_context& context);
};

/// What closes it.
class call_registry_service final : public boost::asio::execution_context::service {
public:
    using key_type = call_registry_service;
    static inline boost::asio::execution_context::id id;

    explicit call_registry_service(boost::asio::execution_context& context) : service{context} {}

    [[nodiscard]] std::shared_ptr<call_registry> const& registry() const noexcept {
        return registry_;
    }

private:
    void shutdown() noexcept override {
        std::unique_lock lock{registry_->mutex};
        registry_->closed = true;
        while (!registry_->calls.empty()) {
            auto& call = registry_->calls.front();
            registry_->calls.pop_front();
            call.drop(lock);
            lock.lock();
        }
    }

    std::shared_ptr<call_registry> const registry_ = std::make_shared<call_registry>();
};

inline std::shared_ptr<call_registry> const& call_registry::of(
    boost::asio::execution_context& context) {
    return boost::asio::use_service<call_registry_service>(context).registry();
}

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_ADAPT_ASIO_DETAIL_CALL_REGISTRY_HPP
