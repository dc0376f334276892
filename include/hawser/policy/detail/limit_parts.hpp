// SPDX-License-Identifier: BSL-1.0
//
// The parts that a limit on calls at one time is put together from.
#ifndef HAWSER_POLICY_DETAIL_LIMIT_PARTS_HPP
#define HAWSER_POLICY_DETAIL_LIMIT_PARTS_HPP

#include <hawser/base/borrow.hpp>
#include <hawser/base/error.hpp>
#include <hawser/base/outcome.hpp>
#include <hawser/base/parts.hpp>
#include <hawser/containers/queueing/discipline.hpp>
#include <hawser/containers/queueing/fifo.hpp>
#include <hawser/containers/waiter.hpp>
#include <hawser/limit/limit_algorithm.hpp>
#include <hawser/limit/semaphore.hpp>
#include <hawser/policy/concept.hpp>
#include <hawser/policy/detail/rate_parts.hpp>
#include <hawser/policy/detail/told_parts.hpp>

#include <algorithm>
#include <cstdint>
#include <string_view>  // std::hash
#include <type_traits>
#include <utility>

namespace hawser::inline v0 {

namespace detail {
struct no_options {};
template <class Discipline>
struct discipline_options {
    using type = no_options;
};
template <class Discipline>
requires requires { typename Discipline::options_type; }
struct discipline_options<Discipline> {
    using type = typename Discipline::options_type;
};
}  // namespace detail

/// Who of those that wait goes next, and who is turned away: `queued_by<queueing::codel>{}`, with
/// the discipline's options if it has any.
template <queueing::discipline Discipline>
struct queued_by {
    using discipline_type = Discipline;
    [[no_unique_address]] typename detail::discipline_options<Discipline>::type options{};
};

/// How many calls may wait at one time.
struct places {
    std::uint32_t count = 100;
};

/// What an outcome says of the load: `f(outcome const&)` answers a `sample_outcome`.
///
/// It is not asked of what a predicate threw, nor of a call that did not succeed and is being
/// stopped from outside, by its caller or a deadline: an outcome does not show why it came. Those
/// say nothing.
template <class F>
struct sampled_by {
    F f;

    template <class Call, class R>
    [[nodiscard]] sample_outcome operator()(char const* policy, Call& call,
                                            outcome<R>& out) const noexcept {
        auto const stopped = call.stop_requested() && out.classify() != verdict::success;
        if (stopped || call.predicate_threw()) return sample_outcome::ignored;
        return call.ask(policy, out, sample_outcome::ignored,
                        [&]() noexcept(noexcept(f(std::as_const(out)))) {
                            return static_cast<sample_outcome>(f(std::as_const(out)));
                        });
    }
};
template <class F>
sampled_by(F) -> sampled_by<F>;

namespace detail {

/// A success is a measure, a timeout further in is overload, whether it cut the operation off or
/// found that it failed too late, and all else says nothing.
struct standard_samples {
    template <class Call, class R>
    [[nodiscard]] sample_outcome operator()(char const*, Call& call,
                                            outcome<R> const& out) const noexcept {
        if (out.classify() == verdict::success) return sample_outcome::success;
        auto const timed_out = out.code() == errc::timed_out || call.attempt_timed_out();
        if (timed_out && judge(call, out) == verdict::failure) return sample_outcome::dropped;
        return sample_outcome::ignored;
    }
};

template <class Part>
inline constexpr bool is_sampler = false;
template <class F>
inline constexpr bool is_sampler<sampled_by<F>> = true;

struct sampler_part {
    template <class Part>
    static constexpr bool is = is_sampler<Part>;
    using standard = standard_samples;
};
struct places_part {
    template <class Part>
    static constexpr bool is = std::is_same_v<Part, places>;
    using standard = places;
};

/// The places among `parts`; the standard number if none are there.
template <class... Parts>
[[nodiscard]] std::uint32_t places_among(Parts const&... parts) noexcept {
    std::uint32_t count = places{}.count;
    [[maybe_unused]] auto const look = [&count](auto const& part) {
        if constexpr (std::is_same_v<std::remove_cvref_t<decltype(part)>, places>)
            count = part.count;
    };
    (look(parts), ...);
    return count;
}

template <class Part>
inline constexpr bool is_queue = false;
template <class Discipline>
inline constexpr bool is_queue<queued_by<Discipline>> = true;

struct queue_part {
    template <class Part>
    static constexpr bool is = is_queue<Part>;
    using standard = queued_by<queueing::fifo>;
};

/// What a policy is called where nothing else is said, and what it says of wrong parts.
struct wait_messages {
    char const* name;
    char const* not_positive;
    char const* null_name;
};

using bulkhead_kinds = kinds<waiting_part, queue_part, cost_part, told_part, name_part>;

using concurrency_kinds =
    kinds<waiting_part, places_part, queue_part, cost_part, sampler_part, told_part, name_part>;

using throttle_kinds = kinds<sampler_part, name_part>;

/// The semaphore whose queue is as `Parts` say.
template <class... Parts>
using semaphore_for = basic_semaphore<typename part_t<queue_part, Parts...>::discipline_type>;

/// A semaphore made of `source` and the queue among `parts`, or the one that is borrowed.
template <class Engine, class Source, class... Parts>
[[nodiscard]] Engine make_engine(Source const& source, [[maybe_unused]] Parts&... parts) {
    if constexpr (std::is_same_v<Engine, Source>) {
        return source;
    } else {
        auto const queue = take_part<queue_part>(parts...);
        if constexpr (std::is_same_v<std::remove_cvref_t<decltype(queue.options)>, no_options>)
            return Engine{source};
        else
            return Engine{source, queue.options};
    }
}

/// How many permits a call takes: at least one, for a call that holds none would not be counted.
template <class Cost, class Call>
[[nodiscard, gnu::always_inline]] inline std::uint32_t permits_for(
    [[maybe_unused]] Cost const& cost, [[maybe_unused]] Call& call) noexcept {
    if constexpr (std::is_same_v<Cost, unit_cost>) {
        return 1;
    } else {
        static_assert(noexcept(cost.f(std::as_const(call))),
                      "hawser: what cost_by is given must be noexcept");
        return std::max<std::uint32_t>(cost.f(std::as_const(call)), 1);
    }
}

/// Tells a queue what is known of a call: its priority, where zero, the normal one, is the class 3
/// of 0 to 7, and whose it is.
template <class Call>
void describe([[maybe_unused]] waiter& node, [[maybe_unused]] Call& call) noexcept {
    int priority = 0;
    if constexpr (Call::has_facts) priority = std::clamp(call.facts().priority, -3, 4);
    node.priority = static_cast<std::uint8_t>(priority + 3);
    if constexpr (requires { call.key(); }) {
        using key = std::remove_cvref_t<decltype(call.key())>;
        if constexpr (requires { std::hash<key>{}(call.key()); })
            node.flow = std::hash<key>{}(call.key());
    }
}

}  // namespace detail
}  // namespace hawser::inline v0
#endif  // HAWSER_POLICY_DETAIL_LIMIT_PARTS_HPP
