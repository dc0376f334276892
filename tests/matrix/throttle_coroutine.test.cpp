// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: throttle, in coroutines.
#include "support/matrix_coroutine.hpp"

#include "matrix/throttle_asio.hpp"
