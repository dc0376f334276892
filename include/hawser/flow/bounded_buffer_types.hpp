// SPDX-License-Identifier: BSL-1.0
//
// What a bounded buffer is told, and what it answers.
#ifndef HAWSER_FLOW_BOUNDED_BUFFER_TYPES_HPP
#define HAWSER_FLOW_BOUNDED_BUFFER_TYPES_HPP

#include <hawser/base/time.hpp>
#include <hawser/flow/dropped.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <stdexcept>

namespace hawser::inline v0 {

/// The weight of items that all weigh the same.
struct unit_weight {
    constexpr std::uint64_t operator()(auto const&) const noexcept { return 1; }
};

namespace detail {

/// What `Weigh` measures knows when an item is of no use any more.
template <class Weigh, class T>
concept knows_deadlines = requires(Weigh const& weigh, T const& item) {
    { weigh.deadline_of(item) }
    noexcept->std::same_as<time_point>;
};

/// The last instant at which `item` may come out, of those that are old at `aged`.
template <class Weigh, class T>
[[nodiscard]] time_point expiry_of(Weigh const& weigh, T const& item, time_point aged) noexcept {
    if constexpr (knows_deadlines<Weigh, T>)
        return std::min(aged, weigh.deadline_of(item));
    else
        return aged;
}

}  // namespace detail

/// What the depth of a buffer is counted in.
enum class depth_in : std::uint8_t {
    items,
    weight,
};

/// How much a buffer holds, for how long, and at which depths it says so.
struct bounded_buffer_options {
    /// Items at most. From 1 to `capacity_max`; `overflow::keep_latest` takes it for 1. To hand
    /// items over without room for any is a channel's rendezvous, and refused here.
    std::size_t capacity = 1024;

    /// Weight of all items together, in the unit that `Weigh` answers in, such as bytes. Zero: no
    /// bound but that of a 64-bit number.
    std::uint64_t weight = 0;

    /// The depth that is reported as high once it is reached, in `watermarks_in`. Zero: none. At
    /// most `capacity`, or `weight`. To be reached at all by a buffer that is bounded by weight, it
    /// has to leave room for the heaviest item.
    std::uint64_t high_watermark = 0;

    /// The depth that is reported as low once it falls to it after it was high. Below
    /// `high_watermark`; zero: when the buffer is empty, or holds only items without weight.
    std::uint64_t low_watermark = 0;

    /// What both watermarks are counted in. `depth_in::weight` needs a bound by `weight`.
    depth_in watermarks_in = depth_in::items;

    /// How old an item may be and still come out, from its push or the last merge into it. Not
    /// negative. Zero: none expires for its age. For deadlines of their own see `Weigh`.
    duration max_age = duration::zero();

    /// Bounds the memory that one mistyped number can take: 16 777 216 items.
    static constexpr std::size_t capacity_max = std::size_t{1} << 24;
};

/// What became of an item that was pushed.
enum class pushed : std::uint8_t {
    stored,     ///< It is queued.
    merged,     ///< It has gone into the newest that is queued.
    dropped,    ///< It has been dropped, and is on the drop list.
    full,       ///< No room, and its owner still has it: to be pushed again when there is.
    refused,    ///< No room, and its owner still has it: not to be waited for.
    too_large,  ///< Heavier than the whole buffer; its owner still has it, and no wait would help.
};

/// Whether the buffer has an item that was pushed, or its owner still has it.
[[nodiscard]] constexpr bool is_taken(pushed result) noexcept { return result <= pushed::dropped; }

/// A watermark that the depth has come to. They alternate, beginning with `high`.
enum class crossing : std::uint8_t {
    none,
    high,  ///< It is at the high watermark or above, for the first time since it was low.
    low,   ///< It is at the low watermark or below, for the first time since it was high.
};

/// The answer of `push`. What was dropped is on the drop list, or waits for the next one.
struct [[nodiscard]] push_answer {
    pushed result = pushed::stored;
    crossing crossed = crossing::none;
    bool more = false;          ///< Dropped items wait: to be taken by `collect`.
    std::uint32_t expired = 0;  ///< Items dropped because they were too old.
    std::uint32_t dropped = 0;  ///< Items dropped for the policy's cause, the new one included.
};

/// The answer of `pop`.
template <class T>
struct [[nodiscard]] pop_answer {
    std::optional<T> item{};
    crossing crossed = crossing::none;
    bool more = false;          ///< Dropped items wait, and so there is no item yet: pop again.
    std::uint32_t expired = 0;  ///< Items dropped because they were too old.
};

/// A buffer at one instant. `pushed == popped + dropped.total() + depth`, always.
struct bounded_buffer_snapshot {
    std::size_t depth = 0;     ///< Items queued, too old or not.
    std::uint64_t weight = 0;  ///< What they weigh together.
    std::size_t capacity = 0;
    std::uint64_t weight_limit = 0;    ///< As the options have it: zero if there is none.
    std::size_t highest_depth = 0;     ///< The most there ever were.
    std::uint64_t highest_weight = 0;  ///< The most they ever weighed.
    bool is_high = false;              ///< The last watermark crossed was the high one.
    std::size_t to_collect = 0;        ///< Dropped and counted, and not handed out yet.
    std::uint64_t pushed = 0;          ///< Taken from their owners: stored, merged or dropped.
    std::uint64_t popped = 0;
    drop_counts dropped{};
    std::uint64_t refused = 0;  ///< Left with their owners, by the policy's decision.
};

namespace detail {

constexpr bounded_buffer_options checked(bounded_buffer_options options, std::size_t capacity_max) {
    using std::invalid_argument;
    if (options.capacity == 0) throw invalid_argument{"bounded_buffer: capacity is zero"};
    if (options.capacity > bounded_buffer_options::capacity_max)
        throw invalid_argument{"bounded_buffer: capacity is above 16777216"};
    options.capacity = std::min(options.capacity, capacity_max);
    if (options.max_age < duration::zero())
        throw invalid_argument{"bounded_buffer: max_age is negative"};
    if (options.high_watermark == 0 && options.low_watermark == 0) return options;
    if (options.low_watermark >= options.high_watermark)
        throw invalid_argument{"bounded_buffer: low_watermark is not below high_watermark"};
    if (options.watermarks_in == depth_in::items) {
        if (options.high_watermark > options.capacity)
            throw invalid_argument{"bounded_buffer: high_watermark is above capacity"};
    } else {
        if (options.weight == 0)
            throw invalid_argument{"bounded_buffer: watermarks_in is weight, and weight is zero"};
        if (options.high_watermark > options.weight)
            throw invalid_argument{"bounded_buffer: high_watermark is above weight"};
    }
    return options;
}

/// Tells once when a depth has come to the high watermark, and once when it is back at the low one.
class watermarks {
public:
    explicit constexpr watermarks(bounded_buffer_options const& options) noexcept
        : high_{options.high_watermark == 0 ? std::numeric_limits<std::uint64_t>::max()
                                            : options.high_watermark},
          low_{options.low_watermark},
          in_{options.high_watermark == 0 ? depth_in::items : options.watermarks_in} {}

    [[nodiscard]] constexpr crossing at(std::size_t depth, std::uint64_t weight) noexcept {
        auto const level = in_ == depth_in::items ? depth : weight;
        if (is_high_ ? level > low_ : level < high_) return crossing::none;
        is_high_ = !is_high_;
        return is_high_ ? crossing::high : crossing::low;
    }
    [[nodiscard]] constexpr bool is_high() const noexcept { return is_high_; }

private:
    std::uint64_t high_;  ///< Without one, more than there are ever items.
    std::uint64_t low_;
    depth_in in_;
    bool is_high_ = false;
};

}  // namespace detail
}  // namespace hawser::inline v0
#endif  // HAWSER_FLOW_BOUNDED_BUFFER_TYPES_HPP
