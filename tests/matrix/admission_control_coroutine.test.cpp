// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: admission_control, in coroutines.
#include "support/matrix_coroutine.hpp"

#include "matrix/admission_control_asio.hpp"
