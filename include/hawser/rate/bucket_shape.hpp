// SPDX-License-Identifier: BSL-1.0
//
// Rate and burst of a token bucket, and what they make of its mark.
#ifndef HAWSER_RATE_BUCKET_SHAPE_HPP
#define HAWSER_RATE_BUCKET_SHAPE_HPP

#include <hawser/base/time.hpp>
#include <hawser/rate/token_scale.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stdexcept>

namespace hawser::inline v0 {

/// How fast a `token_bucket` refills and how much it holds.
struct token_bucket_options {
    /// Tokens that come back per `period`. Positive, and at most one for each nanosecond.
    std::uint32_t rate = 100;

    /// Time in which `rate` tokens come back. Positive.
    duration period = std::chrono::seconds{1};

    /// Tokens in a full bucket, and so the largest request that can be granted. Positive; an empty
    /// bucket is full again within thirty years. With one, a full bucket loses what falls due until
    /// the next request: the whole rate, at a token a microsecond or more, takes two.
    std::uint32_t burst = 100;
};

namespace detail {

/// What a request would make of a bucket.
struct bucket_request {
    std::uint64_t mark = 0;     ///< Where the bucket's mark would be.
    std::uint64_t lacking = 0;  ///< Units that are not due yet; zero if the bucket has the tokens.
    token_instant now;
    bool anew = false;  ///< Whether the bucket is full, and the mark counted from the end of `now`.
};

class shape_cell;

/// A checked rate and burst. Immutable.
class bucket_shape {
public:
    explicit constexpr bucket_shape(token_bucket_options const& options)
        : scale_{checked(options)},
          capacity_{scale_.token() * options.burst},
          burst_{options.burst} {}

    friend constexpr bool operator==(bucket_shape const&, bucket_shape const&) = default;

    [[nodiscard]] constexpr std::uint64_t burst() const noexcept { return burst_; }
    [[nodiscard]] constexpr std::uint64_t capacity() const noexcept { return capacity_; }
    [[nodiscard]] constexpr token_scale const& scale() const noexcept { return scale_; }

    /// Asks a bucket at `mark` for `count` tokens. For more than a burst there always lack more
    /// units than there can be; for none never any, and the mark stays.
    [[nodiscard, gnu::always_inline]] constexpr bucket_request ask(
        time_point at, std::uint64_t mark, std::uint32_t count) const noexcept {
        auto const now = scale_.at(at);
        // Zero less one is more than any burst: one compare finds both.
        if (count - 1 >= burst_) [[unlikely]]
            return {mark, count == 0 ? 0 : token_scale::units_max + 1, now};
        auto const taken = count * scale_.token();
        // What falls due while the bucket is full is lost, also a unit that is due in part: kept,
        // it would let the bucket grant a unit more than its burst.
        if (mark <= now.floor) return {now.ceil() + taken, 0, now, true};
        auto const next = mark + taken, limit = now.floor + capacity_;
        if (next > limit) [[unlikely]]
            return {next, next - limit, now};
        return {next, 0, now};
    }

    /// Units that the bucket has when the line is at `unit`, or, if negative, owes.
    [[nodiscard]] constexpr std::int64_t balance(std::uint64_t unit,
                                                 std::uint64_t mark) const noexcept {
        auto const owed = mark > unit ? mark - unit : 0;
        return static_cast<std::int64_t>(capacity_) - static_cast<std::int64_t>(owed);
    }
    [[nodiscard]] constexpr std::int64_t balance(time_point at, std::uint64_t mark) const noexcept {
        return balance(scale_.at(at).floor, mark);
    }

    /// The mark of a bucket of this shape, at `unit` of its line, that has as much as one of the
    /// shape `old` with that balance: neither a token more, nor more than it holds.
    [[nodiscard]] constexpr std::uint64_t take_over(bucket_shape const& old, std::int64_t balance,
                                                    std::uint64_t unit) const noexcept {
        auto const scaled = wide_int{balance} * wide_int{scale_.token()};
        auto const per = wide_int{old.scale_.token()};
        auto const down = scaled / per - (scaled % per < 0 ? 1 : 0);
        constexpr auto debt_max = -wide_int{token_scale::units_max};
        auto const has = std::clamp(down, debt_max, wide_int{capacity_});
        return unit + static_cast<std::uint64_t>(wide_int{capacity_} - has);
    }
    [[nodiscard]] constexpr std::uint64_t take_over(bucket_shape const& old, std::uint64_t mark,
                                                    time_point at) const noexcept {
        return take_over(old, old.balance(at, mark), scale_.at(at).ceil());
    }

private:
    friend shape_cell;
    constexpr bucket_shape(token_scale::parts const& scale, std::uint64_t capacity,
                           std::uint64_t burst) noexcept
        : scale_{scale}, capacity_{capacity}, burst_{burst} {}

    static constexpr token_scale checked(token_bucket_options const& options) {
        if (options.rate == 0) throw std::invalid_argument{"token_bucket: rate is zero"};
        if (options.burst == 0) throw std::invalid_argument{"token_bucket: burst is zero"};
        if (options.period <= duration::zero())
            throw std::invalid_argument{"token_bucket: period is not positive"};
        auto const length = static_cast<std::uint64_t>(options.period.count());
        if (options.rate > length)
            throw std::invalid_argument{"token_bucket: rate is more than one a nanosecond"};
        constexpr std::chrono::nanoseconds refill_max = std::chrono::hours{24 * 365 * 30};
        auto const refill = wide_uint{length} * options.burst / options.rate;
        if (refill > static_cast<std::uint64_t>(refill_max.count()))
            throw std::invalid_argument{"token_bucket: burst takes over thirty years to refill"};
        return {options.rate, options.period, options.burst};
    }

    token_scale scale_;
    std::uint64_t capacity_;
    std::uint64_t burst_;
};

/// A shape that is replaced while others read it. A reader may see parts of two: whoever acts on it
/// has to find out.
///
/// Release and acquire for each part: who sees a part of the new shape sees all that its writer had
/// done before, and so that a change was counted.
class shape_cell {
    enum place : std::size_t { token, units, span, inverse, capacity, burst, places };

public:
    constexpr shape_cell() = default;
    explicit constexpr shape_cell(bucket_shape const& shape) noexcept
        : shape_cell{words_of(shape)} {}

    void store(bucket_shape const& shape) noexcept {
        auto const all = words_of(shape);
        for (std::size_t i = 0; i != places; ++i)
            words_[i].store(all[i], std::memory_order_release);
    }
    // Part by part into registers: g++ takes a copy of the array by way of the stack.
    [[nodiscard, gnu::always_inline]] bucket_shape load() const noexcept {
        return {token_scale::parts{word(token), word(units), word(span), word(inverse)},
                word(capacity), word(burst)};
    }

    /// Where a request moves the mark of a bucket.
    struct moved {
        std::uint64_t mark = 0;   ///< Zero: not told.
        std::uint64_t start = 0;  ///< Of a full bucket, the unit that the mark is counted from.
    };

    /// What `ask` answers, if the bucket is full or is far from both full and empty. Reads no more
    /// than it needs, and for a bucket in use multiplies once.
    [[nodiscard, gnu::always_inline]] moved move(time_point at, std::uint64_t mark,
                                                 std::uint32_t count) const noexcept {
        if (count - 1 >= word(burst)) [[unlikely]]  // None, or more than there ever are.
            return {};
        auto scale = token_scale::parts{.span = word(span)};
        if (scale.span != 1) scale.inverse = word(inverse);
        auto const line = token_scale{scale}.nearly_at(at);
        auto const taken = count * word(token);
        if (mark > line) {
            auto const next = mark + taken;
            return {next < line + word(capacity) ? next : 0, 0};
        }
        if (scale.span != 1) scale.units = word(units);
        auto const now = token_scale{scale}.at(at);
        if (mark > now.floor) [[unlikely]]
            return {};
        return {now.ceil() + taken, now.ceil()};
    }

private:
    using words = std::array<std::uint64_t, places>;

    explicit constexpr shape_cell(words const& all) noexcept
        : words_{all[0], all[1], all[2], all[3], all[4], all[5]} {}

    static constexpr words words_of(bucket_shape const& shape) noexcept {
        auto const scale = shape.scale().as_parts();
        return {scale.token,   scale.units,      scale.span,
                scale.inverse, shape.capacity(), shape.burst()};
    }
    [[nodiscard, gnu::always_inline]] std::uint64_t word(place of) const noexcept {
        return words_[of].load(std::memory_order_acquire);
    }

    std::array<std::atomic<std::uint64_t>, places> words_{};
};

}  // namespace detail
}  // namespace hawser::inline v0
#endif  // HAWSER_RATE_BUCKET_SHAPE_HPP
