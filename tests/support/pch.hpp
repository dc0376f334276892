// SPDX-License-Identifier: BSL-1.0
//
// What every test includes, compiled once for all of them.
#ifndef HAWSER_TESTS_SUPPORT_PCH_HPP
#define HAWSER_TESTS_SUPPORT_PCH_HPP

#include "support/catch.hpp"

#endif  // HAWSER_TESTS_SUPPORT_PCH_HPP
