// SPDX-License-Identifier: BSL-1.0
//
// The contract matrix: admission_control, in the mode that the includer has chosen. The limit and
// the refusal stand in support/matrix_admission_control.hpp; the cases are all shared:
//
//     fixed_permits_asio.hpp  with bulkhead
//     permit_waits_asio.hpp   with bulkhead and concurrency_limit
#ifndef HAWSER_TESTS_MATRIX_ADMISSION_CONTROL_ASIO_HPP
#define HAWSER_TESTS_MATRIX_ADMISSION_CONTROL_ASIO_HPP

#include "support/matrix_admission_control.hpp"

#include "matrix/fixed_permits_asio.hpp"
#include "matrix/permit_waits_asio.hpp"

#endif  // HAWSER_TESTS_MATRIX_ADMISSION_CONTROL_ASIO_HPP
