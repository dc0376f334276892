// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: admission_control, in calls with a handler.
#include "support/matrix_callback.hpp"

#include "matrix/admission_control_asio.hpp"
