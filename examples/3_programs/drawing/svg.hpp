// SPDX-License-Identifier: BSL-1.0
//
// As much of SVG as the plots of these programs need.
#ifndef DRAWING_SVG_HPP
#define DRAWING_SVG_HPP

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace drawing {

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

    /// `dashes` are the lengths of strokes and gaps; "none" is a whole line.
    void line(point from, point to, char const* stroke, double width = 1,
              char const* dashes = "none") {
        append(
            "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" "
            "stroke-width=\"%.1f\" stroke-dasharray=\"%s\"/>\n",
            from.x, from.y, to.x, to.y, stroke, width, dashes);
    }
    void curve(std::vector<point> const& through, char const* stroke, double width = 2,
               char const* dashes = "none") {
        append(
            "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"%.1f\" stroke-dasharray=\"%s\" "
            "stroke-linejoin=\"round\" ",
            stroke, width, dashes);
        points(through);
    }
    void area(std::vector<point> const& around, char const* fill) {
        append("<polygon fill=\"%s\" ", fill);
        points(around);
    }
    void dot(point at, double radius, char const* fill) {
        append("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" fill=\"%s\"/>\n", at.x, at.y, radius,
               fill);
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

}  // namespace drawing
#endif  // DRAWING_SVG_HPP
