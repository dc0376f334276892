// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: bulkhead, in coroutines.
#include "support/matrix_coroutine.hpp"

#include "matrix/bulkhead_asio.hpp"
