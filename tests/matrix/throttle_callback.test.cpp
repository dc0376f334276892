// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: throttle, in calls with a handler.
#include "support/matrix_callback.hpp"

#include "matrix/throttle_asio.hpp"
