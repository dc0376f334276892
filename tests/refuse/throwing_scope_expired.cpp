// SPDX-License-Identifier: BSL-1.0
//
// A hook that throws would lose what other layers have lent.
// expect: hawser: hook scope_expired() is not noexcept
#include <hawser/hawser.hpp>

struct layer {
#ifdef HAWSER_ACCEPT
    hawser::time_point scope_deadline(auto&, auto&) const noexcept { return hawser::no_deadline; }
    void scope_expired(auto&, auto&, auto&) const noexcept {}
#else
    hawser::time_point scope_deadline(auto&, auto&) const noexcept { return hawser::no_deadline; }
    void scope_expired(auto&, auto&, auto&) const {}
#endif
};

int main() {
    return hawser::execute(hawser::compose(layer{}), [] { return 0; });
}
