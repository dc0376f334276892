// SPDX-License-Identifier: BSL-1.0
//
// Chooses the mode of the cases that are included after it: coroutines.
#ifndef HAWSER_TESTS_SUPPORT_MATRIX_COROUTINE_HPP
#define HAWSER_TESTS_SUPPORT_MATRIX_COROUTINE_HPP

#include "support/matrix_asio.hpp"

#define HAWSER_MATRIX_MODE "coroutine"

namespace support {
using mode_stand = coroutine_stand;
}  // namespace support

#endif  // HAWSER_TESTS_SUPPORT_MATRIX_COROUTINE_HPP
