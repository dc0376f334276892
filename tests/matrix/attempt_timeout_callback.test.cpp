// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: attempt_timeout, in calls with a handler.
#include "support/matrix_callback.hpp"

#include "matrix/attempt_timeout_asio.hpp"
