// SPDX-License-Identifier: BSL-1.0
//
// What does a client gain from hawser when its server fails in every way there is?
//
// An HTTP server on loopback follows a script: it fails some requests, leaves some unanswered, then
// is down for six seconds in three ways (503, silence, connection resets), and recovers. A client
// calls it 400 times a second, from threads and from coroutines: first as one would write it, each
// request once with a timeout; then through a pipeline of fallback, total timeout, retry, circuit
// breaker and attempt timeout. Both meet the same script and, call by call, the same luck.
//
// It shows both runs live, second by second, and ends after 40 seconds with about this:
//
//                                                  without hawser     with hawser
//       calls                                              8000            8000
//       answered in time                                  63.4 %          69.4 %
//       served degraded: the last price known              0.0 %          30.6 %
//       failed                                            36.6 %           0.0 %
//       time until the caller knows, p50                   6.2 ms          4.7 ms
//       time until the caller knows, p99                 998.2 ms        220.2 ms
//       requests that reached the server                  8000            6093
//       a second, during the outage                      424.3 /s         13.2 /s
//
// and the same per phase. While the server is down nobody gets a fresh answer from it; the pipeline
// then answers at once with the last price known, and takes the load off the server. That has its
// price, which the table shows too: when the server is back, up to 0.3 seconds pass until the
// breaker's next probe finds out.
//
// Exits non-zero if the pipeline does not answer more calls in time, does not take load off the
// server during the outage, or if the breaker does not open and close again. The picture of both
// runs is an SVG. `--help` names the options; `--quick` is a smoke test of 6 seconds:
// ctest: --quick --svg flaky.svg
#include "client.hpp"
#include "load.hpp"
#include "meter.hpp"
#include "plot.hpp"
#include "report.hpp"
#include "screen.hpp"
#include "script.hpp"
#include "server.hpp"
#include "settings.hpp"

#include <boost/system/system_error.hpp>

#include <cstdio>
#include <exception>
#include <memory>
#include <string>

using namespace flaky;

namespace {

/// One run: a server with the script, a client, the load, and a look at all of it.
class run {
public:
    run(settings const& all, fault_script const& script)
        : all_{all}, script_{script}, counts_{all, script.length(), soon()} {}

    void go(char const* title, client& asked) {
        server const upstream{script_, counts_, all_.port};
        screen view{all_, script_, counts_,
                    std::string{title} +
                        ", server on 127.0.0.1:" + std::to_string(upstream.address().port())};
        offer_load(all_, script_.length(), upstream.address(), asked, counts_);
        view.finish();
    }

    [[nodiscard]] meter& counts() noexcept { return counts_; }

private:
    static time_point soon() { return std::chrono::steady_clock::now() + 100ms; }

    settings const& all_;
    fault_script const& script_;
    meter counts_;
};

int compare(settings const& all) {
    fault_script const script{all.phases, all.seed};

    run without{all, script};
    auto const plain = make_plain_client();
    without.go("Run 1 of 2, without hawser", *plain);

    run with{all, script};
    auto const resilient = make_hawser_client(all, with.counts());
    with.go("Run 2 of 2, with hawser", *resilient);

    two_runs const runs{all, script, without.counts(), with.counts()};
    print_table(runs);
    if (!write_plot(runs, all.svg)) {
        std::fprintf(stderr, "cannot write %s\n", all.svg.c_str());
        return 1;
    }
    std::printf("\n  both runs as a picture: %s\n", all.svg.c_str());
    return holds_promises(runs) ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    auto const all = settings_of(argc, argv);
    if (!all) return 2;
    try {
        return compare(*all);
    } catch (boost::system::system_error const& error) {  // The port is taken, most likely.
        std::fprintf(stderr, "flaky: %s\n", error.code().message().c_str());
        return 1;
    } catch (std::exception const& error) {
        std::fprintf(stderr, "flaky: %s\n", error.what());
        return 1;
    }
}
