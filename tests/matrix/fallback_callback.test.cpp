// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: fallback, in calls with a handler.
#include "support/matrix_callback.hpp"

#include "matrix/fallback_asio.hpp"
