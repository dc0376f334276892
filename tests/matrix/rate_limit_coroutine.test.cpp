// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: rate_limit, in coroutines.
#include "support/matrix_coroutine.hpp"

#include "matrix/rate_limit_asio.hpp"
