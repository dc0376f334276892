// SPDX-License-Identifier: BSL-1.0
//
// isolation_pool: threads of a dependency's own, with a bounded queue in front.
#ifndef HAWSER_ADAPT_ASIO_ISOLATION_POOL_HPP
#define HAWSER_ADAPT_ASIO_ISOLATION_POOL_HPP

#include <hawser/adapt/asio/detail/isolation_core.hpp>
#include <hawser/adapt/asio/isolation_options.hpp>
#include <hawser/base/named.hpp>
#include <hawser/base/time.hpp>

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

namespace hawser::inline v0 {

/// The threads that `isolated` layers run their calls on. Usually one pool for each dependency.
///
///     isolation_pool search{{.threads = 8, .places = 16}, named{"search"}};
///     auto const line = compose(attempt_timeout{250ms}, isolated{borrow(search)});
///
/// Starts with all its threads. A call that finds them busy waits in the order of arrival; one that
/// finds no place to wait is refused. An operation that hangs holds its thread until it returns:
/// nothing can take that back, and `snapshot().behind` counts them.
///
/// Guarantee:     at most `threads` operations run at one time, and at most `places` calls wait. A
///                call is run once, or never and its caller is told why.
/// Stopping:      what waits is refused as `closed`, as is all that comes later; what runs is
///                waited for. The destructor stops the pool.
/// Thread safety: all members may be called concurrently, but for the destructor. The destructor,
///                `stop` and `drain` wait for the pool's threads, so none of these may call them.
/// Cost:          a short lock on the way in, two on the way through.
class isolation_pool {
public:
    /// Throws `std::invalid_argument`, naming the field, if an option or the name is out of range;
    /// `std::system_error` if there are not so many threads to be had.
    explicit isolation_pool(isolation_options const& options = {}, named name = {"isolated"})
        : core_{std::make_shared<detail::isolation_core>(checked(options, name), name.name)} {
        try {
            threads_.reserve(options.threads);
            for (auto left = options.threads; left != 0; --left) {
                boost::asio::post(pool_, [core = core_] { core->work(); });
                threads_.emplace_back([this] { pool_.attach(); });
            }
        } catch (...) {
            send_home();
            throw;
        }
    }
    isolation_pool(isolation_pool const&) = delete;
    isolation_pool& operator=(isolation_pool const&) = delete;

    /// Stops the pool. What still runs is waited for, however long it takes.
    ~isolation_pool() {
        stop();
        send_home();
    }

    /// Takes no more calls in, and refuses those that wait as `closed`. Waits for nothing; may be
    /// called on a thread of the pool.
    void close() noexcept { core_->close(); }

    /// Closes the pool and waits until nothing runs; what runs at `deadline` is asked to stop, by
    /// the stop token of its call. How many operations run even so.
    ///
    /// Requires that it is not called on a thread of the pool.
    std::uint32_t drain(time_point deadline) {
        close();
        auto const left = core_->await_idle(deadline);
        if (left != 0) core_->stop_running();
        return core_->snapshot().running;
    }

    /// Closes the pool and waits until nothing runs: no operation, and no destructor of one or of
    /// its result. What runs is not asked to stop, unless its caller has gone.
    ///
    /// Requires that it is not called on a thread of the pool.
    void stop() {
        close();
        core_->await_idle(no_deadline);
    }

    [[nodiscard]] isolation_snapshot snapshot() const noexcept { return core_->snapshot(); }

    /// What refusals call it.
    [[nodiscard]] char const* name() const noexcept { return core_->name(); }

    /// For the layers that use it.
    [[nodiscard]] std::shared_ptr<detail::isolation_core> const& core() const noexcept {
        return core_;
    }

private:
    static isolation_options const& checked(isolation_options const& options, named name) {
        if (options.threads == 0 || options.threads > 4096)
            throw std::invalid_argument{"isolation_pool: threads is not in [1, 4096]"};
        (void)detail::checked(name, "isolation_pool: name is null");
        return options;
    }

    /// Those that have begun are then joined.
    void send_home() noexcept {
        core_->close();
        pool_.stop();
    }

    std::shared_ptr<detail::isolation_core> core_;

    // Made without threads, which are attached: its own constructor waits for ever where there are
    // some of the threads that it is to make, and not all.
    boost::asio::thread_pool pool_{0};
    std::vector<std::jthread> threads_;
};

}  // namespace hawser::inline v0
#endif  // HAWSER_ADAPT_ASIO_ISOLATION_POOL_HPP
