// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: isolated, in coroutines.
#include "support/matrix_coroutine.hpp"

#include "matrix/isolated_asio.hpp"
