// SPDX-License-Identifier: BSL-1.0
//
// How do I get my thread back from a function that hangs?
//
// Output:
//     the driver answers: 42
//     the driver hangs: timed out, and its caller goes on
//     1 of its threads is left behind
//     stopped: what was left behind has ended
#include <hawser/adapt/asio/isolated.hpp>
#include <hawser/hawser.hpp>

#include <chrono>
#include <cstdio>
#include <latch>
#include <memory>

namespace {

/// A library that knows neither deadlines nor stop tokens.
struct scanner_driver {
    int read(int page) { return page * 21; }
    void calibrate() { lamp.wait(); }  // Until somebody knocks on the scanner.
    std::latch lamp{1};
};

}  // namespace

int main() {
    using namespace std::chrono_literals;
    auto const driver = std::make_shared<scanner_driver>();

    // [isolation]
    // Two threads for what the driver does, and eight calls that may wait for them.
    hawser::isolation_pool threads{{.threads = 2, .places = 8}, hawser::named{"scanner"}};
    auto const line =
        hawser::compose(hawser::attempt_timeout{50ms}, hawser::isolated{hawser::borrow(threads)});

    // The operation owns what it needs: it may still run when this call is long over.
    auto const page = hawser::execute(line, [driver] { return driver->read(2); });
    auto const stuck = hawser::try_execute(line, [driver] { driver->calibrate(); });
    // [/isolation]
    std::printf("the driver answers: %d\n", page);
    std::printf("the driver hangs: %s, and its caller goes on\n", to_string(stuck.code()));
    auto const behind = threads.snapshot().behind;
    std::printf("%u of its threads is left behind\n", behind);

    driver->lamp.count_down();
    threads.stop();
    auto const left = threads.snapshot().running;
    std::printf("stopped: what was left behind has %s\n", left == 0 ? "ended" : "not ended");
    return page == 42 && stuck.code() == hawser::errc::timed_out && behind == 1 && left == 0 ? 0
                                                                                             : 1;
}
