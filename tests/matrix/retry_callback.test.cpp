// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: retry, in calls with a handler.
#include "support/matrix_callback.hpp"

#include "matrix/retry_asio.hpp"
