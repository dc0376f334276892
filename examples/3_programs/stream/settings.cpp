// SPDX-License-Identifier: BSL-1.0
#include "settings.hpp"

#include <charconv>
#include <cstdio>
#include <string_view>

namespace stream {
namespace {

constexpr char const* usage =
    "usage: stream [--bytes N] [--rate N] [--without] [--svg PATH] [--file PATH]\n"
    "  --bytes N    how much is transferred: bytes, or with kB, MB, GB; 2GB if not said\n"
    "  --rate N     MB a second that the sink writes, 1 to 1000; 100 if not said\n"
    "  --without    afterwards the same without a bound, until 256 MB wait\n"
    "  --svg PATH   where the picture goes; stream.svg if not said\n"
    "  --file PATH  where the bytes go; if not said, a temporary file that is removed\n";

/// Reads a number, and leaves what stands behind it in `text`.
bool read(std::string_view& text, std::uint64_t& number) {
    auto const result = std::from_chars(text.data(), text.data() + text.size(), number);
    text.remove_prefix(static_cast<std::size_t>(result.ptr - text.data()));
    return result.ec == std::errc{};
}

bool read_bytes(std::string_view text, std::uint64_t& bytes) {
    constexpr std::uint64_t most = 1'000'000 * mega;
    if (!read(text, bytes) || bytes == 0 || bytes > most) return false;
    std::uint64_t const unit = text == "kB"                  ? mega / 1000
                               : text == "MB"                ? mega
                               : text == "GB"                ? 1000 * mega
                               : text.empty() || text == "B" ? 1
                                                             : 0;
    bytes *= unit;
    return bytes != 0 && bytes / unit <= most / unit;
}

bool read_rate(std::string_view text, std::uint32_t& rate) {
    std::uint64_t number = 0;
    if (!read(text, number) || !text.empty() || number == 0 || number > 1000) return false;
    rate = static_cast<std::uint32_t>(number);
    return true;
}

/// Takes an option with its value, and says what it has to be if that makes no sense.
bool take(std::string_view option, std::string_view value, settings& all) {
    char const* wanted = "the path of a file";
    auto good = !value.empty();
    if (option == "--bytes") {
        wanted = "from 1 to 1000000000000 bytes, such as 2000000000, 16MB or 2GB";
        good = read_bytes(value, all.bytes);
    } else if (option == "--rate") {
        wanted = "from 1 to 1000 MB a second";
        good = read_rate(value, all.rate);
    } else {
        (option == "--svg" ? all.svg : all.file) = value;
    }
    if (!good)
        std::fprintf(stderr, "stream: %.*s is %s, not '%.*s'\n", static_cast<int>(option.size()),
                     option.data(), wanted, static_cast<int>(value.size()), value.data());
    return good;
}

bool takes_a_value(std::string_view option) {
    return option == "--bytes" || option == "--rate" || option == "--svg" || option == "--file";
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
        if (option == "--without") {
            all.without = true;
        } else if (!takes_a_value(option)) {
            std::fprintf(stderr, "stream: there is no option '%s'\n%s", argv[i], usage);
            return 2;
        } else if (i + 1 == argc) {
            std::fprintf(stderr, "stream: %s stands without its value\n%s", argv[i], usage);
            return 2;
        } else if (!take(option, argv[++i], all)) {
            return 2;
        }
    }
    return all;
}

}  // namespace stream
