// SPDX-License-Identifier: BSL-1.0
//
// On top the channel's depth closely, with the pauses; then over the whole transfer; then memory.
#include "plot.hpp"

#include "../drawing/svg.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

namespace stream {
namespace {

using drawing::point;
using drawing::svg;

constexpr double width = 1000, height = 946, left = 76, right = 972;
constexpr char const* ink = "#111827";
constexpr char const* grey = "#6b7280";
constexpr char const* grid = "#e5e7eb";
constexpr char const* depth_colour = "#1d4ed8";
constexpr char const* band_colour = "#93b4f5";
constexpr char const* paused_colour = "#fde8c8";
constexpr char const* waits_colour = "#d9480f";
constexpr char const* mark_colour = "#334155";

double megas(std::uint64_t bytes) { return static_cast<double>(bytes) / mega; }

std::string figure(double value) {
    char text[16];
    std::snprintf(text, sizeof text, "%g", value);
    return text;
}

/// Values between two pixels, evenly or by their logarithm. What lies outside stands at the end.
struct axis {
    double from, to;  ///< Pixels.
    double lowest, highest;
    bool logarithmic = false;

    [[nodiscard]] double operator()(double value) const {
        auto const place = [this](double v) { return logarithmic ? std::log10(v) : v; };
        auto const kept = std::clamp(value, lowest, highest);
        return from +
               (to - from) * (place(kept) - place(lowest)) / (place(highest) - place(lowest));
    }
    /// Four steps or more of round numbers; or 1, 2 and 5 of each power of ten.
    [[nodiscard]] std::vector<double> ticks() const {
        std::vector<double> all;
        auto const span = highest - lowest;
        auto step = std::pow(10, std::ceil(std::log10(span)));
        for (int i = 0; span / step < 4; ++i) step /= i % 3 == 1 ? 2.5 : 2;
        if (logarithmic)
            for (auto tick = 1.0; tick <= highest; tick *= 10)
                for (auto const part : {1, 2, 5}) all.push_back(tick * part);
        else
            for (auto i = std::ceil(lowest / step); i * step <= highest; ++i)
                all.push_back(i * step);
        std::erase_if(all, [this](double each) { return each < lowest || each > highest; });
        return all;
    }
};

/// A curve of points that differ to the eye.
class stroke {
public:
    void to(point next) {
        if (all_.empty() || std::hypot(next.x - all_.back().x, next.y - all_.back().y) > 0.5)
            all_.push_back(next);
    }
    [[nodiscard]] std::vector<point> const& all() const noexcept { return all_; }

private:
    std::vector<point> all_;
};

class plot {
public:
    plot(settings const& all, findings const& with, findings const* without)
        : all_{all}, with_{with}, without_{without} {}

    std::string draw() {
        draw_head();
        draw_closely();
        draw_course();
        draw_memory();
        return page_.finished();
    }

private:
    void draw_head() {
        page_.text({left, 38}, "A fast source, a slow sink, and a bound between them",
                   {.size = 22, .fill = ink, .bold = true});
        char words[240];
        std::snprintf(words, sizeof words,
                      "%.0f MB over a loopback socket into a file at %u MB/s; the reader paused "
                      "%llu times, %.0f %% of the time",
                      megas(all_.bytes), all_.rate,
                      static_cast<unsigned long long>(with_.pauses.count()),
                      100 * seconds(with_.pauses.total()) / seconds(with_.took));
        page_.text({left, 60}, words, {.size = 13, .fill = grey});
    }

    void draw_frame(axis const& x, axis const& y, char const* title, char const* unit) {
        for (auto const tick : y.ticks()) {
            page_.line({x.from, y(tick)}, {x.to, y(tick)}, grid);
            page_.text({x.from - 8, y(tick) + 4}, figure(tick), {.anchor = "end", .fill = grey});
        }
        for (auto const tick : x.ticks()) {
            page_.line({x(tick), y.from}, {x(tick), y.from + 5}, grey);
            page_.text({x(tick), y.from + 20}, figure(tick), {.anchor = "middle", .fill = grey});
        }
        page_.line({x.from, y.from}, {x.to, y.from}, grey);
        page_.text({x.from, y.to - 12}, title, {.size = 13, .fill = ink, .bold = true});
        page_.text({(x.from + x.to) / 2, y.from + 38}, unit, {.anchor = "middle", .fill = grey});
    }

    void draw_key(point at, char const* colour, char const* words) {
        page_.box({at.x, at.y - 9}, {at.x + 22, at.y - 1}, colour);
        page_.text({at.x + 29, at.y}, words, {.size = 12});
    }

    /// The bound and the watermarks.
    void draw_marks(axis const& x, axis const& y) {
        struct mark {
            std::uint64_t at;
            char const* words;
            char const* dashes;
            double beside;  ///< Where the words stand: above the line, or below it.
        };
        for (auto const& each :
             {mark{bound, "the bound", "none", -5}, mark{high, "high: pause the socket", "6 4", -5},
              mark{low, "low: resume it", "2 3", 14}}) {
            auto const at = y(megas(each.at));
            page_.line({x.from, at}, {x.to, at}, mark_colour, 1.2, each.dashes);
            page_.text({x.to - 4, at + each.beside}, each.words,
                       {.anchor = "end", .fill = mark_colour});
        }
    }

    // Closely.

    void draw_closely() {
        auto const until = std::min(with_.drawn_closely.to, with_.took);
        axis const x{left, right, seconds(with_.drawn_closely.from), seconds(until)};
        axis const y{332, 108, 0, 9};
        draw_spans(x, y.to, y.from, with_.pauses, paused_colour);
        draw_frame(x, y, "bytes in the channel, MB, closely", "");
        stroke line;
        for (auto const& each : with_.closely) line.to({x(seconds(each.at)), y(megas(each.bytes))});
        page_.curve(line.all(), depth_colour, 1.8);
        draw_marks(x, y);
        draw_spans(x, 360, 372, with_.waits, waits_colour);
        page_.text({(left + right) / 2, 394}, "seconds", {.anchor = "middle", .fill = grey});
        draw_key({right - 520, 96}, paused_colour, "the reader is paused");
        draw_key({right - 350, 96}, waits_colour, "the source waits for its socket to take more");
    }
    void draw_spans(axis const& x, double top, double bottom, span_log const& log,
                    char const* colour) {
        for (auto const& each : log.kept()) {
            auto const begin = x(seconds(each.from)), end = x(seconds(each.to));
            if (end > begin) page_.box({begin, top}, {end, bottom}, colour);
        }
    }

    // All of it.

    void draw_course() {
        axis const x{left, right, 0, seconds(with_.took)};
        axis const y{610, 456, 0, 9};
        draw_frame(x, y, "bytes in the channel, MB: the whole transfer, least and most", "seconds");
        std::vector<point> around, below;
        for (auto const& each : columns()) {
            around.push_back({x(seconds(each.at)), y(megas(each.highest))});
            below.push_back({x(seconds(each.at)), y(megas(each.lowest))});
        }
        around.insert(around.end(), below.rbegin(), below.rend());
        page_.area(around, band_colour);
        draw_marks(x, y);
    }

    /// The slices, several in one: no more than the eye can tell apart.
    [[nodiscard]] std::vector<slice> columns() const {
        std::vector<slice> all;
        auto const each = with_.course.size() / 200 + 1;
        for (std::size_t i = 0; i != with_.course.size(); ++i) {
            auto const& next = with_.course[i];
            if (i % each == 0) all.push_back(next);
            all.back().lowest = std::min(all.back().lowest, next.lowest);
            all.back().highest = std::max(all.back().highest, next.highest);
        }
        return all;
    }

    void draw_memory() {
        axis const x{left, right, 5, std::max(10.0, megas(all_.bytes)), true};
        auto const most = without_ == nullptr ? 4 * bound : without_->memory_peak;
        axis const y{886, 716, 0, std::ceil(megas(most) / 10) * 10};
        draw_frame(x, y, "memory of the process, MB", "MB received so far (logarithmic)");
        draw_memory_of(with_, x, y, depth_colour);
        draw_key({right - 440, 704}, depth_colour, "with the bound");
        if (without_ == nullptr) return;
        draw_memory_of(*without_, x, y, waits_colour);
        draw_key({right - 300, 704}, waits_colour,
                 without_->stopped ? "without it, until 256 MB wait: stopped" : "without it");
        if (without_->stopped)
            page_.dot({x(megas(without_->received)), y(megas(without_->memory_peak))}, 4,
                      waits_colour);
    }
    void draw_memory_of(findings const& found, axis const& x, axis const& y, char const* colour) {
        stroke line;
        for (auto const& each : found.course)
            if (each.received != 0) line.to({x(megas(each.received)), y(megas(each.memory))});
        if (found.stopped) line.to({x(megas(found.received)), y(megas(found.memory_peak))});
        page_.curve(line.all(), colour, 2.2);
    }

    settings const& all_;
    findings const& with_;
    findings const* without_;
    svg page_{width, height};
};

}  // namespace

bool write_plot(settings const& all, findings const& with, findings const* without) {
    std::ofstream file{all.svg};
    file << plot{all, with, without}.draw();
    file.close();
    return !file.fail();
}

}  // namespace stream
