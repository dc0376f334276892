// SPDX-License-Identifier: BSL-1.0
//
// Which end of a channel is too slow, and what does that cost?
//
// Output:
//     readings: channel_level_changed high (depth 6, at most 6; weight 6, at most 6)
//     readings: channel_dropped 1 (oldest)
//     readings: channel_dropped 1 (oldest)
//     readings: channel_level_changed low (depth 2, at most 8; weight 2, at most 8)
//     readings: channel_closed (2 left)
//     dropped 2, senders waited 0 times, receivers 0 times
#include <hawser/run/buffered_channel.hpp>
#include <hawser/trace/counter.hpp>
#include <hawser/trace/record.hpp>
#include <hawser/trace/tee.hpp>

#include <cstdio>

namespace {

// [sink]
/// Writes what an operator should see. Waits are not among it: those are counted.
struct service_log {
    void on(hawser::channel_level_changed const& event) const { write(event); }
    void on(hawser::channel_dropped const& event) const { write(event); }
    void on(hawser::channel_closed const& event) const { write(event); }

    template <class Event>
    static void write(Event const& event) {
        std::puts(hawser::describe(hawser::record{event}).c_str());
    }
};
// [/sink]

}  // namespace

int main() {
    // [channel]
    service_log log;
    hawser::event_counter counts;
    hawser::tee both{log, counts};

    using observed = hawser::observed_environment<decltype(both)>;
    hawser::buffered_channel<double, hawser::overflow::drop_oldest, hawser::unit_weight,
                             hawser::no_watch, observed>
        readings{{.capacity = 8, .high_watermark = 6, .low_watermark = 2},
                 {},
                 {},
                 {},
                 hawser::observed_by(both),
                 hawser::named{"readings"}};
    // [/channel]

    for (int i = 0; i != 10; ++i)
        if (!readings.send(0.1 * i)) return 1;
    for (int i = 0; i != 6; ++i)
        if (!readings.receive()) return 1;
    readings.close();

    // [read]
    auto const so_far = counts.snapshot();
    std::printf("dropped %d, senders waited %d times, receivers %d times\n",
                static_cast<int>(so_far.values_dropped.total()),
                static_cast<int>(so_far.sends_waited.total()),
                static_cast<int>(so_far.receives_waited.total()));
    // [/read]
    return so_far.values_dropped.total() == readings.snapshot().dropped.total() ? 0 : 1;
}
