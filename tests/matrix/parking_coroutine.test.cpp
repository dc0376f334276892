// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: a policy that parks calls, in coroutines.
#include "support/matrix_coroutine.hpp"

#include "matrix/parking_asio.hpp"
