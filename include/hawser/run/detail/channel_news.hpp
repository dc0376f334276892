// SPDX-License-Identifier: BSL-1.0
//
// What a channel tells the sink of its environment: of those that waited at its ends, of those that
// could not, and of its end.
#ifndef HAWSER_RUN_DETAIL_CHANNEL_NEWS_HPP
#define HAWSER_RUN_DETAIL_CHANNEL_NEWS_HPP

#include <hawser/base/error.hpp>
#include <hawser/base/time.hpp>
#include <hawser/run/transfer.hpp>
#include <hawser/trace/event.hpp>
#include <hawser/trace/sink.hpp>

#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>

namespace hawser::inline v0::detail {

enum class end_of : bool { receiver, sender };

/// Thread safety: all members may be called concurrently, under no lock. Where the sink does not
/// want to hear of waits no clock is read.
template <class Environment>
class channel_news {
public:
    using sink_type = std::remove_reference_t<decltype(std::declval<Environment const&>().sink())>;

private:
    static constexpr bool tells = listens_to<sink_type, channel_waited>;
    struct untold {};

public:
    /// When somebody began to wait, if anybody is to hear of it.
    using wait_begin = std::conditional_t<tells, std::optional<time_point>, untold>;

    channel_news(Environment env, char const* name) : env_{std::move(env)}, name_{name} {}

    [[nodiscard]] Environment const& env() const noexcept { return env_; }
    [[nodiscard]] char const* name() const noexcept { return name_; }
    [[nodiscard]] auto& sink() const noexcept { return env_.sink(); }
    [[nodiscard]] event_origin origin() const noexcept { return {env_.now(), name_, 0}; }

    /// Somebody is about to be queued. Again, and the wait goes on.
    void begin([[maybe_unused]] wait_begin& begun) const noexcept {
        if constexpr (tells)
            if (!begun) begun = env_.now();
    }
    /// It was not queued.
    static void forget([[maybe_unused]] wait_begin& begun) noexcept { begun = {}; }

    /// Whoever might have waited has ended: after a wait, if that was begun. Answers `what`.
    template <class Core>
    transfer ended([[maybe_unused]] end_of end, [[maybe_unused]] wait_begin const& begun,
                   transfer what, [[maybe_unused]] Core const& core) const noexcept {
        if (what == transfer::would_wait || what == transfer::crowded ||
            what == transfer::too_large)
            emit<channel_refused>(sink(), [&] {
                return channel_refused{origin(), end == end_of::sender, code_of(what)};
            });
        if constexpr (tells)
            if (begun)
                emit<channel_waited>(sink(), [&] { return waited(end, *begun, what, core); });
        return what;
    }

    /// It has been closed, with so many values in it.
    void closed([[maybe_unused]] std::size_t left) const noexcept {
        emit<channel_closed>(sink(), [&] { return channel_closed{origin(), left}; });
    }

private:
    template <class Core>
    channel_waited waited(end_of end, time_point begun, transfer what,
                          Core const& core) const noexcept {
        auto const from = origin();
        return {from, end == end_of::sender, code_of(what), time_between(begun, from.at),
                core.size()};
    }

    [[no_unique_address]] Environment env_;
    char const* name_;
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_RUN_DETAIL_CHANNEL_NEWS_HPP
