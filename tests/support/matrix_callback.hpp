// SPDX-License-Identifier: BSL-1.0
//
// Chooses the mode of the cases that are included after it: calls with a handler.
#ifndef HAWSER_TESTS_SUPPORT_MATRIX_CALLBACK_HPP
#define HAWSER_TESTS_SUPPORT_MATRIX_CALLBACK_HPP

#include "support/matrix_asio.hpp"

#define HAWSER_MATRIX_MODE "callback"

namespace support {
using mode_stand = callback_stand;
}  // namespace support

#endif  // HAWSER_TESTS_SUPPORT_MATRIX_CALLBACK_HPP
