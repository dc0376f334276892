// SPDX-License-Identifier: BSL-1.0
//
// On top the load curve: all limiters. Below the story: no limit against the default one.
#include "plot.hpp"

#include "diagram.hpp"

#include <array>
#include <fstream>

namespace overload {
namespace {

constexpr double width = 1000, height = 1190, left = 76, right = 972;
constexpr char const* without_colour = "#d9480f";
constexpr char const* with_colour = "#1d4ed8";
constexpr char const* offered_colour = "#e2e8f0";
constexpr char const* capacity_colour = "#334155";

/// How a limiter is drawn, in the order of `limiters()`: those of one kind share a colour's warmth.
struct style {
    char const* colour;
    double width;
    char const* dashes;
};
constexpr std::array styles{
    style{without_colour, 3, "none"}, style{"#0f766e", 1.6, "2 3"},  style{"#0f766e", 1.6, "none"},
    style{"#0f766e", 1.6, "7 4"},     style{"#9333ea", 1.6, "none"}, style{"#a16207", 1.6, "none"},
    style{"#db2777", 1.6, "6 3"},     style{with_colour, 3, "none"},
};

class plot {
public:
    plot(settings const& all, load_curve const& loads, timelines const& times)
        : all_{all}, loads_{loads}, times_{times} {}

    std::string draw() {
        draw_head();
        draw_goodput_by_load();
        draw_p99_by_load();
        draw_legend();
        draw_story_head();
        draw_calls_over_time();
        draw_waits_over_time();
        draw_requests_over_time();
        return page_.finished();
    }

private:
    void draw_head() {
        page_.text({left, 38}, "An overloaded server, with and without a limit",
                   {.size = 22, .fill = colour::ink, .bold = true});
        char words[200];
        std::snprintf(words, sizeof words,
                      "%u workers, %.0f requests a second at most; callers give up after %.0f s, "
                      "the server works on for them; virtual time, seed %llu",
                      all_.all.workers, all_.all.capacity(), seconds(all_.all.patience),
                      static_cast<unsigned long long>(all_.seed));
        page_.text({left, 60}, words, {.size = 13, .fill = colour::grey});
    }

    // The load curve.

    [[nodiscard]] axis load_axis(double from, double to) const {
        return {from, to, 0, all_.loads.back(), {0, 1, 2, 3, 4, 5}};
    }
    template <class Value>
    void draw_by_load(diagram const& in, Value const& value) {
        in.draw_frame(page_);
        page_.text({(in.x.from + in.x.to) / 2, in.y.from + 38},
                   "offered load, in capacities of the server",
                   {.anchor = "middle", .fill = colour::grey});
        for (std::size_t i = 0; i < loads_.rows.size(); ++i) {
            std::vector<point> through;
            for (auto const& each : loads_.rows[i].cells)
                through.push_back(in.at(each.load, value(each.sum)));
            auto const& how = styles[i % styles.size()];
            page_.curve(through, how.colour, how.width, how.dashes);
            for (auto const& at : through) page_.dot(at, how.width + 0.4, how.colour);
        }
    }
    void draw_goodput_by_load() {
        diagram const in{"goodput, % of capacity",
                         load_axis(left, 496),
                         {316, 112, 0, 110, {0, 25, 50, 75, 100}}};
        draw_by_load(
            in, [this](summary const& sum) { return 100 * sum.goodput() / all_.all.capacity(); });
    }
    void draw_p99_by_load() {
        diagram const in{"p99 of admitted calls, \u00d7 unloaded (logarithmic)",
                         load_axis(560, right),
                         {316, 112, 0.8, 10, {1, 2, 3, 5, 10}, true}};
        page_.line(in.at(0, claim::most_p99), in.at(all_.loads.back(), claim::most_p99),
                   colour::ink, 1, "2 3");
        draw_by_load(in, [this](summary const& sum) {
            return seconds(sum.p99) / seconds(loads_.unloaded.p99);
        });
    }
    void draw_legend() {
        constexpr std::array columns{left, left + 228, left + 462, left + 690};
        for (std::size_t i = 0; i < loads_.rows.size(); ++i) {
            point const at{columns[i / 2 % columns.size()],
                           388 + 22.0 * static_cast<double>(i % 2)};
            auto const& how = styles[i % styles.size()];
            page_.line({at.x, at.y - 4}, {at.x + 28, at.y - 4}, how.colour, how.width, how.dashes);
            page_.text({at.x + 36, at.y}, loads_.rows[i].name, {.size = 12});
        }
    }

    // The story.

    [[nodiscard]] double length() const { return seconds(times_.story.length()); }
    [[nodiscard]] axis time_axis(bool with_figures) const {
        axis x{left, right, 0, length(), {}};
        auto const step = length() > 40 ? 10 : 2;
        for (double tick = 0; with_figures && tick <= length(); tick += step)
            x.ticks.push_back(tick);
        return x;
    }
    /// Calls `see(begin, end, stretch)`, in seconds.
    template <class See>
    void each_stretch(See const& see) const {
        double begin = 0;
        for (auto const& each : times_.story.stretches()) {
            auto const end = begin + seconds(each.length);
            see(begin, end, each);
            begin = end;
        }
    }

    void draw_story_head() {
        page_.text({left, 458}, "Over time", {.size = 18, .fill = colour::ink, .bold = true});
        draw_key({left + 110, 458}, without_colour, "no limit");
        draw_key({left + 214, 458}, with_colour, "knee, the default");
        auto const x = time_axis(false);
        each_stretch([&](double begin, double end, stretch const& each) {
            auto words = diagram::figure(each.load) + " \u00d7 load";
            if (each.speed != 1) words += ", server at " + diagram::figure(100 * each.speed) + " %";
            page_.text({(x(begin) + x(end)) / 2, 490}, words, {.anchor = "middle"});
            page_.line({x(begin), 478}, {x(begin), 494}, "#9ca3af");
        });
        page_.line({right, 478}, {right, 494}, "#9ca3af");
    }
    void draw_key(point at, char const* colour, char const* words) {
        page_.box({at.x, at.y - 9}, {at.x + 22, at.y - 2}, colour);
        page_.text({at.x + 29, at.y}, words, {.size = 13});
    }

    void draw_dashed_key(point at, char const* words) {
        page_.line({at.x, at.y - 5}, {at.x + 22, at.y - 5}, capacity_colour, 1.2, "5 4");
        page_.text({at.x + 29, at.y}, words, {.size = 13});
    }

    /// Shades the stretches that are too much, draws the frame, and marks where stretches begin.
    void draw_time_frame(diagram const& in) {
        each_stretch([&](double begin, double end, stretch const& each) {
            if (each.load > each.speed)
                page_.box({in.x(begin), in.y.to}, {in.x(end), in.y.from}, "#fef3c7");
        });
        in.draw_frame(page_);
    }

    /// Calls `see(middle, sums)` for each half second.
    template <class See>
    void each_slice(meter const& run, See const& see) const {
        constexpr auto slice = 500ms;
        for (duration at{}; at + slice <= times_.story.length(); at += slice)
            see(seconds(at + slice / 2), run.between(at, at + slice));
    }
    template <class Value>
    void draw_over_time(diagram const& in, meter const& run, char const* colour,
                        Value const& value) {
        std::vector<point> through;
        each_slice(
            run, [&](double at, summary const& sum) { through.push_back(in.at(at, value(sum))); });
        page_.curve(through, colour);
    }

    void draw_calls_over_time() {
        auto const capacity = all_.all.capacity();
        diagram const in{"calls a second",
                         time_axis(false),
                         {706, 532, 0, 3.2 * capacity, {0, capacity, 2 * capacity, 3 * capacity}}};
        draw_time_frame(in);
        std::vector<point> offered{in.at(0, 0)}, able;
        each_slice(times_.with, [&](double at, summary const& sum) {
            offered.push_back(in.at(at, static_cast<double>(sum.offered) / seconds(sum.span)));
        });
        offered.push_back(in.at(length(), 0));
        page_.area(offered, offered_colour);
        each_stretch([&](double begin, double end, stretch const& each) {
            able.push_back(in.at(begin, capacity * each.speed));
            able.push_back(in.at(end, capacity * each.speed));
        });
        page_.curve(able, capacity_colour, 1.2, "5 4");
        auto const goodput = [](summary const& sum) { return sum.goodput(); };
        draw_over_time(in, times_.without, without_colour, goodput);
        draw_over_time(in, times_.with, with_colour, goodput);
        draw_key({right - 440, 522}, offered_colour, "offered");
        draw_dashed_key({right - 340, 522}, "what the server can do");
        page_.text({right, 522}, "lines: goodput", {.size = 13, .anchor = "end"});
    }

    void draw_waits_over_time() {
        diagram const in{"what admitted callers wait, p99, ms (logarithmic)",
                         time_axis(false),
                         {894, 754, 50, 2000, {50, 100, 200, 500, 1000, 2000}, true}};
        draw_time_frame(in);
        auto const patience = seconds(all_.all.patience) * 1e3;
        page_.text({right - 4, in.y(patience) - 6}, "callers give up",
                   {.anchor = "end", .fill = colour::grey});
        auto const p99 = [](summary const& sum) { return seconds(sum.p99) * 1e3; };
        draw_over_time(in, times_.without, without_colour, p99);
        draw_over_time(in, times_.with, with_colour, p99);
    }

    void draw_requests_over_time() {
        diagram const in{
            "requests in the server, and the limit (logarithmic)",
            time_axis(true),
            {1120, 942, 5, 5000, {5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000}, true}};
        draw_time_frame(in);
        page_.text({(left + right) / 2, 1160}, "seconds",
                   {.anchor = "middle", .fill = colour::grey});
        page_.line(in.at(0, all_.all.workers), in.at(length(), all_.all.workers), capacity_colour,
                   1.2, "5 4");
        auto const inside = [](summary const& sum) { return static_cast<double>(sum.inside); };
        draw_over_time(in, times_.without, without_colour, inside);
        draw_over_time(in, times_.with, with_colour, inside);
        draw_limit(in);
        draw_key({right - 420, 932}, limit_colour, "the limit that the knee finds");
        draw_dashed_key({right - 180, 932}, "workers of the server");
    }
    void draw_limit(diagram const& in) {
        std::vector<point> steps;
        for (auto const& each : times_.with.limits()) {
            auto const x = in.x(seconds(each.at)), y = in.y(each.limit);
            if (!steps.empty()) steps.push_back({x, steps.back().y});
            steps.push_back({x, y});
        }
        if (!steps.empty()) steps.push_back({right, steps.back().y});
        page_.curve(steps, limit_colour, 1.4);
    }
    static constexpr char const* limit_colour = "#15803d";

    settings const& all_;
    load_curve const& loads_;
    timelines const& times_;
    svg page_{width, height};
};

}  // namespace

bool write_plot(settings const& all, load_curve const& loads, timelines const& times,
                std::string const& path) {
    std::ofstream file{path};
    file << plot{all, loads, times}.draw();
    file.close();
    return !file.fail();
}

}  // namespace overload
