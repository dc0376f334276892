// SPDX-License-Identifier: BSL-1.0
//
// How do I keep a retry from doing the same thing twice?
//
// Output:
//     charged once without a key
//     charged once with a key, after 2 attempts
#include <hawser/hawser.hpp>

#include <cstdio>
#include <set>
#include <stdexcept>

namespace {

using namespace std::chrono_literals;

/// A payment server that charges, and whose first answer is lost.
struct payments {
    int charges = 0;
    std::set<hawser::idempotency_key> done;

    void charge() { ++charges; }
    void charge(hawser::idempotency_key const& key) {
        if (done.insert(key).second) {
            ++charges;
            throw std::runtime_error{"the answer is lost"};
        }
    }
};

}  // namespace

int main() {
    hawser::circuit_breaker breaker;

    // [once]
    // Without a key: no pipeline that could repeat it compiles with it.
    payments plain;
    auto const once = hawser::compose(hawser::borrow(breaker), hawser::attempt_timeout{2s});
    hawser::execute(once, hawser::at_most_once([&] { plain.charge(); }));
    // [/once]
    std::printf("charged %s without a key\n", plain.charges == 1 ? "once" : "?");

    // [key]
    // With a key that is the same over all attempts, the server sees to it.
    payments keyed;
    auto const line = hawser::compose(hawser::retry{}, hawser::borrow(breaker));
    auto const out = hawser::try_execute(line, {.idempotency = {0x5eed, 7}}, [&](auto& call) {
        keyed.charge(call.facts().idempotency);
    });
    // [/key]
    std::printf("charged %s with a key, after %u attempts\n", keyed.charges == 1 ? "once" : "?",
                out.origin().attempts);
    return plain.charges == 1 && keyed.charges == 1 && out.origin().attempts == 2 ? 0 : 1;
}
