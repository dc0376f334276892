// SPDX-License-Identifier: BSL-1.0
//
// An admission_control orders those that wait; one in which nobody waits would be a bulkhead that
// costs more.
// expect: hawser: an admission_control needs wait_up_to
#include <hawser/hawser.hpp>
#include <hawser/policy/admission_control.hpp>

#include <chrono>

int main() {
#ifdef HAWSER_ACCEPT
    hawser::admission_control door{{.permits = 10}, hawser::wait_up_to{std::chrono::seconds{1}}};
#else
    hawser::admission_control door{{.permits = 10}};
#endif
    return door.name() != nullptr ? 0 : 1;
}
