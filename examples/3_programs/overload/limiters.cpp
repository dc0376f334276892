// SPDX-License-Identifier: BSL-1.0
//
// Each call goes through a pipeline of the library, in Asio, under virtual time:
//
//     arrivals --> [ limit ] --> attempt_timeout, the caller's patience --> server
#include "limiters.hpp"

#include "arrivals.hpp"
#include "server.hpp"

#include <hawser/adapt/asio/async_execute.hpp>
#include <hawser/hawser.hpp>
#include <hawser/limit/aimd.hpp>
#include <hawser/limit/gradient2.hpp>
#include <hawser/limit/vegas.hpp>
#include <hawser/policy/bulkhead.hpp>
#include <hawser/policy/concurrency_limit.hpp>
#include <hawser/testing/asio_time.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/system/error_code.hpp>

#include <cstdint>

namespace overload {
namespace {

using boost::system::error_code;

end how_it_ended(hawser::outcome<error_code>& out) {
    if (out.has_value()) return out.value() ? end::turned_away : end::served;
    return out.code() == hawser::errc::timed_out ? end::gave_up : end::refused;
}

/// The scene, with nobody on it yet.
class stage {
public:
    explicit stage(scene const& played)
        : played_{played}, upstream_{io_, time_, played}, counts_{played.story.length()} {}

    [[nodiscard]] auto environment() noexcept { return time_.environment(); }

    /// Each caller goes through `line`. `limit` answers the limit as it is.
    template <class Line, class Limit>
    meter play(Line const& line, Limit const& limit) {
        auto const start = time_.now();
        auto const elapsed = [this, start] { return time_.now() - start; };
        auto const call = [&](std::uint64_t number) {
            auto const came = elapsed();
            counts_.offered(came, upstream_.inside());
            auto const ask = [this, number](auto&, auto&& token) {
                return upstream_.ask(number, std::forward<decltype(token)>(token));
            };
            hawser::async_try_execute(line, io_.get_executor(), ask,
                                      [&, came](hawser::outcome<error_code> out) {
                                          counts_.ended(how_it_ended(out), came, elapsed());
                                          if (auto const now = limit())
                                              counts_.limit_is(now, elapsed());
                                      });
        };
        arrivals const load{deadlines_, start, played_, call};
        time_.run();
        return std::move(counts_);
    }

private:
    scene const& played_;
    boost::asio::io_context io_{1};
    hawser::testing::asio_time time_{io_};
    hawser::testing::manual_deadlines& deadlines_{
        boost::asio::use_service<hawser::testing::manual_deadlines>(io_)};
    server upstream_;
    meter counts_;
};

meter without(scene const& played) {
    stage bare{played};
    auto const line =
        hawser::compose_in(bare.environment(), hawser::attempt_timeout{played.all.patience});
    return bare.play(line, [] { return 0U; });
}

template <std::uint32_t Permits>
meter behind_a_number(scene const& played) {
    stage guarded{played};
    hawser::bulkhead limit{{.permits = Permits}};
    auto const line = hawser::compose_in(guarded.environment(), hawser::borrow(limit),
                                         hawser::attempt_timeout{played.all.patience});
    return guarded.play(line, [] { return Permits; });
}

/// All options are the defaults.
template <class Options>
meter behind(scene const& played) {
    stage guarded{played};
    // [line]
    hawser::concurrency_limit limit{Options{}};
    auto const line = hawser::compose_in(guarded.environment(), hawser::borrow(limit),
                                         hawser::attempt_timeout{played.all.patience});
    // [/line]
    return guarded.play(line, [&] { return limit.limit(); });
}

template <class Options>
limiter learned(char const* name) {
    return {name, behind<Options>, Options{}.ceiling};
}

}  // namespace

std::vector<limiter> const& limiters() {
    static std::vector<limiter> const all{
        {"none", without},
        {"bulkhead, 10: too low a guess", behind_a_number<10>},
        {"bulkhead, 50: a good guess", behind_a_number<50>},
        {"bulkhead, 1000: too high", behind_a_number<1000>},
        learned<hawser::limits::aimd_options>("aimd"),
        learned<hawser::limits::vegas_options>("vegas"),
        learned<hawser::limits::gradient2_options>("gradient2"),
        learned<hawser::limits::knee_options>("knee, the default"),
    };
    return all;
}

}  // namespace overload
