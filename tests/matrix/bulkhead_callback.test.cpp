// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: bulkhead, in calls with a handler.
#include "support/matrix_callback.hpp"

#include "matrix/bulkhead_asio.hpp"
