// SPDX-License-Identifier: BSL-1.0
//
// How do calls that return absl::StatusOr pass through a pipeline?
//
// Output:
//     NotFound is an answer: asked once
//     Unavailable is a failure: asked 3 times
//     refused: UNAVAILABLE: isolated by an operator (supplier)
#include <hawser/adapt/abseil.hpp>
#include <hawser/hawser.hpp>

#include <cstdio>

using namespace std::chrono_literals;

int main() {
    // [line]
    hawser::circuit_breaker supplier{{.name = "supplier"}};
    auto const line = hawser::compose(hawser::retry{{}, hawser::backoff::constant{1ms}},
                                      hawser::borrow(supplier));
    int asked = 0;
    auto const get = [&](absl::Status status) {
        asked = 0;
        return hawser::execute(line, [&]() -> absl::StatusOr<double> { return ++asked, status; });
    };
    // [/line]

    auto const unknown = get(absl::NotFoundError("no such thing"));
    bool right = absl::IsNotFound(unknown.status()) && asked == 1;
    std::printf("NotFound is an answer: asked %s\n", asked == 1 ? "once" : "?");

    auto const down = get(absl::UnavailableError("down"));
    right = right && absl::IsUnavailable(down.status()) && asked == 3;
    std::printf("Unavailable is a failure: asked %d times\n", asked);

    // [refusal]
    supplier.isolate();
    auto const refused = get(absl::OkStatus());
    std::printf("refused: %s: %s\n", absl::StatusCodeToString(refused.status().code()).c_str(),
                std::string{refused.status().message()}.c_str());
    auto const why = hawser::refusal_of(refused.status());  // Nothing, if it is not a refusal.
    // [/refusal]
    return right && why && why->code == hawser::errc::isolated ? 0 : 1;
}
