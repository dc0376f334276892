// SPDX-License-Identifier: BSL-1.0
#include "screen.hpp"

#include <unistd.h>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace flaky {
namespace {

constexpr auto refresh = 100ms;  // Ten times a second looks alive.
constexpr char const* plain = "\033[0m";
constexpr char const* green = "\033[32m";
constexpr char const* yellow = "\033[33m";
constexpr char const* red = "\033[31m";

double seconds(duration time) { return std::chrono::duration<double>(time).count(); }
double milliseconds(duration time) { return seconds(time) * 1e3; }

char const* colour_of(double fresh) { return fresh > 0.98 ? green : fresh > 0.5 ? yellow : red; }
char const* colour_of(char const* breaker) {
    if (std::strcmp(breaker, "-") == 0) return "";
    if (std::strcmp(breaker, "closed") == 0) return green;
    return std::strcmp(breaker, "open") == 0 ? red : yellow;
}

}  // namespace

screen::screen(settings const& all, fault_script const& script, meter const& counts,
               std::string const& title)
    : all_{all},
      script_{script},
      counts_{counts},
      is_terminal_{isatty(STDOUT_FILENO) != 0},
      has_colours_{is_terminal_ && std::getenv("NO_COLOR") == nullptr} {
    std::printf(
        "\n%s\n"
        "   time  the server   calls  in time  degraded  failed  breaker    retries     p50     p99"
        "  at server\n"
        "      s                  /s        %%         %%       %%                  /s      ms     "
        " "
        "ms         /s\n",
        title.c_str());
    std::fflush(stdout);
    thread_ = std::jthread{[this](std::stop_token const& stop) { show_until(stop); }};
}

void screen::finish() {
    thread_.request_stop();
    thread_.join();
    clear_progress();
    show_rows(script_.length() + all_.row);
}

void screen::show_until(std::stop_token const& stop) {
    while (!stop.stop_requested()) {
        std::this_thread::sleep_for(refresh);
        auto const elapsed = std::chrono::steady_clock::now() - counts_.start();
        clear_progress();
        show_rows(elapsed);
        show_progress(elapsed);
        std::fflush(stdout);
    }
}

void screen::show_rows(duration elapsed) {
    for (; shown_ + all_.row <= std::min(elapsed, script_.length()); shown_ += all_.row)
        show_row(shown_, shown_ + all_.row);
}

void screen::show_row(duration from, duration to) const {
    auto const now = counts_.between(from, to, by::end);
    auto const per_second = [&](std::uint64_t count) {
        return static_cast<double>(count) / seconds(to - from);
    };
    auto const fresh = now.share(answer::fresh);
    auto const* const state = counts_.breaker_state();
    auto const paint = [&](char const* colour) { return has_colours_ ? colour : ""; };

    std::printf(
        "%7.1f  %-9s  %7.0f  %s%7.1f%s  %8.1f  %6.1f  %s%-9s%s  %7.0f  %6.1f  %6.1f  %9.0f\n",
        seconds(to), script_.phases()[script_.phase_at(from)].name, per_second(now.calls()),
        paint(colour_of(fresh)), fresh * 100, paint(plain), now.share(answer::degraded) * 100,
        now.share(answer::failed) * 100, paint(colour_of(state)), state, paint(plain),
        per_second(now.retries), milliseconds(now.p50), milliseconds(now.p99),
        per_second(now.reached_server));
}

void screen::show_progress(duration elapsed) const {
    if (!is_terminal_) return;
    constexpr int width = 40;
    auto const done = std::clamp(seconds(elapsed) / seconds(script_.length()), 0.0, 1.0);
    auto const filled = static_cast<int>(done * width);
    std::printf("\r  [%.*s%*s] %4.1f of %.1f s   server: %s   breaker: %s", filled,
                "========================================", width - filled, "",
                done * seconds(script_.length()), seconds(script_.length()),
                script_.phases()[script_.phase_at(elapsed)].name, counts_.breaker_state());
}

void screen::clear_progress() const {
    if (is_terminal_) std::printf("\r\033[K");
}

}  // namespace flaky
