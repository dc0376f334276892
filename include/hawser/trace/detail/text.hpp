// SPDX-License-Identifier: BSL-1.0
//
// Numbers and durations as text, the same in every locale.
#ifndef HAWSER_TRACE_DETAIL_TEXT_HPP
#define HAWSER_TRACE_DETAIL_TEXT_HPP

#include <hawser/base/time.hpp>

#include <charconv>
#include <concepts>
#include <cstdint>
#include <string>

namespace hawser::inline v0::detail {

inline void add_piece(std::string& text, char const* piece) {
    text += piece != nullptr ? piece : "";
}

template <class Number>
requires std::unsigned_integral<Number> || std::floating_point<Number>
inline void add_piece(std::string& text, Number number) {
    char digits[32];  // The shortest form of a double has at most 24 characters.
    text.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

/// `value / unit` with up to three decimals, cut off, not rounded: a wait of 99.9999 ms was not
/// 100 ms.
inline void add_decimal(std::string& text, std::uint64_t value, std::uint64_t unit, bool pad) {
    add_piece(text, value / unit);
    auto thousandths = value % unit * 1000 / unit;
    if (thousandths == 0 && !pad) return;
    char decimals[] = ".000";
    for (auto* digit = decimals + 3; digit != decimals; --digit, thousandths /= 10)
        *digit = static_cast<char>('0' + thousandths % 10);
    text += decimals;
    if (!pad) text.erase(text.find_last_not_of('0') + 1);
}

/// Without the overflow that negating the smallest number is.
inline std::uint64_t magnitude(duration length) noexcept {
    auto const count = static_cast<std::uint64_t>(length.count());
    return length < duration::zero() ? ~count + 1 : count;
}

/// In the largest unit of which there is at least one: "1.5s", "100ms", "never".
inline void add_piece(std::string& text, duration length) {
    if (length == never) return add_piece(text, "never");
    if (length < duration::zero()) text += '-';
    auto const value = magnitude(length);
    if (value >= 1'000'000'000)
        add_decimal(text, value, 1'000'000'000, false), text += "s";
    else if (value >= 1'000'000)
        add_decimal(text, value, 1'000'000, false), text += "ms";
    else if (value >= 1'000)
        add_decimal(text, value, 1'000, false), text += "us";
    else
        add_piece(text, value), text += value == 0 ? "s" : "ns";
}

/// With three decimals always, so that the lines of a trace stand under each other: "12.300ms".
inline void add_milliseconds(std::string& text, duration length) {
    if (length < duration::zero()) text += '-';
    add_decimal(text, magnitude(length), 1'000'000, true);
    text += "ms";
}

template <class... Pieces>
inline void add_text(std::string& text, Pieces const&... pieces) {
    (add_piece(text, pieces), ...);
}

}  // namespace hawser::inline v0::detail
#endif  // HAWSER_TRACE_DETAIL_TEXT_HPP
