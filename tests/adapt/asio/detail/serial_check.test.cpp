// SPDX-License-Identifier: BSL-1.0
#include <hawser/adapt/asio/detail/serial_check.hpp>

#include "support/catch.hpp"

#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <cstdio>
#include <optional>
#include <thread>

using hawser::detail::serial_check;

TEST_CASE("serial_check: handlers of one call may follow each other on any threads") {
    serial_check check;
    for (int i = 0; i < 3; ++i) {
        std::jthread const other{[&] { [[maybe_unused]] auto const inside = check.enter(); }};
    }
    [[maybe_unused]] auto const inside = check.enter();
    SUCCEED();
}

TEST_CASE("serial_check: handlers of one call may nest on one thread") {
    serial_check check;
    [[maybe_unused]] auto const outer = check.enter();
    [[maybe_unused]] auto const inner = check.enter();
    SUCCEED();
}

TEST_CASE("serial_check: the call may end, and its check with it, inside a handler") {
    std::optional<serial_check> check{std::in_place};
    [[maybe_unused]] auto const outer = check->enter();
    [[maybe_unused]] auto const inner = check->enter();
    check.reset();
    SUCCEED();
}

#ifndef NDEBUG
TEST_CASE("serial_check: two threads inside one call stop the program") {
    auto const child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        std::signal(SIGABRT, SIG_DFL);
        std::fclose(stderr);
        serial_check check;
        auto const inside = check.enter();
        std::thread{[&] { auto const other = check.enter(); }}.join();
        _exit(0);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == SIGABRT);
}
#endif
