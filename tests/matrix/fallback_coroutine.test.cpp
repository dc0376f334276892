// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: fallback, in coroutines.
#include "support/matrix_coroutine.hpp"

#include "matrix/fallback_asio.hpp"
