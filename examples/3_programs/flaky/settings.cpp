// SPDX-License-Identifier: BSL-1.0
#include "settings.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <string_view>

namespace flaky {
namespace {

/// The same story in three seconds, for a smoke test: everybody is less patient.
void hurry(settings& all) {
    all.calls_per_second = 300;
    all.threads = 6;
    all.patience = 400ms;
    all.attempt_limit = 100ms;
    all.total_limit = 350ms;
    all.open_for = 60ms;
    all.breaker_window = 40;
    all.slice = 100ms;
    all.row = 500ms;
    constexpr std::array lengths{200ms, 900ms, 800ms, 200ms, 300ms, 200ms, 200ms, 200ms};
    for (std::size_t i = 0; i < lengths.size(); ++i) all.phases[i].length = lengths[i];
}

template <class Number>
bool read(std::string_view text, Number& number) {
    auto const end = text.data() + text.size();
    auto const result = std::from_chars(text.data(), end, number);
    return result.ec == std::errc{} && result.ptr == end;
}

/// Takes one option, with its value if it has one; whether it made sense.
bool take(std::string_view option, std::string_view value, settings& all) {
    if (option == "--seed") return read(value, all.seed);
    if (option == "--port") return read(value, all.port);
    if (option != "--svg" || value.empty()) return false;
    all.svg = value;
    return true;
}

}  // namespace

std::optional<settings> settings_of(int argc, char const* const* argv) {
    settings all;
    for (int i = 1; i < argc; ++i) {
        std::string_view const option = argv[i];
        if (option == "--quick") {
            hurry(all);
        } else if (i + 1 < argc && take(option, argv[i + 1], all)) {
            ++i;
        } else {
            std::fputs(
                "usage: flaky [--quick] [--seed N] [--port N] [--svg PATH]\n"
                "  --quick     a smoke test of 6 seconds\n"
                "  --seed N    another fate for each request; 7 if not said\n"
                "  --port N    the server's port; a free one if not said\n"
                "  --svg PATH  where the picture goes; flaky.svg if not said\n",
                stderr);
            return std::nullopt;
        }
    }
    return all;
}

}  // namespace flaky
