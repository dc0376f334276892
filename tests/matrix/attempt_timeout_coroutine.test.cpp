// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: attempt_timeout, in coroutines.
#include "support/matrix_coroutine.hpp"

#include "matrix/attempt_timeout_asio.hpp"
