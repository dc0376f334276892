// SPDX-License-Identifier: BSL-1.0
//
// How do I obey a Retry-After?
//
// Output:
//     status 200 after 2 attempts and 30 s
#include <hawser/hawser.hpp>
#include <hawser/testing/manual_environment.hpp>

#include <cstdio>
#include <optional>

using namespace std::chrono_literals;

// [reply]
struct reply {
    int status = 0;
    std::optional<hawser::duration> retry_after = std::nullopt;
};

template <>
struct hawser::outcome_traits<reply> {
    static verdict classify(reply const& r) noexcept {
        return r.status < 500 && r.status != 429 ? verdict::success : verdict::failure;
    }
};
// [/reply]

int main() {
    hawser::manual_time time;  // So that half a minute takes none.
    hawser::testing::manual_environment const environment{time};

    // [line]
    auto const said = [](auto const& out) -> std::optional<hawser::duration> {
        if (!out.has_value()) return std::nullopt;  // A refusal or an exception says nothing.
        return out.value().retry_after;
    };
    auto const line = hawser::compose_in(
        environment, hawser::retry{{}, hawser::delay_from{said, {.cap = 2min, .spread = 0}}});
    // [/line]

    auto const began = time.now();
    auto const out = hawser::try_execute(line, [](auto& call) -> reply {
        if (call.attempt() == 1) return {.status = 503, .retry_after = 30s};
        return {.status = 200};
    });
    auto const waited = std::chrono::duration_cast<std::chrono::seconds>(time.now() - began);
    std::printf("status %d after %u attempts and %d s\n", out.value().status, out.origin().attempts,
                static_cast<int>(waited.count()));
    return out.value().status == 200 && waited == 30s ? 0 : 1;
}
