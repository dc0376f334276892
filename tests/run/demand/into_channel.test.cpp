// SPDX-License-Identifier: BSL-1.0
#include <hawser/run/demand/into_channel.hpp>

#include <hawser/run/buffered_channel.hpp>
#include <hawser/run/channel.hpp>
#include <hawser/run/demand/from_channel.hpp>
#include <hawser/run/demand/from_range.hpp>
#include <hawser/run/demand/map.hpp>
#include <hawser/testing/manual_environment.hpp>

#include "support/catch.hpp"
#include "support/told_lines.hpp"

#include <memory>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

using namespace std::chrono_literals;
namespace demand = hawser::demand;
using hawser::channel;
using hawser::transfer;
using ints = std::vector<int>;

namespace {

/// What `done` was told: "" for a flow that has completed.
struct ending {
    std::optional<std::string> said;
    auto operator()() {
        return [this](demand::flow_end end) noexcept {
            CHECK_FALSE(said);
            said = "";
            if (end.is_complete()) return;
            try {
                std::rethrow_exception(end.error);
            } catch (std::exception const& error) {
                said = error.what();
            }
        };
    }
};

ints up_to(int count) {
    ints numbers(static_cast<std::size_t>(count));
    std::iota(numbers.begin(), numbers.end(), 1);
    return numbers;
}

}  // namespace

TEST_CASE("into_channel: fills the channel, and waits for room without a thread") {
    channel<int> numbers{{.capacity = 2}};
    ending end;
    demand::from_range(up_to(4)).subscribe(demand::into_channel(numbers, end()));
    CHECK(numbers.size() == 2);
    CHECK_FALSE(end.said);
    for (int n = 1; n <= 4; ++n) CHECK(*numbers.try_receive() == n);
    CHECK(end.said == "");
    CHECK(numbers.try_receive().what() == transfer::closed);
}

TEST_CASE("into_channel: the last item goes in before the channel is closed") {
    channel<int> numbers{{.capacity = 1}};
    ending end;
    demand::from_range(up_to(2)).subscribe(demand::into_channel(numbers, end()));
    CHECK_FALSE(end.said);  // The flow is over, and its last item waits.
    CHECK_FALSE(numbers.is_closed());
    CHECK(*numbers.try_receive() == 1);
    CHECK(end.said == "");
    CHECK(numbers.is_closed());
    CHECK(*numbers.try_receive() == 2);
}

TEST_CASE("into_channel: a channel that is closed cancels the flow, and says so") {
    channel<int> numbers{{.capacity = 1}};
    ending end;
    demand::from_range(up_to(9)).subscribe(demand::into_channel(numbers, end()));
    numbers.close();
    CHECK(end.said == "closed");
    CHECK(*numbers.try_receive() == 1);
    CHECK(numbers.try_receive().what() == transfer::closed);

    ending late;
    demand::from_range(up_to(9)).subscribe(demand::into_channel(numbers, late()));
    CHECK(late.said == "closed");
}

TEST_CASE("into_channel: the channel tells how long an item has waited, and of its end") {
    hawser::manual_time time{hawser::time_point{1h}};
    support::told_lines told;
    auto const env = hawser::testing::manual_and_observed(time, told);
    channel<int, std::remove_const_t<decltype(env)>> numbers{
        {.capacity = 1}, env, hawser::named{"numbers"}};
    ending end;
    demand::from_range(up_to(3)).subscribe(demand::into_channel(numbers, end()));
    time.advance(3ms);
    CHECK(*numbers.try_receive() == 1);  // The second comes in, and the third waits.
    time.advance(2ms);
    CHECK(*numbers.try_receive() == 2);
    CHECK(told.take() ==
          support::told_lines::lines{"numbers: channel_waited to send for 3ms (depth 1)",
                                     "numbers: channel_waited to send for 2ms (depth 1)",
                                     "numbers: channel_closed (1 left)"});
    CHECK(end.said == "");
}

TEST_CASE("into_channel: an item that is turned away has waited, and the refusal has the name") {
    hawser::manual_time time{hawser::time_point{1h}};
    support::told_lines told;
    auto const env = hawser::testing::manual_and_observed(time, told);
    channel<int, std::remove_const_t<decltype(env)>> numbers{
        {.capacity = 1}, env, hawser::named{"numbers"}};
    std::string by;
    demand::from_range(up_to(3)).subscribe(
        demand::into_channel(numbers, [&](demand::flow_end end) noexcept {
            try {
                std::rethrow_exception(end.error);
            } catch (hawser::refused const& error) {
                by = error.why().policy;
            }
        }));
    time.advance(3ms);
    numbers.close();
    CHECK(told.take() ==
          support::told_lines::lines{"numbers: channel_waited to send for 3ms (closed, depth 1)",
                                     "numbers: channel_closed (1 left)"});
    CHECK(by == "numbers");
}

TEST_CASE("into_channel: what a merge throws is the end of the flow, and closes the channel") {
    auto refuse = [](int&, int&) { throw std::runtime_error{"cannot be merged"}; };
    hawser::buffered_channel<int, hawser::overflow::conflate<decltype(refuse)>> numbers{
        {.capacity = 1}, hawser::overflow::conflate{refuse}};
    ending end;
    demand::from_range(up_to(3)).subscribe(demand::into_channel(numbers, end()));
    CHECK(end.said == "cannot be merged");
    CHECK(numbers.is_closed());
    CHECK(*numbers.try_receive() == 1);
}

TEST_CASE("into_channel: an error of the flow closes the channel behind what was sent") {
    channel<int> numbers{{.capacity = 4}};
    ending end;
    auto const fails_at_three = [](int n) {
        return n == 3 ? throw std::runtime_error{"three"} : n;
    };
    (demand::from_range(up_to(9)) | demand::map(fails_at_three))
        .subscribe(demand::into_channel(numbers, end()));
    CHECK(end.said == "three");
    CHECK(*numbers.try_receive() == 1);
    CHECK(*numbers.try_receive() == 2);
    CHECK(numbers.try_receive().what() == transfer::closed);
}

TEST_CASE("into_channel: an item too large for a buffered channel ends the flow") {
    auto const weigh = [](int n) noexcept { return static_cast<std::uint64_t>(n); };
    hawser::buffered_channel<int, hawser::overflow::block, decltype(weigh)> numbers{
        {.weight = 3}, {}, weigh};
    ending end;
    demand::from_range(ints{1, 2, 5}).subscribe(demand::into_channel(numbers, end()));
    CHECK_FALSE(end.said == "");
    CHECK(*numbers.try_receive() == 1);
    CHECK(*numbers.try_receive() == 2);
    CHECK(end.said == "too large");
}

TEST_CASE("into_channel: from channel to channel, under threads, nothing is lost or overtaken") {
    for (std::size_t const capacity : {0U, 1U, 16U}) {
        INFO("capacity " << capacity);
        constexpr int count = 5'000;
        channel<int> in{{.capacity = capacity}}, out{{.capacity = capacity}};
        ending end;
        (demand::from_channel(in) | demand::map([](int n) {
             return 2 * n;
         })).subscribe(demand::into_channel(out, end()));
        std::jthread sends{[&] {
            for (int n = 1; n <= count; ++n) CHECK_NOTHROW(in.send(n));
            in.close();
        }};
        int next = 1;
        while (auto const got = out.receive()) {
            if (*got != 2 * next) FAIL("overtaken, or lost");
            ++next;
        }
        sends.join();
        CHECK(next == count + 1);
        CHECK(end.said == "");
    }
}
