// SPDX-License-Identifier: BSL-1.0
//
// What a server has at its front door: classes, and in each of them the order and the shedding that
// an overload asks for.
//
//     class 7   [ oldest ... newest ]     next:  the class that was passed over for longest, where
//     class 6   [ oldest ... newest ]            each counts `ageing` less than the one above; of
//      ...                                       it the oldest, or the newest once it stands
//     class 0   [ oldest ... newest ]     shed:  the oldest of the lowest class that waits
//
//     each class:      its oldest waited >= target, for an interval on end
//            [ good ] -----------------------------------------------------> [ stands ]
//          oldest first <--------------------------------------------------- newest first;
//                         waited < target, for an interval on end            2 * target is too long
//
// While the oldest of any class is above the target for an interval, one more is turned away at
// interval / sqrt(count): the law of controlled delay. It takes from the lowest class that waits,
// whoever is late: what counts more is helped by serving less of what counts less. A class that
// stands itself has more than it is served: in order, all of it would be late, so the newest goes
// first, and those that are beyond help make room. What waits here can still be served in time.
//
// Sources: controlled delay, K. Nichols et al., RFC 8289, sections 4 and 5, as in `codel`; newest
// first, and a wait bounded by twice the target under overload, B. Maurer, "Fail at scale", ACM
// Queue 13(8), 2015.
#ifndef HAWSER_CONTAINERS_QUEUEING_FRONT_DOOR_HPP
#define HAWSER_CONTAINERS_QUEUEING_FRONT_DOOR_HPP

#include <hawser/base/contract.hpp>
#include <hawser/base/time.hpp>
#include <hawser/containers/queueing/detail/control_law.hpp>
#include <hawser/containers/queueing/discipline.hpp>
#include <hawser/containers/waiter_list.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <stdexcept>

namespace hawser::inline v0::queueing {

/// What a `front_door` holds the wait to, and how it weighs classes.
struct front_door_options {
    /// A wait that is good enough. Positive, and below `interval`. A few times what passes between
    /// one permit that comes back and the next at the least: no queue is shorter than that.
    duration target = std::chrono::milliseconds{5};

    /// How long a wait may stay above the target: a time in which a burst is worked off. At most an
    /// hour.
    duration interval = std::chrono::milliseconds{100};

    /// How much longer a class is passed over than the one above it, where all have waiters. From
    /// 0, for which classes take turns, to an hour: nearly strict classes.
    duration ageing = std::chrono::seconds{1};
};

/// What is sure to be served before one that comes, in permits, and for how long that is sure.
struct line_ahead {
    std::uint64_t own = 0;     ///< Of its own class.
    std::uint64_t higher = 0;  ///< Of higher classes.
    duration in_order_for{};   ///< After which some of these may be turned away or overtaken.
    duration classes_for{};    ///< After which its class may go before the higher ones.
};

/// Classes by `waiter::priority`, from 0 to 7, higher first; adaptive LIFO and controlled delay
/// within them. A priority above 7 is 7. Starts empty, in the good state.
///
/// A full queue turns away one of the lowest class that waits, for one of a higher class: its
/// newest, or its oldest once it stands. A class that stands gives up its oldest for its own, too.
///
/// Guarantee:     a class loses nobody but while it is the lowest that waits, or stands itself; who
///                stands alone is served. Who is served of a class that stands has waited less than
///                2 * `target`, unless it is alone, or a lighter one is next. A class that waits is
///                next once it has been passed over for `ageing` times the classes above it, and
///                each of these has had one turn more: none starves.
/// Thread safety: none; the owner has a lock.
/// Cost:          O(1): some comparisons for each class, a square root for each that is turned away
///                by the law; O(waiting) if weights differ. Allocates nothing.
class front_door {
public:
    using options_type = front_door_options;

    static constexpr std::size_t classes = 8;

    /// Throws `std::invalid_argument`, naming the field, if an option is out of range.
    explicit front_door(front_door_options const& options = {})
        : options_{options}, law_{options.interval} {
        if (options.interval <= duration::zero() || options.interval > std::chrono::hours{1})
            throw std::invalid_argument{"front_door: interval is not in (0, 1 h]"};
        if (options.target <= duration::zero() || options.target >= options.interval)
            throw std::invalid_argument{"front_door: target is not in (0, interval)"};
        if (options.ageing < duration::zero() || options.ageing > std::chrono::hours{1})
            throw std::invalid_argument{"front_door: ageing is not in [0, 1 h]"};
    }

    void push(waiter& node, time_point now) noexcept {
        auto& its = rows_[class_of(node.priority)];
        if (its.waiting.empty() && !its.is_owed) its.passed_over_since = now;
        its.waiting.push_back(node);
        its.permits += node.permits;
        ++size_;
    }

    /// Who is to be turned away before anybody is served; else who is next.
    [[nodiscard]] waiter* first(time_point now) noexcept {
        auto* const node = next(now);
        auto* const gone = node != nullptr ? to_shed(*node, now) : nullptr;
        return gone != nullptr ? gone : node;
    }

    fate take(waiter& node, time_point now) noexcept {
        HAWSER_ASSERT(&node == first(now));
        auto& served = *next(now);
        auto const gone = to_shed(served, now) != nullptr;
        if (!is_late(now))
            law_.stop();
        else if (!law_.sheds_at(now) || shed_by_law(served, now) != nullptr)
            law_.look(now);  // Due, with nobody light enough, it stays due.
        note_waits(now);
        auto& its = rows_[class_of(node.priority)];
        remove(node);
        if (gone) return fate::turn_away;
        its.passed_over_since = now;
        its.is_owed = false;
        return fate::serve;
    }

    void remove(waiter& node) noexcept {
        auto& its = rows_[class_of(node.priority)];
        its.waiting.remove(node);
        its.permits -= node.permits;
        its.is_owed = true;
        if (its.waiting.empty()) its.is_above = false;
        if (--size_ == 0) law_.stop();
    }

    /// One of the lowest class that waits, if `node` is worth more.
    [[nodiscard]] waiter* displaced_by(waiter& node, time_point now) noexcept {
        if (size_ == 0) return nullptr;
        auto const& its = *lowest();
        auto const& own = rows_[class_of(node.priority)];
        if (&its > &own) return nullptr;
        if (newest_first(its, now)) return its.waiting.front();
        return &its < &own ? its.waiting.back() : nullptr;
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    template <class Visit>
    void for_each(Visit&& visit) noexcept {
        for (auto& its : rows_) its.waiting.for_each(visit);
    }

    /// Whether it turns waiters away, at the rate of its control law.
    [[nodiscard]] bool is_shedding() const noexcept { return law_.is_shedding(); }

    [[nodiscard]] bool stands(time_point now) const noexcept {
        return std::any_of(rows_.begin(), rows_.end(),
                           [&](row const& its) { return newest_first(its, now); });
    }

    /// What those of this class and higher ones wait for.
    [[nodiscard]] std::uint64_t permits_before(std::uint8_t priority) const noexcept {
        std::uint64_t sum = 0;
        for (auto rank = class_of(priority); rank != classes; ++rank) sum += rows_[rank].permits;
        return sum;
    }

    /// What is sure to be served before one of this class that comes now, if nobody leaves by
    /// himself. Those that may be turned away, or overtaken by it, count as none.
    [[nodiscard]] line_ahead ahead_of(std::uint8_t priority, time_point now) const noexcept {
        auto const rank = class_of(priority);
        auto const& its = rows_[rank];
        line_ahead line{.in_order_for = options_.interval};
        auto at_risk = newest_first(its, now);
        for (auto each = rank; each != classes; ++each) {
            if (newest_first(rows_[each], now)) {
                at_risk = true;  // The law may go on, and take from the lowest: its own class.
                continue;
            }
            if (each != rank) line.higher += rows_[each].permits;
            line.in_order_for = std::min(line.in_order_for, in_order_for(rows_[each], now));
        }
        if (!at_risk) line.own = its.permits;
        auto const since = its.waiting.empty() && !its.is_owed ? now : its.passed_over_since;
        auto const turn = time_between(now, add_saturating(since, options_.ageing));
        auto const turns_before = at_risk ? 0 : std::min<std::size_t>(its.waiting.size(), 1000);
        line.classes_for = std::max(turn, duration::zero()) +
                           static_cast<duration::rep>(turns_before) * options_.ageing;
        return line;
    }

private:
    struct row {
        waiter_list waiting;
        std::uint64_t permits = 0;  ///< That they wait for, together.
        time_point passed_over_since{};
        time_point above_until{};
        time_point last_above{};
        bool is_above = false;    ///< The oldest was above the target when last looked at.
        bool has_turned = false;  ///< It has been for an interval, and not below for one since.
        bool is_owed = false;     ///< Whoever left last has not been served.
    };

    static std::size_t class_of(std::uint8_t priority) noexcept {
        return std::min<std::size_t>(priority, classes - 1);
    }
    /// How long the oldest of a row has waited; nothing, if nobody waits.
    static duration waited(row const& its, time_point now) noexcept {
        return its.waiting.empty() ? duration::min()
                                   : time_between(its.waiting.front()->since, now);
    }

    /// Whether the wait has been above the target for an interval: what RFC 8289 asks.
    [[nodiscard]] bool is_late(row const& its, time_point now) const noexcept {
        return its.is_above && now >= its.above_until && waited(its, now) >= options_.target;
    }
    /// Whether that is so anywhere, and somebody is left to serve.
    [[nodiscard]] bool is_late(time_point now) const noexcept {
        return size_ > 1 && std::any_of(rows_.begin(), rows_.end(),
                                        [&](row const& its) { return is_late(its, now); });
    }
    [[nodiscard]] bool has_turned(row const& its, time_point now) const noexcept {
        return its.has_turned && time_between(its.last_above, now) < options_.interval;
    }
    /// Whether a class has turned round; or would have, had it been anybody's turn meanwhile.
    [[nodiscard]] bool newest_first(row const& its, time_point now) const noexcept {
        return has_turned(its, now) || is_late(its, now) ||
               waited(its, now) >= options_.target + options_.interval;
    }
    /// For how long `newest_first` stays false at the least.
    [[nodiscard]] duration in_order_for(row const& its, time_point now) const noexcept {
        if (its.waiting.empty()) return options_.interval;
        auto turns_at =
            add_saturating(its.waiting.front()->since, options_.target + options_.interval);
        if (its.is_above) turns_at = std::min(turns_at, its.above_until);
        return std::max(time_between(now, turns_at), duration::zero());
    }

    [[nodiscard]] waiter* next(time_point now) const noexcept {
        row const* best = nullptr;
        auto best_place = time_point::max();
        for (auto rank = classes; rank-- != 0;) {  // The higher class wins a tie.
            auto const& its = rows_[rank];
            if (its.waiting.empty()) continue;
            auto const below = static_cast<duration::rep>(classes - 1 - rank);
            auto const place = add_saturating(its.passed_over_since, below * options_.ageing);
            if (best != nullptr && place >= best_place) continue;
            best = &its;
            best_place = place;
        }
        if (best == nullptr) return nullptr;
        return newest_first(*best, now) ? best->waiting.back() : best->waiting.front();
    }

    /// Who is turned away before `node` is served, or null. It weighs no more than `node`: whatever
    /// is free for that one is enough for it to have its turn, and it holds nobody up.
    [[nodiscard]] waiter* to_shed(waiter& node, time_point now) const noexcept {
        if (auto* const gone = shed_by_law(node, now)) return gone;
        for (auto const& its : rows_) {
            if (!has_turned(its, now) || waited(its, now) < 2 * options_.target) continue;
            auto* const beyond_help = its.waiting.front();
            if (size_ > 1 && beyond_help->permits <= node.permits) return beyond_help;
        }
        return nullptr;
    }
    [[nodiscard]] waiter* shed_by_law(waiter const& node, time_point now) const noexcept {
        if (!is_late(now) || !law_.sheds_at(now)) return nullptr;
        auto* each = lowest()->waiting.front();
        while (each != nullptr && each->permits > node.permits) each = each->next;
        return each;
    }
    /// The lowest class that waits. Requires that anybody does.
    [[nodiscard]] row const* lowest() const noexcept {
        auto const* its = rows_.data();
        while (its->waiting.empty()) ++its;
        return its;
    }

    /// Looks at each class, as RFC 8289 does at the one whose turn it is.
    void note_waits(time_point now) noexcept {
        for (auto& its : rows_) {
            auto const above = waited(its, now) >= options_.target;
            its.has_turned = has_turned(its, now) || is_late(its, now);
            if (above) its.last_above = now;
            if (above && !its.is_above) its.above_until = add_saturating(now, options_.interval);
            its.is_above = above;
        }
    }

    front_door_options options_;
    detail::control_law law_;
    std::array<row, classes> rows_;
    std::size_t size_ = 0;
};

}  // namespace hawser::inline v0::queueing
#endif  // HAWSER_CONTAINERS_QUEUEING_FRONT_DOOR_HPP
