// SPDX-License-Identifier: BSL-1.0
//
// What a buffered channel tells of what has happened in it, after the fact and under no lock: its
// levels, to a watch and to the sink, and to the sink what it has dropped.
//
//     note, under the lock --> tell, outside --> one thread at a time, in order --> watch, sink
#ifndef HAWSER_RUN_DETAIL_BUFFERED_NEWS_HPP
#define HAWSER_RUN_DETAIL_BUFFERED_NEWS_HPP

#include <hawser/base/time.hpp>
#include <hawser/flow/bounded_buffer_types.hpp>
#include <hawser/flow/dropped.hpp>
#include <hawser/trace/event.hpp>
#include <hawser/trace/ordered_delivery.hpp>
#include <hawser/trace/sink.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace hawser::inline v0::detail {

/// A watch that is given what is dropped, too.
template <class Watch, class T>
concept takes_drops = requires(Watch& watch, T&& item, drop_cause cause) {
    { watch.dropped(std::move(item), cause) }
    noexcept;
};

/// Of the level, the last state is told, if it has changed meanwhile; of what was dropped, how many
/// since the last time, by cause.
template <class Watch, class News>
class buffered_news {
public:
    /// Whether anybody is to hear of what is dropped.
    static constexpr bool tells = listens_to<typename News::sink_type, channel_dropped>;

    buffered_news(News const& news, Watch&& watch) : news_{news}, watch_(std::move(watch)) {}

    [[nodiscard]] time_point now() const noexcept { return news_.env().now(); }

    /// Outside the owner's lock: what was dropped is the watch's, if it wants it.
    template <class T, std::size_t Places>
    void hand_over([[maybe_unused]] drop_list<T, Places>& drops) noexcept {
        if constexpr (takes_drops<Watch, T>)
            drops.for_each([this](T& item, drop_cause cause) noexcept {
                watch_.dropped(std::move(item), cause);
            });
    }

    /// Under the owner's lock.
    void note(push_answer const& answer) noexcept {
        note_level(answer.crossed);
        note_drops(answer.dropped + answer.expired);
    }
    template <class T>
    void note(pop_answer<T> const& answer) noexcept {
        note_level(answer.crossed);
        note_drops(answer.expired);
    }

    /// Some may have been dropped: how many is looked up when it is told. With or without the lock.
    void note_drops([[maybe_unused]] std::uint32_t count) noexcept {
        if constexpr (tells)
            if (count != 0) has_dropped_.store(true);
    }

    /// Outside it, after what there may be to tell. `look()` is the buffer's snapshot.
    template <class Look>
    void tell(Look const& look) noexcept {
        if (is_high_.load() == told_.load() && !(tells && has_dropped_.load())) return;
        delivery_.run([&]() noexcept {
            tell_drops(look);
            tell_levels(look);
        });
    }

private:
    void note_level(crossing crossed) noexcept {
        if (crossed != crossing::none) is_high_.store(crossed == crossing::high);
    }

    template <class Look>
    void tell_levels(Look const& look) noexcept {
        for (;;) {
            auto const is_high = is_high_.load();
            if (told_.exchange(is_high) == is_high) return;
            watch_(is_high);
            emit<channel_level_changed>(news_.sink(), [&] {
                auto const now = look();
                return channel_level_changed{news_.origin(), is_high,           now.depth,
                                             now.weight,     now.highest_depth, now.highest_weight};
            });
        }
    }

    template <class Look>
    void tell_drops([[maybe_unused]] Look const& look) noexcept {
        if constexpr (tells) {
            if (!has_dropped_.exchange(false)) return;
            auto const dropped = look().dropped;
            for (auto const cause : drop_causes) {
                auto const count = dropped[cause] - told_dropped_[cause];
                if (count == 0) continue;
                emit<channel_dropped>(news_.sink(), [&] {
                    return channel_dropped{news_.origin(), cause, count};
                });
            }
            told_dropped_ = dropped;
        }
    }

    News const& news_;
    [[no_unique_address]] Watch watch_;
    // Sequentially consistent: who notes something and finds that nothing is to be told has done so
    // before the one who tells looks for the last time, and is seen by that one.
    std::atomic<bool> is_high_{false};
    std::atomic<bool> told_{false};
    std::atomic<bool> has_dropped_{false};
    ordered_delivery delivery_;
    drop_counts told_dropped_;  ///< Whoever delivers.
};

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_RUN_DETAIL_BUFFERED_NEWS_HPP
