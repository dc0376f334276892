// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: total_timeout, in coroutines.
#include "support/matrix_coroutine.hpp"

#include "matrix/total_timeout_asio.hpp"
