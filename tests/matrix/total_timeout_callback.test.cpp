// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: total_timeout, in calls with a handler.
#include "support/matrix_callback.hpp"

#include "matrix/total_timeout_asio.hpp"
