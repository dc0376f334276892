// SPDX-License-Identifier: BSL-1.0
//
// How do I limit an address, a user and the whole service at once?
//
// Output:
//     ann: 5 of 6 granted, the user's limit says: again in 200 ms
//     bob: 5 of 5 granted
//     eve: 0 of 1 granted, the address's limit says: again in 50 ms
//     the service has 190 of 200 left
#include <hawser/rate/all_of.hpp>
#include <hawser/rate/token_bucket.hpp>

#include <array>
#include <chrono>
#include <cstdio>

namespace {

using namespace std::chrono_literals;

// [limits]
struct address {
    hawser::token_bucket limit{{.rate = 20, .burst = 10}};
};
struct user {
    char const* name;
    hawser::token_bucket limit{{.rate = 5, .burst = 5}};
};
hawser::token_bucket service{{.rate = 1'000, .burst = 200}};
// [/limits]

// [decide]
auto admit(address& from, user& who, hawser::time_point now) {
    return hawser::all_of{from.limit, who.limit, service}.try_acquire(now);
}
// [/decide]

/// So many requests of one user at once, and what came of them.
int ask(address& from, user& who, int requests) {
    constexpr std::array names{"address", "user", "service"};
    hawser::time_point const now{1h};  // A server asks its clock.
    int granted = 0;
    // [refused]
    hawser::joint_admission answer;
    for (int i = 0; i != requests; ++i)
        if ((answer = admit(from, who, now))) ++granted;
    std::printf("%s: %d of %d granted", who.name, granted, requests);
    if (!answer)
        std::printf(", the %s's limit says: again in %d ms", names[answer.refused_by],
                    static_cast<int>(answer.retry_after / 1ms));
    // [/refused]
    std::printf("\n");
    return granted;
}

}  // namespace

int main() {
    address office;
    user ann{"ann"}, bob{"bob"}, eve{"eve"};
    auto const granted = ask(office, ann, 6) + ask(office, bob, 5) + ask(office, eve, 1);

    // What one limit refused, no other was charged for.
    auto const left = service.available(hawser::time_point{1h});
    std::printf("the service has %u of 200 left\n", left);
    return granted == 10 && left == 190 ? 0 : 1;
}
