// SPDX-License-Identifier: BSL-1.0
//
// As much of SVG as the plot needs.
#ifndef FLAKY_SVG_HPP
#define FLAKY_SVG_HPP

#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flaky {

struct point {
    double x = 0, y = 0;
};

/// Collects shapes, back to front. Lengths are pixels, y grows downwards; colours are SVG's.
class svg {
public:
    svg(double width, double height) {
        append(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" "
            "height=\"%.0f\" font-family=\"system-ui, 'DejaVu Sans', sans-serif\">\n",
            width, height, width, height);
        box({0, 0}, {width, height}, "#ffffff");
    }

    void box(point from, point to, char const* fill) {
        append("<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>\n", from.x,
               from.y, to.x - from.x, to.y - from.y, fill);
    }
    void line(point from, point to, char const* stroke, double width = 1) {
        append(
            "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" "
            "stroke-width=\"%.1f\"/>\n",
            from.x, from.y, to.x, to.y, stroke, width);
    }
    void curve(std::vector<point> const& through, char const* stroke) {
        append(
            "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\" stroke-linejoin=\"round\" ",
            stroke);
        points(through);
    }
    void area(std::vector<point> const& around, char const* fill) {
        append("<polygon fill=\"%s\" ", fill);
        points(around);
    }

    struct type {
        double size = 12;
        char const* anchor = "start";  ///< Or "middle", "end".
        char const* fill = "#374151";
        bool bold = false;
    };
    /// `at` is the anchor on the base line.
    void text(point at, std::string_view words, type const& set) {
        append("<text x=\"%.1f\" y=\"%.1f\" font-size=\"%.0f\" text-anchor=\"%s\" fill=\"%s\"%s>",
               at.x, at.y, set.size, set.anchor, set.fill, set.bold ? " font-weight=\"bold\"" : "");
        for (char const c : words) {
            if (c == '<')
                shapes_ += "&lt;";
            else if (c == '&')
                shapes_ += "&amp;";
            else
                shapes_ += c;
        }
        shapes_ += "</text>\n";
    }

    [[nodiscard]] std::string finished() const { return shapes_ + "</svg>\n"; }

private:
    template <class... Values>
    void append(char const* format, Values... values) {
        char text[512];
        std::snprintf(text, sizeof text, format, values...);
        shapes_ += text;
    }
    void points(std::vector<point> const& all) {
        shapes_ += "points=\"";
        for (auto const& each : all) append("%.1f,%.1f ", each.x, each.y);
        shapes_ += "\"/>\n";
    }

    std::string shapes_;
};

}  // namespace flaky
#endif  // FLAKY_SVG_HPP
