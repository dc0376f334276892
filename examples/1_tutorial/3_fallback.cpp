// SPDX-License-Identifier: BSL-1.0
//
// What do my users get when the dependency is down, and how do I know where an answer comes from?
//
// Output:
//     4.20 from yesterday, instead of: the supplier does not answer
//     refused by supplier: isolated by an operator
#include <hawser/hawser.hpp>

#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>

namespace {

double get_price() { throw std::runtime_error{"the supplier does not answer"}; }

// [reason]
std::string reason_of(hawser::call_error const& error) {
    if (!error.thrown) return hawser::to_string(error.why.code);
    try {
        std::rethrow_exception(error.thrown);
    } catch (std::exception const& thrown) {
        return thrown.what();
    }
}
// [/reason]

}  // namespace

int main() {
    hawser::circuit_breaker supplier{{.name = "supplier"}};

    // [fallback]
    auto const yesterday = [] { return 4.20; };
    auto const line = hawser::compose(hawser::fallback{yesterday, {.name = "yesterday"}},
                                      hawser::retry{}, hawser::borrow(supplier));

    auto const price = hawser::try_execute(line, get_price);
    if (price.has_value() && price.origin().degraded)
        std::printf("%.2f from %s, instead of: %s\n", price.value(), price.origin().source,
                    reason_of(price.earlier().front()).c_str());
    // [/fallback]

    // [refusal]
    supplier.isolate();
    auto const bare = hawser::compose(hawser::borrow(supplier));

    auto const refused = hawser::try_execute(bare, get_price);
    if (auto const* why = refused.why())
        std::printf("refused by %s: %s\n", why->policy, hawser::to_string(why->code));
    // [/refusal]

    return price.has_value() && price.value() == 4.20 &&
                   std::string_view{price.origin().source} == "yesterday" &&
                   refused.code() == hawser::errc::isolated
               ? 0
               : 1;
}
