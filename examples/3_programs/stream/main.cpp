// SPDX-License-Identifier: BSL-1.0
//
// What does a bound do between a fast source and a slow sink?
//
// A source sends 2 GB over a loopback socket, as fast as the socket takes them. They go through a
// channel into a file, which is written at 100 MB/s, by a rate_limit that waits. The channel holds
// 8 MB. When 6 MB are in it, it pauses the reader, which begins no read then; at 2 MB it lets it go
// on. What nobody reads stays in the kernel, which has a bound too: so the source waits.
//
// It takes 20 seconds, and prints about this:
//
//       sent          2000000000 bytes, checksum bd0c629a12fa11ce, to 127.0.0.1:40249
//       written       2000000000 bytes, checksum bd0c629a12fa11ce, to a temporary file in /tmp
//       took          19.99 s, 100.0 MB/s
//       the channel   held 8.00 MB at most, of 8.00
//       the reader    paused 456 times, 18.37 s in all: 91.9 % of the time
//       the source    waited 779 times, 19.14 s in all: 95.7 % of the time
//       the kernel    had 6.16 MB at most, sent and not yet read
//       memory        3.62 MB before, 12.62 MB at the peak (VmHWM): 9.00 MB more, for 2000.0 MB ...
//
// The picture shows the channel's depth over time with the pauses, and the memory. `--without`
// plays it again without a bound: after 0.3 seconds 256 MB wait, and it is stopped.
//
// Exits non-zero if the file has not the bytes that were sent, or if memory is not flat: at its
// peak no more above the start than the bound and 8 MB. `--help` names the options. 64 MB are a
// smoke test of two seconds:
// ctest: --bytes 64MB --rate 80 --without --svg stream.svg
#include "findings.hpp"
#include "plot.hpp"
#include "report.hpp"
#include "settings.hpp"
#include "transfer.hpp"

#include <cstdio>
#include <exception>
#include <optional>
#include <variant>

using namespace stream;

namespace {

int compare(settings const& all) {
    print_head(all);
    auto const shown = [&](slice const& seen) { show(all, seen); };
    auto const with = play(all, held_by::a_bound, shown);
    show_end();
    print(all, with);
    auto good = holds(all, with);

    // Second, so that what it takes of memory is not counted with the first.
    std::optional<findings> without;
    if (all.without) {
        without = play(all, held_by::nothing, shown);
        show_end();
        print_without(*without);
        good &= shows_contrast(all, *without);
    }
    if (!write_plot(all, with, without ? &*without : nullptr)) {
        std::fprintf(stderr, "stream: cannot write '%s'\n", all.svg.c_str());
        return 1;
    }
    std::printf("\n  The picture: %s\n", all.svg.c_str());
    return good ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    auto const told = settings_of(argc, argv);
    if (auto const* const status = std::get_if<int>(&told)) return *status;
    try {
        return compare(std::get<settings>(told));
    } catch (std::exception const& error) {
        std::fprintf(stderr, "\nstream: %s\n", error.what());
        return 1;
    }
}
