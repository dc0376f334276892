// SPDX-License-Identifier: BSL-1.0
#include "report.hpp"

#include "memory.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace stream {
namespace {

double megas(std::uint64_t bytes) { return static_cast<double>(bytes) / mega; }

unsigned long long whole(std::uint64_t number) { return number; }

bool is_watched() {
    static bool const watched = ::isatty(STDERR_FILENO) == 1;
    return watched;
}

bool promise(bool kept, char const* otherwise) {
    if (!kept) std::printf("  BROKEN: %s\n", otherwise);
    return kept;
}

}  // namespace

void print_head(settings const& all) {
    std::printf(
        "  %.1f MB over loopback, from a source without a limit to a file at %u MB/s\n"
        "  the channel between them holds %.0f MB; the socket is paused at %.0f, resumed at "
        "%.0f\n\n",
        megas(all.bytes), all.rate, megas(bound), megas(high), megas(low));
    std::fflush(stdout);
}

void show(settings const& all, slice const& seen) {
    static duration last{};
    if (!is_watched() && seen.at - last < 5s) return;
    last = seen.at;
    constexpr int width = 32;
    auto const done = std::min(1.0, megas(seen.received) / megas(all.bytes));
    auto const filled = static_cast<int>(done * width);
    std::fprintf(
        stderr, "%s  [%.*s%*s] %7.1f MB after %5.1f s   channel: %5.1f MB   memory: %5.1f MB%s",
        is_watched() ? "\r\033[K" : "", filled, "================================", width - filled,
        "", megas(seen.received), seconds(seen.at), megas(seen.highest), megas(seen.memory),
        is_watched() ? "" : "\n");
}

void show_end() {
    if (is_watched()) std::fputs("\r\033[K", stderr);
}

void print(settings const& all, findings const& with) {
    auto const took = seconds(with.took);
    auto const share = [&](duration of) { return 100 * seconds(of) / took; };
    std::printf("  sent          %llu bytes, checksum %016llx, to 127.0.0.1:%u\n",
                whole(with.sent.count()), whole(with.sent.value()), with.port);
    std::printf("  written       %llu bytes, checksum %016llx, to %s\n",
                whole(with.written.count()), whole(with.written.value()), with.place.c_str());
    std::printf("  took          %.2f s, %.1f MB/s\n", took, megas(with.written.count()) / took);
    std::printf("  the channel   held %.2f MB at most, of %.2f\n",
                megas(with.channel.highest_weight), megas(bound));
    std::printf("  the reader    paused %llu times, %.2f s in all: %.1f %% of the time\n",
                whole(with.pauses.count()), seconds(with.pauses.total()),
                share(with.pauses.total()));
    std::printf("  the source    waited %llu times, %.2f s in all: %.1f %% of the time\n",
                whole(with.waits.count()), seconds(with.waits.total()), share(with.waits.total()));
    std::printf("  the kernel    had %.2f MB at most, sent and not yet read\n",
                megas(with.in_kernel));
    std::printf(
        "  memory        %.2f MB before, %.2f MB at the peak (VmHWM): %.2f MB more, for %.1f "
        "MB of data\n",
        megas(with.memory_before), megas(with.memory_peak), megas(with.growth()), megas(all.bytes));
    std::printf("                allowed: %.0f MB, the channel's bound and %.0f of slack%s\n",
                megas(bound + slack), megas(slack),
                is_measurable ? "" : "; not judged under a sanitizer");
}

void print_without(findings const& without) {
    std::printf("\n  without a bound\n");
    std::printf("  %s after %.2f s: %.1f MB received, %.1f MB written\n",
                without.stopped ? "stopped" : "ended", seconds(without.took),
                megas(without.received), megas(without.written.count()));
    std::printf("  memory        %.2f MB before, %.2f MB at the peak\n",
                megas(without.memory_before), megas(without.memory_peak));
}

bool holds(settings const& all, findings const& with) {
    auto kept = promise(with.sent.count() == all.bytes && with.received == all.bytes &&
                            with.written.count() == all.bytes && with.file_size == all.bytes,
                        "not every byte that was sent is in the file");
    kept &= promise(with.sent == with.written, "the file's checksum is not the source's");
    kept &= promise(with.channel.highest_weight <= bound, "the channel held more than its bound");
    kept &= promise(!is_measurable || with.growth() <= bound + slack,
                    "memory is not flat: it has grown by more than the bound and the slack");
    // Less may end before it fills the channel, and the kernel's buffers behind it.
    auto const enough = is_measurable ? all.bytes : 0;
    kept &= promise(enough < 2 * bound || with.pauses.count() != 0, "the socket was never paused");
    kept &= promise(enough < 8 * bound || with.waits.count() != 0, "the source never waited");
    return kept;
}

bool shows_contrast(settings const& all, findings const& without) {
    // What the transfer before it has left free is used again, and does not show as growth.
    return !is_measurable || all.bytes < 2 * stop_at ||
           promise(without.stopped && without.growth() >= stop_at - bound - slack,
                   "without a bound memory does not grow, so the bound shows nothing");
}

}  // namespace stream
