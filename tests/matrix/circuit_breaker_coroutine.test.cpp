// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: circuit_breaker, in coroutines.
#include "support/matrix_coroutine.hpp"

#include "matrix/circuit_breaker_asio.hpp"
