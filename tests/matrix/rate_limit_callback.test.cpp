// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: rate_limit, in calls with a handler.
#include "support/matrix_callback.hpp"

#include "matrix/rate_limit_asio.hpp"
