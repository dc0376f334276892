// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: admission_control, in plain calls. The limit and the refusal stand in
// support/matrix_admission_control.hpp; the cases are all shared:
//
//     fixed_permits_sync.hpp  with bulkhead
//     permit_waits_sync.hpp   with bulkhead and concurrency_limit
#include "support/matrix_admission_control.hpp"

#include "matrix/fixed_permits_sync.hpp"
#include "matrix/permit_waits_sync.hpp"
