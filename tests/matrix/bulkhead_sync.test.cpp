// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: bulkhead, in plain calls. The limit and the refusal stand in
// support/matrix_bulkhead.hpp; the cases are all shared:
//
//     fixed_permits_sync.hpp  with admission_control
//     permit_waits_sync.hpp   with admission_control and concurrency_limit
#include "support/matrix_bulkhead.hpp"

#include "matrix/fixed_permits_sync.hpp"
#include "matrix/permit_waits_sync.hpp"
