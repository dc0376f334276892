// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: a policy that parks calls, in calls with a handler.
#include "support/matrix_callback.hpp"

#include "matrix/parking_asio.hpp"
