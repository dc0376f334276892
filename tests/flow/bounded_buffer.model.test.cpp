// SPDX-License-Identifier: BSL-1.0
//
// The bounded buffer against a model that tells the same in the plainest way.
#include <hawser/flow/bounded_buffer.hpp>
#include <hawser/trace/names.hpp>

#include "support/catch.hpp"
#include "support/parcel.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

using hawser::bounded_buffer;
using hawser::bounded_buffer_options;
using hawser::bounded_buffer_snapshot;
using hawser::crossing;
using hawser::depth_in;
using hawser::drop_cause;
using hawser::drop_list;
using hawser::duration;
using hawser::pushed;
using hawser::time_point;
using support::parcel;
namespace overflow = hawser::overflow;

namespace {

constexpr int poison = 13;

/// Adds up what is inside. Every third sum grows beyond both weights, every fourth shrinks.
std::uint64_t merged_weight(int content, std::uint64_t one, std::uint64_t other) {
    return content % 3 == 0 ? one + other + 5 : content % 4 == 0 ? one / 2 : one + other;
}
struct merge_parcels {
    void operator()(parcel& kept, parcel& item) const {
        if (item.content == poison) throw std::runtime_error{"poison"};
        kept.content += item.content;
        kept.weight = merged_weight(kept.content, kept.weight, item.weight);
    }
};
using conflate = overflow::conflate<merge_parcels>;

/// What the buffer is told to do, done with a deque and no thought of cost.
template <class Overflow>
class naive_model {
public:
    struct entry {
        int id;
        std::uint64_t counts_for;  ///< The weight that the buffer knows of.
        std::uint64_t weighs;
        int content;
        time_point pushed_at;
    };

    explicit naive_model(bounded_buffer_options const& options) : options_{options} {
        if (std::is_same_v<Overflow, overflow::keep_latest>) options_.capacity = 1;
    }

    /// Nothing, where a merge throws.
    std::optional<pushed> push(int id, std::uint64_t weight, int content, time_point now) {
        entry const item{id, weight, weight, content, now};
        if (options_.weight != 0 && weight > options_.weight) return pushed::too_large;
        if (!fits(weight)) drop_what_is_too_old(now);
        auto const result = fits(weight) ? pushed::stored : without_room(item);
        if (!result) return result;
        if (*result == pushed::stored) queue_.push_back(item);
        if (hawser::is_taken(*result)) ++told_.pushed;
        cross();
        told_.highest_depth = std::max(told_.highest_depth, queue_.size());
        told_.highest_weight = std::max(told_.highest_weight, weight_now());
        return result;
    }
    std::optional<entry> pop(time_point now, bool take) {
        drop_what_is_too_old(now);
        std::optional<entry> item;
        if (take && !queue_.empty()) {
            item = queue_.front();
            queue_.pop_front();
            ++told_.popped;
        }
        cross();
        return item;
    }

    [[nodiscard]] bounded_buffer_snapshot snapshot(std::size_t to_collect) const {
        auto now = told_;
        now.depth = queue_.size();
        now.weight = weight_now();
        now.capacity = options_.capacity;
        now.weight_limit = options_.weight;
        now.is_high = crossings % 2 == 1;
        now.to_collect = to_collect;
        return now;
    }
    std::map<int, drop_cause> dropped;  ///< Handed over to be destroyed, ever.
    int crossings = 0;

private:
    [[nodiscard]] std::uint64_t weight_now() const {
        std::uint64_t sum = 0;
        for (auto const& item : queue_) sum += item.counts_for;
        return sum;
    }
    [[nodiscard]] bool light_enough(std::uint64_t weight) const {
        return options_.weight == 0 || weight_now() + weight <= options_.weight;
    }
    [[nodiscard]] bool fits(std::uint64_t weight) const {
        return queue_.size() < options_.capacity && light_enough(weight);
    }
    void drop_front(drop_cause cause) {
        dropped.emplace(queue_.front().id, cause);
        ++told_.dropped[cause];
        queue_.pop_front();
    }
    void drop_what_is_too_old(time_point now) {
        if (options_.max_age == duration::zero()) return;
        while (!queue_.empty() && now - queue_.front().pushed_at > options_.max_age)
            drop_front(drop_cause::expired);
    }
    std::optional<pushed> without_room(entry const& item) {
        if (std::is_same_v<Overflow, overflow::reject>) return ++told_.refused, pushed::refused;
        if (std::is_same_v<Overflow, conflate> && light_enough(item.weighs)) return merge(item);
        if (std::is_same_v<Overflow, overflow::block> || std::is_same_v<Overflow, conflate>)
            return pushed::full;
        if (std::is_same_v<Overflow, overflow::drop_newest>) {
            dropped.emplace(item.id, drop_cause::newest);
            ++told_.dropped[drop_cause::newest];
            return pushed::dropped;
        }
        if (std::is_same_v<Overflow, overflow::drop_oldest>)
            while (!fits(item.weighs)) drop_front(drop_cause::oldest);
        else
            while (!queue_.empty())
                drop_front(std::is_same_v<Overflow, overflow::drop_all> ? drop_cause::all
                                                                        : drop_cause::replaced);
        return pushed::stored;
    }
    std::optional<pushed> merge(entry const& item) {
        if (item.content == poison) return std::nullopt;
        auto& kept = queue_.back();
        kept.content += item.content;
        kept.weighs = merged_weight(kept.content, kept.weighs, item.weighs);
        kept.counts_for = std::min(kept.weighs, kept.counts_for + item.weighs);
        kept.pushed_at = item.pushed_at;
        ++told_.dropped[drop_cause::merged];
        return pushed::merged;
    }
    void cross() {
        if (options_.high_watermark == 0) return;
        auto const level = options_.watermarks_in == depth_in::items ? queue_.size() : weight_now();
        bool const was_high = crossings % 2 == 1;
        if (!was_high && level >= options_.high_watermark) ++crossings;
        if (was_high && level <= options_.low_watermark) ++crossings;
    }

    bounded_buffer_options options_;
    std::deque<entry> queue_;
    bounded_buffer_snapshot told_;
};

std::string describe(bounded_buffer_snapshot const& it) {
    std::ostringstream text;
    text << "depth " << it.depth << " weight " << it.weight << " capacity " << it.capacity
         << " limit " << it.weight_limit << " highest " << it.highest_depth << ", "
         << it.highest_weight << " refused " << it.refused << " high " << it.is_high << " collect "
         << it.to_collect << " pushed " << it.pushed << " popped " << it.popped << " dropped";
    for (int cause = 0; cause != 6; ++cause) text << ' ' << it.dropped[drop_cause(cause)];
    return text.str();
}
bool same(bounded_buffer_snapshot const& a, bounded_buffer_snapshot const& b) {
    return a.depth == b.depth && a.weight == b.weight && a.capacity == b.capacity &&
           a.weight_limit == b.weight_limit && a.highest_depth == b.highest_depth &&
           a.highest_weight == b.highest_weight && a.refused == b.refused &&
           a.is_high == b.is_high && a.to_collect == b.to_collect && a.pushed == b.pushed &&
           a.popped == b.popped && a.dropped == b.dropped;
}

/// One random schedule, played on both.
template <class Overflow>
class random_schedule {
public:
    random_schedule(unsigned seed, support::parcel_log& log)
        : log_{log}, random_{seed}, options_{some_options()}, buffer_{options_}, model_{options_} {}

    void step() {
        now_ += duration{random_() % 3};
        if (random_() % 16 == 0) now_ -= duration{1};  // Read by a thread that was late.
        auto const what = random_() % 8;
        if (what < (random_() % 64 < 48 ? 5U : 2U))
            push();
        else if (what < 7)
            pop();
        else if (random_() % 2 == 0)
            more_ = buffer_.collect(drops_);
        empty_the_list();
        compare();
    }
    void finish() {
        while (!buffer_.empty() || more_) {
            pop();
            empty_the_list();
            compare();
        }
        REQUIRE(handed_out_ == model_.dropped);
    }

private:
    bounded_buffer_options some_options() {
        bounded_buffer_options options{.capacity = 1 + random_() % 9};
        if (random_() % 3 != 0) options.weight = 1 + random_() % 20;
        if (random_() % 3 != 0) options.max_age = duration{random_() % 12};
        bool const by_weight = options.weight != 0 && random_() % 2 == 0;
        bool const one = std::is_same_v<Overflow, overflow::keep_latest>;
        auto const most = by_weight ? options.weight : one ? 1 : options.capacity;
        if (random_() % 4 != 0) {
            options.high_watermark = 1 + random_() % most;
            options.low_watermark = random_() % options.high_watermark;
            options.watermarks_in = by_weight ? depth_in::weight : depth_in::items;
        }
        return options;
    }
    void push() {
        auto const weight = random_() % 8;
        auto const content = static_cast<int>(random_() % 16);
        parcel item{log_, weight, content};
        auto const id = item.id();
        auto const crossings = model_.crossings;
        auto const expected = model_.push(id, weight, content, now_);
        std::optional<pushed> result;
        try {
            auto const answer = buffer_.push(std::move(item), now_, drops_);
            result = answer.result;
            more_ = answer.more;
            note(answer.crossed, crossings);
            dropped_by_answers_ += answer.dropped + answer.expired;
        } catch (std::runtime_error const&) {}
        REQUIRE(result == expected);
        // NOLINTNEXTLINE(bugprone-use-after-move): an item that is not taken is as it was.
        bool const is_mine = item.id() == id;
        auto const took = result.value_or(pushed::full);
        REQUIRE(is_mine == (took != pushed::stored && took != pushed::dropped));
        if (took != pushed::merged && is_mine) REQUIRE(item.content == content);
    }
    void pop() {
        auto const crossings = model_.crossings;
        auto answer = buffer_.pop(now_, drops_);
        auto const expected = model_.pop(now_, !answer.more);
        more_ = answer.more;
        note(answer.crossed, crossings);
        dropped_by_answers_ += answer.expired;
        REQUIRE(answer.item.has_value() == expected.has_value());
        if (!expected) return;
        REQUIRE(answer.item->id() == expected->id);
        REQUIRE(answer.item->content == expected->content);
    }
    void note(crossing crossed, int crossings_before) {
        auto const expected = model_.crossings == crossings_before ? crossing::none
                              : crossings_before % 2 == 0          ? crossing::high
                                                                   : crossing::low;
        REQUIRE(crossed == expected);
    }
    void empty_the_list() {
        drops_.for_each([&](parcel const& item, drop_cause cause) {
            bool const first_time = handed_out_.emplace(item.id(), cause).second;
            auto const told = model_.dropped.find(item.id());
            if (!first_time || told == model_.dropped.end() || told->second != cause)
                FAIL("item " << item.id() << " dropped for " << label_of(cause));
        });
        drops_.clear();
    }
    void compare() {
        auto const seen = buffer_.snapshot();
        auto const told = model_.snapshot(model_.dropped.size() - handed_out_.size());
        if (!same(seen, told)) REQUIRE(describe(seen) == describe(told));
        if (seen.pushed != seen.popped + seen.dropped.total() + seen.depth ||
            seen.dropped.total() != dropped_by_answers_ || more_ != (seen.to_collect != 0))
            FAIL("does not add up: " << describe(seen));
    }

    support::parcel_log& log_;
    std::mt19937 random_;
    bounded_buffer_options options_;
    time_point now_{std::chrono::hours{1}};
    bounded_buffer<parcel, Overflow, support::parcel_weight> buffer_;
    naive_model<Overflow> model_;
    drop_list<parcel, 2> drops_;
    std::map<int, drop_cause> handed_out_;
    std::uint64_t dropped_by_answers_ = 0;
    bool more_ = false;
};

}  // namespace

TEMPLATE_TEST_CASE("bounded_buffer: agrees with a plain model over thousands of random schedules",
                   "[template]", overflow::block, overflow::reject, overflow::drop_newest,
                   overflow::drop_oldest, overflow::drop_all, overflow::keep_latest, conflate) {
    for (unsigned seed = 1; seed != 2001; ++seed) {
        INFO("seed " << seed);
        support::parcel_log log;
        {
            random_schedule<TestType> schedule{seed, log};
            for (int i = 0; i != 80; ++i) schedule.step();
            if (seed % 2 == 0) schedule.finish();  // Else destroyed with what is in it.
        }
        REQUIRE(log.each_ended_once());
    }
}
