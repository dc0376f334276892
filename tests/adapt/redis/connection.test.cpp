// SPDX-License-Identifier: BSL-1.0
#include <hawser/adapt/redis/connection.hpp>

#include "support/catch.hpp"
#include "support/redis_impostor.hpp"
#include "support/redis_proxy.hpp"
#include "support/redis_server.hpp"

#include <csignal>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using hawser::redis_connection;
using support::redis_proxy;
using support::redis_server;

namespace {

hawser::time_point in(hawser::duration wait) { return hawser::steady_clock_source{}.now() + wait; }

std::string text_of(hawser::redis_reply const& reply) {
    return reply && reply->str != nullptr ? std::string{reply->str, reply->len} : std::string{};
}

/// How long `work` takes.
hawser::duration time_of(auto work) {
    auto const start = hawser::steady_clock_source{}.now();
    work();
    return hawser::steady_clock_source{}.now() - start;
}

}  // namespace

TEST_CASE("redis_connection: a command is answered, with any bytes in it") {
    redis_server server;
    redis_connection connection{server.endpoint()};
    CHECK_FALSE(connection.is_open());
    REQUIRE(connection.open(in(10s)));
    std::string const bytes{"a\0\r\n\xff", 5};
    CHECK(text_of(connection.command({"SET", "key", bytes}, in(10s))) == "OK");
    CHECK(text_of(connection.command({"GET", "key"}, in(10s))) == bytes);
    std::string const large(1'000'000, 'x');
    CHECK(text_of(connection.command({"ECHO", large}, in(10s))) == large);
    CHECK(text_of(connection.command({"SET", "key", {}}, in(10s))) == "OK");
    CHECK(is_redis_error(connection.command({"NO", "SUCH"}, in(10s)), "ERR unknown"));
    CHECK(connection.is_open());
    CHECK(connection.why().empty());
}

TEST_CASE("redis_connection: a server that is not there is said so at once") {
    redis_connection connection{{.port = support::free_port()}};
    CHECK(time_of([&] { CHECK_FALSE(connection.open(in(10s))); }) < 5s);
    CHECK(connection.why() == "Connection refused");
    CHECK_FALSE(connection.is_open());
    CHECK_FALSE(connection.command({"PING"}, in(10s)));

    redis_connection local{{.path = "/nonexistent/socket"}};
    CHECK_FALSE(local.open(in(10s)));
    CHECK_FALSE(local.why().empty());
}

TEST_CASE("redis_connection: a user, a password and a database are said on opening") {
    redis_server server{{"--requirepass", "secret"}};
    redis_connection wrong{{.port = server.port(), .password = "guess"}};
    CHECK_FALSE(wrong.open(in(10s)));
    CHECK(wrong.why().substr(0, 9) == "WRONGPASS");
    redis_connection right{{.port = server.port(), .password = "secret", .database = 3}};
    REQUIRE(right.open(in(10s)));
    right.command({"SET", "key", "three"}, in(10s));
    redis_connection named{{.port = server.port(), .username = "default", .password = "secret"}};
    REQUIRE(named.open(in(10s)));
    CHECK(text_of(named.command({"GET", "key"}, in(10s))).empty());
    redis_connection outside{{.port = server.port(), .password = "secret", .database = 99}};
    CHECK_FALSE(outside.open(in(10s)));
}

TEST_CASE("redis_connection: an answer that does not come in time closes it, and takes no longer") {
    redis_server server;
    redis_connection connection{server.endpoint()};
    REQUIRE(connection.open(in(10s)));
    server.pause();
    auto const waited = time_of([&] {
        CHECK_FALSE(connection.command({"ECHO", "late"}, in(50ms)));
    });
    CHECK(waited >= 50ms);
    CHECK(waited < 1s);
    CHECK(connection.why() == "no answer in time");
    CHECK_FALSE(connection.is_open());
    server.resume();
    // The late answer is not taken for that of the next command.
    REQUIRE(connection.open(in(10s)));
    CHECK(text_of(connection.command({"ECHO", "next"}, in(10s))) == "next");
}

TEST_CASE("redis_connection: an answer that dribbles in is waited for no longer than any other") {
    redis_server server;
    redis_proxy proxy{server.port()};
    redis_connection connection{{.port = proxy.port()}};
    REQUIRE(connection.open(in(10s)));
    proxy.next(redis_proxy::fault::dribble);
    std::string const text = "return string.rep('x', 1000)";
    CHECK(time_of([&] { CHECK_FALSE(connection.command({"EVAL", text, "0"}, in(100ms))); }) < 2s);
}

TEST_CASE("redis_connection: an answer is not waited for longer for what it claims to hold") {
    support::redis_impostor server{"*2147483647\r\n"};
    redis_connection connection{{.port = server.port()}};
    REQUIRE(connection.open(in(10s)));
    CHECK(time_of([&] { CHECK_FALSE(connection.command({"PING"}, in(100ms))); }) < 2s);
    CHECK_FALSE(connection.is_open());
    CHECK_FALSE(connection.why().empty());
}

TEST_CASE("redis_connection: a connection that the server closed is an error and no signal") {
    redis_server server;
    redis_connection connection{server.endpoint()};
    REQUIRE(connection.open(in(10s)));
    CHECK(text_of(connection.command({"PING"}, in(10s))) == "PONG");  // It is accepted by now.
    std::signal(SIGPIPE, SIG_DFL);  // Whatever the program that runs the tests made of it.
    server.kill();
    // Its first bytes tell that nobody is there, and more are to follow.
    CHECK_FALSE(connection.command({"ECHO", std::string(30'000'000, 'x')}, in(10s)));
    for (int i = 0; i != 3; ++i) CHECK_FALSE(connection.command({"PING"}, in(10s)));
    CHECK_FALSE(connection.is_open());
    CHECK_FALSE(connection.why().empty());
    server.start();
    REQUIRE(connection.open(in(10s)));
    CHECK(text_of(connection.command({"PING"}, in(10s))) == "PONG");
}

TEST_CASE("redis_connection: a script runs by its name, and by its text where it is not known") {
    redis_server server;
    redis_connection connection{server.endpoint()};
    REQUIRE(connection.open(in(10s)));
    hawser::redis_script script{"return KEYS[1] .. ARGV[1]"};
    std::vector<std::string_view> const words{"key", "value"};
    CHECK(text_of(connection.evaluate(script, words, 1, in(10s))) == "keyvalue");
    CHECK(script.sha.size() == 40);
    server.tell({"SCRIPT", "FLUSH"});
    CHECK(text_of(connection.evaluate(script, words, 1, in(10s))) == "keyvalue");
    CHECK(text_of(connection.evaluate(script, words, 1, in(10s))) == "keyvalue");
    CHECK(server.tell({"SCRIPT", "EXISTS", script.sha}).empty());  // An array, so no error.

    hawser::redis_script wrong{"not a script"};
    CHECK(is_redis_error(connection.evaluate(wrong, words, 1, in(10s)), "ERR"));
    CHECK(wrong.sha.empty());
}
