// SPDX-License-Identifier: BSL-1.0
#include "settings.hpp"

#include <charconv>
#include <cstdio>
#include <limits>
#include <string_view>

namespace overload {
namespace {

constexpr char const* usage =
    "usage: overload [--quick] [--seed N] [--seeds COUNT] [--out PATH]\n"
    "  --quick        a shorter simulation of fewer loads\n"
    "  --seed N       other callers, by chance; 7 if not said\n"
    "  --seeds COUNT  only checks the claim, for COUNT seeds from N on, and says the range\n"
    "  --out PATH     where the picture goes; overload.svg if not said\n";

/// Few loads and a short story, for a smoke test.
void hurry(settings& all) {
    all.loads = {0.5, 1, 3};
    all.run = 12s;
    all.measured_from = 4s;
    for (auto& each : all.story) each.length /= 5;
}

/// Reads all of `text`, in [least, Number's most]; says what is wrong if it is no such number.
template <class Number>
bool read(std::string_view option, std::string_view text, Number least, Number& number) {
    auto const end = text.data() + text.size();
    auto const result = std::from_chars(text.data(), end, number);
    if (result.ec == std::errc{} && result.ptr == end && number >= least) return true;
    std::fprintf(stderr, "overload: %.*s is a whole number from %llu to %llu, not '%.*s'\n",
                 static_cast<int>(option.size()), option.data(),
                 static_cast<unsigned long long>(least),
                 static_cast<unsigned long long>(std::numeric_limits<Number>::max()),
                 static_cast<int>(text.size()), text.data());
    return false;
}

/// Takes an option with its value, and says so if that makes no sense.
bool take(std::string_view option, std::string_view value, settings& all) {
    if (option == "--seed") return read<std::uint64_t>(option, value, 0, all.seed);
    if (option == "--seeds") return read<std::uint16_t>(option, value, 1, all.seeds);
    if (value.empty()) {
        std::fputs("overload: --out is the path of a file, not ''\n", stderr);
        return false;
    }
    all.out = value;
    return true;
}

bool takes_a_value(std::string_view option) {
    return option == "--seed" || option == "--seeds" || option == "--out";
}

}  // namespace

std::variant<settings, int> settings_of(int argc, char const* const* argv) {
    settings all;
    for (int i = 1; i < argc; ++i) {
        std::string_view const option = argv[i];
        if (option == "--help") {
            std::fputs(usage, stdout);
            return 0;
        }
        if (option == "--quick") {
            hurry(all);
        } else if (!takes_a_value(option)) {
            std::fprintf(stderr, "overload: there is no option '%s'\n%s", argv[i], usage);
            return 2;
        } else if (i + 1 == argc) {
            std::fprintf(stderr, "overload: %s stands without its value\n%s", argv[i], usage);
            return 2;
        } else if (!take(option, argv[++i], all)) {
            return 2;
        }
    }
    return all;
}

}  // namespace overload
