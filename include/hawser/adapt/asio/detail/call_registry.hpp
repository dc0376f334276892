// SPDX-License-Identifier: BSL-1.0
//
// The calls of an execution context that wait for something outside it. When the context shuts
// down, they are told, on the thread that does so, and nothing is posted to it any more.
#ifndef HAWSER_ADAPT_ASIO_DETAIL_CALL_REGISTRY_HPP
#define HAWSER_ADAPT_ASIO_DETAIL_CALL_REGISTRY_HPP

#include <boost/asio/detail/strand_executor_service.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/intrusive/list.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>

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

    /// How many post to the context outside the lock, having seen under it that it is not closed.
    /// The context stays until they have done so.
    std::atomic<std::uint32_t> posting{0};

    /// The registry of a context. The thread remembers the last one it asked for, for as long as
    /// none at all is destroyed: looking a service up takes the context's lock.
    [[nodiscard]] static std::shared_ptr<call_registry> const& of(
        boost::asio::execution_context& context);
};

/// How many have been destroyed, of all contexts.
inline constinit std::atomic<std::uint64_t> call_registries_gone{0};

/// What closes it.
class call_registry_service final : public boost::asio::execution_context::service {
public:
    using key_type = call_registry_service;
    static inline boost::asio::execution_context::id id;

    /// What is newer shuts down first, and strands must not before this has: posting to a strand
    /// that shuts down is a race. So what shuts them down is made before this is. By its own name:
    /// a strand that is made without memory ends the program (Boost 1.81).
    explicit call_registry_service(boost::asio::execution_context& context) : service{context} {
        boost::asio::use_service<boost::asio::detail::strand_executor_service>(context);
    }
    ~call_registry_service() {
        shutdown();  // One that is made while the context shuts down is not told to.
        // Release: who makes a context at the same address makes it after this.
        call_registries_gone.fetch_add(1, std::memory_order_release);
    }

    [[nodiscard]] std::shared_ptr<call_registry> const& registry() const noexcept {
        return registry_;
    }

private:
    void shutdown() noexcept override {
        std::unique_lock lock{registry_->mutex};
        registry_->closed = true;
        lock.unlock();
        // Acquire: what was posted has been. It is a few instructions of another thread, which
        // leaves its call here again if the executor has lost what it was given.
        while (registry_->posting.load(std::memory_order_acquire) != 0) std::this_thread::yield();
        lock.lock();
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
    struct memory {
        boost::asio::execution_context* context;
        call_registry_service* service;
        std::uint64_t gone;
    };
    static constinit thread_local memory last{};
    auto const gone = call_registries_gone.load(std::memory_order_acquire);
    if (last.context != &context || last.gone != gone)
        last = {&context, &boost::asio::use_service<call_registry_service>(context), gone};
    return last.service->registry();
}

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_ADAPT_ASIO_DETAIL_CALL_REGISTRY_HPP
