// SPDX-License-Identifier: BSL-1.0
//
// Several limits decided as one: all of them grant, or none is charged.
//
//     1  ask each, writing nothing           one refuses ---> refused, nothing was taken
//     2  take from each, in the order        one refuses ---> give back what was taken
//        of their addresses                  (another thread came between 1 and 2)
//
// Alone, a thread never comes to giving back. The order is the same for everybody who decides over
// the same limits, however they list them: of two that compete for the last tokens, one takes the
// first limit's while the other has taken nothing, so that they never refuse each other.
//
// Decided is for now: no time to come is reserved. The limits would have their tokens at different
// times, and what one reserves early is either used late, more of it at once than the limit allows,
// or keeps everybody else waiting until then.
#ifndef HAWSER_RATE_ALL_OF_HPP
#define HAWSER_RATE_ALL_OF_HPP

#include <hawser/base/contract.hpp>
#include <hawser/base/time.hpp>
#include <hawser/rate/admission.hpp>
#include <hawser/rate/at_key.hpp>

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

namespace hawser::inline v0 {

/// The answer of several limits to one request.
struct [[nodiscard]] joint_admission : admission {
    /// If refused, the place in the list, from 0, of the limit whose `retry_after` this is.
    std::size_t refused_by = 0;

    /// That limit is one of many, and has no room for the key.
    bool without_room = false;

    /// Tokens that were taken for a refused request and could not be given back, since another
    /// thread took from the same limit meanwhile; summed over the limits. Mostly zero.
    std::uint64_t lost = 0;

    // As of a `keyed_admission`.

    static joint_admission no_room() noexcept {
        joint_admission refused;
        refused.without_room = true;
        return refused;
    }
    [[nodiscard]] bool found_no_room() const noexcept { return without_room; }
};

/// Decides over several limits as one. A view of them, made for one decision or kept for many:
/// `all_of{per_user, global}.try_acquire(now)`. Each is a limiter that has a name, or a view of
/// one, such as `at_key`.
///
/// Guarantee:     a request that is refused takes nothing from any limit, unless another thread
///                takes from one of them during the same call. Then it may lose what it took from
///                limits before the one that refused, in the order of their addresses: at most
///                `count` tokens each, which those limits grant to nobody; `lost` counts them. No
///                limit ever grants more than it would alone. It never asks again by itself.
/// Thread safety: that of its limits. Concurrent decisions over keys of one container may refuse
///                each other if they list them in different orders.
/// Cost:          each limit is asked, and if all grant, taken from, once. Allocates nothing.
template <class... Limiters>
class all_of {
    static constexpr auto size = sizeof...(Limiters);
    static_assert(size > 0);
    static_assert((reserving_limiter<std::remove_reference_t<Limiters>> && ...),
                  "hawser: all_of() needs limiters that reserve and cancel");
    static_assert(((std::is_lvalue_reference_v<Limiters> ||
                    reserving_limiter<Limiters const>)&&...),
                  "hawser: all_of() decides over limiters that outlive it; one of these is a "
                  "temporary: name it");
    static constexpr bool never_throws =
        (noexcept(std::declval<Limiters&>().reserve(std::declval<time_point const&>(), 0U,
                                                    std::declval<duration const&>())) &&
         ...);

public:
    /// How many tokens a request costs, for each limit in the order of the list.
    using costs = std::array<std::uint32_t, size>;

    /// Requires that no limiter stands in the list twice.
    explicit constexpr all_of(Limiters&&... limiters) noexcept
        : limiters_{std::forward<Limiters>(limiters)...} {
        auto const identities = std::apply(
            [](auto const&... each) { return std::array{identity_of(each)...}; }, limiters_);
        for (std::size_t i = 0; i != size; ++i) {
            auto place = i;  // Sorted by insertion: a handful, mostly in order.
            for (; place != 0; --place) {
                auto const order =
                    std::compare_three_way{}(identities[order_[place - 1]], identities[i]);
                if (order <= 0) break;
                order_[place] = order_[place - 1];
            }
            order_[place] = i;
        }
        HAWSER_ASSERT(all_differ());
    }

    /// Takes `count` tokens from every limit if all have them, else none.
    ///
    /// A refusal's `retry_after` is the largest of those limits that refuse: exact to the
    /// nanosecond, if theirs are and nobody asks before. `never` if one says so. If a limit has the
    /// tokens when it is asked, but not when they are taken, the `retry_after` is this one's.
    joint_admission try_acquire(time_point now, std::uint32_t count = 1) noexcept(never_throws) {
        costs all{};
        all.fill(count);
        return try_acquire(now, all);
    }

    /// The same, at a cost of its own for each limit, such as a request and its bytes.
    joint_admission try_acquire(time_point now, costs const& counts) noexcept(never_throws) {
        auto answer = ask(now, counts);
        if (answer.retry_after > duration::zero()) return answer;
        holding held{*this, counts};
        for (auto const place : order_) {
            if (held.take(place, now, answer)) continue;
            answer.lost = held.give_back();
            return answer;
        }
        held.keep();
        answer.granted = true;
        return answer;
    }

private:
    template <class Limiter>
    using reservation_of =
        decltype(std::declval<Limiter&>().reserve(time_point{}, std::uint32_t{}, duration{}));

    /// What was taken so far; given back where it is not kept, also when a limiter throws.
    class holding {
    public:
        holding(all_of& from, costs const& counts) noexcept : from_{from}, counts_{counts} {}
        holding(holding const&) = delete;
        holding& operator=(holding const&) = delete;
        ~holding() { (void)give_back(); }

        /// Whether it took from the limit at `place`; if not, `answer` says so.
        bool take(std::size_t place, time_point now, joint_admission& answer) {
            bool granted = false;
            from_.visit(place, [&](auto index) {
                auto& taken = std::get<index>(taken_);
                taken =
                    std::get<index>(from_.limiters_).reserve(now, counts_[index], duration::zero());
                granted = taken.granted;
                // A refusal that names no time to wait would read as a grant.
                if (!granted) refuse(answer, index, taken, std::max(ask_again(taken), duration{1}));
            });
            if (granted) ++size_;
            return granted;
        }

        /// The number of tokens that it could not give back.
        std::uint64_t give_back() noexcept {
            std::uint64_t lost = 0;
            while (size_ != 0)
                from_.visit(from_.order_[--size_], [&](auto index) {
                    if (!std::get<index>(from_.limiters_).cancel(std::get<index>(taken_)))
                        lost += counts_[index];
                });
            return lost;
        }

        void keep() noexcept { size_ = 0; }

    private:
        all_of& from_;
        costs const& counts_;
        std::tuple<reservation_of<Limiters>...> taken_{};
        std::size_t size_ = 0;
    };

    /// Asks each limit, in the order of the list, and writes nothing.
    joint_admission ask(time_point now, costs const& counts) noexcept(never_throws) {
        joint_admission answer{};
        each([&](auto index) {
            auto const told = std::get<index>(limiters_).reserve(now, counts[index], duration{-1});
            if (ask_again(told) > answer.retry_after) refuse(answer, index, told, ask_again(told));
        });
        return answer;
    }

    template <class Reservation>
    static duration ask_again(Reservation const& refused) noexcept {
        if constexpr (requires { refused.retry_after; })
            return refused.retry_after;
        else
            return refused.wait;
    }

    template <class Reservation>
    static void refuse(joint_admission& answer, std::size_t place, Reservation const& told,
                       duration retry_after) noexcept {
        answer.retry_after = retry_after;
        answer.refused_by = place;
        if constexpr (requires { told.found_no_room(); })
            answer.without_room = told.found_no_room();
        else
            answer.without_room = false;
    }

    template <class Do>
    static void each(Do&& act) {
        [&]<std::size_t... Index>(std::index_sequence<Index...>) {
            (act(std::integral_constant<std::size_t, Index>{}), ...);
        }
        (std::make_index_sequence<size>{});
    }
    template <class Do>
    static void visit(std::size_t place, Do&& act) {
        each([&](auto index) {
            if (index == place) act(index);
        });
    }

    template <class Limiter>
    static constexpr void const* identity_of(Limiter const& limiter) noexcept {
        if constexpr (requires { limiter.identity(); })
            return limiter.identity();
        else
            return std::addressof(limiter);
    }

    /// Two keys of one container may be the same limiter; only the caller can tell.
    [[nodiscard]] constexpr bool all_differ() const noexcept {
        bool differ = true;
        each([&](auto left) {
            each([&](auto right) {
                if constexpr (left < right) {
                    void const* const one = std::addressof(std::get<left>(limiters_));
                    void const* const other = std::addressof(std::get<right>(limiters_));
                    differ = differ && one != other;
                }
            });
        });
        return differ;
    }

    std::tuple<Limiters...> limiters_;
    std::array<std::size_t, size> order_{};
};
template <class... Limiters>
requires(reserving_limiter<std::remove_reference_t<Limiters>>&&...) all_of(Limiters&&...)
->all_of<Limiters...>;

}  // namespace hawser::inline v0
#endif  // HAWSER_RATE_ALL_OF_HPP
