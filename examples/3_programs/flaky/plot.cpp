// SPDX-License-Identifier: BSL-1.0
#include "plot.hpp"

#include "../drawing/svg.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>

namespace flaky {
namespace {

using drawing::point;
using drawing::svg;

constexpr char const* colour_without = "#c2570c";
constexpr char const* colour_with = "#1d4ed8";
constexpr char const* colour_degraded = "#bfdbfe";
constexpr char const* ink = "#111827";
constexpr char const* grey = "#6b7280";
constexpr char const* grid = "#e5e7eb";

// The page, from top to bottom, in pixels.
constexpr double width = 1000, height = 800, left = 84, right = 972;
constexpr double title_at = 36, subtitle_at = 58, legend_at = 86, phases_at = 112;
constexpr double strip_top = 706, strip_bottom = 726;

/// One diagram: values from `lowest` to `highest` between two heights, evenly or by their
/// logarithm.
struct panel {
    char const* title;
    double top, bottom;
    double lowest, highest;
    std::vector<double> ticks;
    bool logarithmic = false;

    [[nodiscard]] double y(double value) const {
        auto const place = [&](double v) { return logarithmic ? std::log10(v) : v; };
        auto const kept = std::clamp(value, lowest, highest);
        auto const share = (place(kept) - place(lowest)) / (place(highest) - place(lowest));
        return bottom - share * (bottom - top);
    }
};

double seconds(duration time) { return std::chrono::duration<double>(time).count(); }

class plot {
public:
    explicit plot(two_runs const& runs) : runs_{runs} {}

    std::string draw() {
        draw_head();
        auto const fresh = percent_panel(), load = load_panel(), time = time_panel();
        for (auto const* each : {&fresh, &load, &time}) draw_frame(*each);
        draw_phase_names();
        draw_degraded(fresh);
        draw_both(fresh, [](summary const& sum) { return 100 * sum.share(answer::fresh); });
        draw_both(load, [this](summary const& sum) {
            return static_cast<double>(sum.reached_server) / seconds(runs_.all.slice);
        });
        draw_both(time, [](summary const& sum) { return seconds(sum.p99) * 1e3; });
        draw_breaker();
        draw_time_axis();
        return page_.finished();
    }

private:
    static panel percent_panel() {
        return {"calls answered in time, %", 142, 322, 0, 100, {0, 25, 50, 75, 100}};
    }
    static panel time_panel() {
        return {"time until the caller knows, 99th percentile, ms (logarithmic)",
                534,
                674,
                0.1,
                2000,
                {0.1, 1, 10, 100, 1000},
                true};
    }
    [[nodiscard]] panel load_panel() const {
        panel load{"requests that reach the server, a second", 358, 498, 0, 100, {}};
        for (auto const* run : {&runs_.without, &runs_.with})
            each_slice(*run, [&](duration, summary const& sum) {
                auto const rate = static_cast<double>(sum.reached_server);
                load.highest = std::max(load.highest, rate / seconds(runs_.all.slice));
            });
        auto const step = load.highest > 1000 ? 400 : 200;
        load.highest = std::ceil(load.highest / step) * step;
        for (double tick = 0; tick <= load.highest; tick += step) load.ticks.push_back(tick);
        return load;
    }

    [[nodiscard]] double x(duration at) const {
        return left + (right - left) * (seconds(at) / seconds(runs_.script.length()));
    }

    /// Calls `see(middle, sums)` for each slice of the script.
    template <class See>
    void each_slice(meter const& run, See&& see) const {
        auto const slice = runs_.all.slice;
        for (duration at{}; at < runs_.script.length(); at += slice)
            see(at + slice / 2, run.between(at, at + slice, by::due));
    }
    /// Calls `see(begin, end, phase)`.
    template <class See>
    void each_phase(See&& see) const {
        duration begin{};
        for (auto const& each : runs_.script.phases()) {
            see(begin, begin + each.length, each);
            begin += each.length;
        }
    }

    void draw_head() {
        page_.text({left, title_at}, "One ailing server, two clients",
                   {.size = 22, .fill = ink, .bold = true});
        auto const rate = std::to_string(runs_.all.calls_per_second);
        page_.text({left, subtitle_at},
                   rate +
                       " calls a second over HTTP on loopback, half from threads and half from "
                       "coroutines; the same fault script for both, seed " +
                       std::to_string(runs_.all.seed),
                   {.size = 13, .fill = grey});
        draw_key({left, legend_at}, colour_without, "without hawser");
        draw_key({left + 150, legend_at}, colour_with, "with hawser");
        draw_key({left + 280, legend_at}, colour_degraded,
                 "with hawser, served degraded: the last price known");
    }
    void draw_key(point at, char const* colour, char const* words) {
        page_.box({at.x, at.y - 9}, {at.x + 22, at.y - 1}, colour);
        page_.text({at.x + 29, at.y}, words, {.size = 13});
    }

    /// The phases as shades, the grid, the title and the figures beside it.
    void draw_frame(panel const& in) {
        each_phase([&](duration begin, duration end, phase const& each) {
            if (each.state != health::well)
                page_.box({x(begin), in.top}, {x(end), in.bottom},
                          each.state == health::down ? "#fee2e2" : "#fef6d8");
        });
        for (auto const tick : in.ticks) {
            char text[16];
            std::snprintf(text, sizeof text, "%g", tick);
            page_.line({left, in.y(tick)}, {right, in.y(tick)}, grid);
            page_.text({left - 8, in.y(tick) + 4}, text, {.anchor = "end", .fill = grey});
        }
        page_.text({left, in.top - 8}, in.title, {.fill = ink, .bold = true});
    }
    void draw_phase_names() {
        each_phase([&](duration begin, duration end, phase const& each) {
            page_.text({(x(begin) + x(end)) / 2, phases_at}, each.name, {.anchor = "middle"});
            page_.line({x(begin), phases_at - 12}, {x(begin), phases_at + 4}, "#9ca3af");
        });
        page_.line({right, phases_at - 12}, {right, phases_at + 4}, "#9ca3af");
    }

    /// Fills between what was answered in time and what was answered at all.
    void draw_degraded(panel const& in) {
        std::vector<point> below, above;
        each_slice(runs_.with, [&](duration at, summary const& sum) {
            auto const fresh = 100 * sum.share(answer::fresh);
            auto const degraded = 100 * sum.share(answer::degraded);
            below.push_back({x(at), in.y(fresh)});
            above.push_back({x(at), in.y(fresh + degraded)});
        });
        above.insert(above.end(), below.rbegin(), below.rend());
        page_.area(above, colour_degraded);
    }

    template <class Value>
    void draw_both(panel const& in, Value const& value) {
        auto const draw = [&](meter const& run, char const* colour) {
            std::vector<point> curve;
            each_slice(run, [&](duration at, summary const& sum) {
                curve.push_back({x(at), in.y(value(sum))});
            });
            page_.curve(curve, colour);
        };
        draw(runs_.without, colour_without);
        draw(runs_.with, colour_with);
    }

    void draw_breaker() {
        page_.text({left, strip_top - 8}, "circuit breaker", {.fill = ink, .bold = true});
        auto from = duration{};
        auto const* state = "closed";
        auto const until = [&](duration end) {
            end = std::min(end, runs_.script.length());
            page_.box({x(from), strip_top}, {x(end), strip_bottom}, colour_of(state));
            from = end;
        };
        for (auto const& step : runs_.with.breaker_steps()) {
            until(step.at);
            state = step.state;
        }
        until(runs_.script.length());
        draw_key({right - 262, strip_top - 7}, colour_of("closed"), "closed");
        draw_key({right - 176, strip_top - 7}, colour_of("open"), "open");
        draw_key({right - 98, strip_top - 7}, colour_of("half_open"), "half open");
    }
    static char const* colour_of(char const* state) {
        if (std::strcmp(state, "closed") == 0) return "#86c99a";
        return std::strcmp(state, "open") == 0 ? "#dc5252" : "#f2b441";
    }

    void draw_time_axis() {
        auto const step = runs_.script.length() > 10s ? duration{1s} : duration{500ms};
        for (duration at{}; at <= runs_.script.length(); at += step) {
            char text[16];
            std::snprintf(text, sizeof text, "%g", seconds(at));
            page_.line({x(at), strip_bottom + 4}, {x(at), strip_bottom + 9}, grey);
            page_.text({x(at), strip_bottom + 24}, text, {.anchor = "middle", .fill = grey});
        }
        page_.text({(left + right) / 2, strip_bottom + 46}, "seconds since the start of the script",
                   {.anchor = "middle", .fill = grey});
    }

    two_runs const& runs_;
    svg page_{width, height};
};

}  // namespace

bool write_plot(two_runs const& runs, std::string const& path) {
    std::ofstream file{path};
    file << plot{runs}.draw();
    file.close();
    return !file.fail();
}

}  // namespace flaky
