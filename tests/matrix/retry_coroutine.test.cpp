// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: retry, in coroutines.
#include "support/matrix_coroutine.hpp"

#include "matrix/retry_asio.hpp"
