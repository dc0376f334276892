// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: isolated, in calls with a handler.
#include "support/matrix_callback.hpp"

#include "matrix/isolated_asio.hpp"
