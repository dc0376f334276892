// SPDX-License-Identifier: BSL-1.0
#include <hawser/hawser.hpp>

int main() {
    hawser::manual_time time;
    return hawser::add_saturating(time.now(), hawser::never) == hawser::no_deadline ? 0 : 1;
}
