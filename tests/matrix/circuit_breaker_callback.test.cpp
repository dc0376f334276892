// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: circuit_breaker, in calls with a handler.
#include "support/matrix_callback.hpp"

#include "matrix/circuit_breaker_asio.hpp"
