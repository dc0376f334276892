// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: concurrency_limit, in coroutines.
#include "support/matrix_coroutine.hpp"

#include "matrix/concurrency_limit_asio.hpp"
