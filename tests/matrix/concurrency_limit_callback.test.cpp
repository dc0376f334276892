// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: concurrency_limit, in calls with a handler.
#include "support/matrix_callback.hpp"

#include "matrix/concurrency_limit_asio.hpp"
