// SPDX-License-Identifier: BSL-1.0
//
// HAWSER_ASSERT: a check of what a caller must hold (`Requires`), on in builds without NDEBUG.
//
// A program may define the macro before its first hawser header to send violations elsewhere.
#ifndef HAWSER_BASE_CONTRACT_HPP
#define HAWSER_BASE_CONTRACT_HPP

#ifndef HAWSER_ASSERT
#include <cassert>
#define HAWSER_ASSERT(condition) assert(condition)
#endif

#endif  // HAWSER_BASE_CONTRACT_HPP
