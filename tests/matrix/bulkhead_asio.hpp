// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: bulkhead, in the mode that the includer has chosen. The limit and the
// refusal stand in support/matrix_bulkhead.hpp; the cases are all shared:
//
//     fixed_permits_asio.hpp  with admission_control
//     permit_waits_asio.hpp   with admission_control and concurrency_limit
#ifndef HAWSER_TESTS_MATRIX_BULKHEAD_ASIO_HPP
#define HAWSER_TESTS_MATRIX_BULKHEAD_ASIO_HPP

#include "support/matrix_bulkhead.hpp"

#include "matrix/fixed_permits_asio.hpp"
#include "matrix/permit_waits_asio.hpp"

#endif  // HAWSER_TESTS_MATRIX_BULKHEAD_ASIO_HPP
