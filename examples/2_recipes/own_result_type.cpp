// SPDX-License-Identifier: BSL-1.0
//
// How do policies understand a result type of mine, and give it back when they refuse?
//
// Output:
//     status 500, breaker open
//     status 503, circuit open
#include <hawser/hawser.hpp>

#include <cstdio>
#include <string>

// [traits]
struct reply {
    int status = 0;
    std::string body;
    hawser::duration wait{};
};

template <>
struct hawser::outcome_traits<reply> {
    /// What it says of the server's health. A 404 is the answer of a healthy server.
    static verdict classify(reply const& r) noexcept {
        return r.status < 500 ? verdict::success : verdict::failure;
    }
    /// How a refusal looks to the caller. Without this function it is thrown, as `refused`.
    static reply from(refusal const& why) {
        return {.status = 503, .body = to_string(why.code), .wait = why.retry_after};
    }
};
// [/traits]

int main() {
    using namespace std::chrono_literals;
    hawser::circuit_breaker server{{.minimum_calls = 1, .open_for = 50s}};

    // [use]
    auto const line = hawser::compose(hawser::borrow(server));
    auto const get = [] { return reply{.status = 500, .body = "oops"}; };

    reply const first = hawser::execute(line, get);   // The server's own answer, as it is.
    reply const second = hawser::execute(line, get);  // The breaker's.
    // [/use]
    std::printf("status %d, breaker %s\n", first.status, to_string(server.state()));
    std::printf("status %d, %s\n", second.status, second.body.c_str());
    return first.status == 500 && second.status == 503 && second.wait > 0s ? 0 : 1;
}
