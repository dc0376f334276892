// SPDX-License-Identifier: BSL-1.0
//
// Two axes on a page: where a value stands, the grid, and the figures beside it.
#ifndef OVERLOAD_DIAGRAM_HPP
#define OVERLOAD_DIAGRAM_HPP

#include "../drawing/svg.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

namespace overload {

using drawing::point;
using drawing::svg;

namespace colour {
constexpr char const* ink = "#111827";
constexpr char const* grey = "#6b7280";
constexpr char const* grid = "#e5e7eb";
}  // namespace colour

/// Values between two pixels, evenly or by their logarithm. What lies outside stands at the end.
struct axis {
    double from = 0, to = 0;  ///< Pixels.
    double lowest = 0, highest = 1;
    std::vector<double> ticks{};
    bool logarithmic = false;

    [[nodiscard]] double operator()(double value) const {
        auto const place = [this](double v) { return logarithmic ? std::log10(v) : v; };
        auto const kept = std::clamp(value, lowest, highest);
        return from +
               (to - from) * (place(kept) - place(lowest)) / (place(highest) - place(lowest));
    }
};

struct diagram {
    std::string title;
    axis x, y;

    [[nodiscard]] point at(double across, double up) const { return {x(across), y(up)}; }

    void draw_frame(svg& page) const {
        for (auto const tick : y.ticks) {
            page.line({x.from, y(tick)}, {x.to, y(tick)}, colour::grid);
            page.text({x.from - 8, y(tick) + 4}, figure(tick),
                      {.anchor = "end", .fill = colour::grey});
        }
        for (auto const tick : x.ticks) {
            page.line({x(tick), y.from}, {x(tick), y.from + 5}, colour::grey);
            page.text({x(tick), y.from + 20}, figure(tick),
                      {.anchor = "middle", .fill = colour::grey});
        }
        page.line({x.from, y.from}, {x.to, y.from}, colour::grey);
        page.text({x.from, y.to - 10}, title, {.size = 13, .fill = colour::ink, .bold = true});
    }

    [[nodiscard]] static std::string figure(double value) {
        char text[16];
        std::snprintf(text, sizeof text, "%g", value);
        return text;
    }
};

}  // namespace overload
#endif  // OVERLOAD_DIAGRAM_HPP
