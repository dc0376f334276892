// SPDX-License-Identifier: BSL-1.0
//
// The version of this copy of hawser. CMake, Conan and vcpkg read it from here.
//
// Everything stands in `hawser::inline v0`: two major versions can live in one program, and a mix
// of their types is an error of the linker rather than of the night shift.
#ifndef HAWSER_VERSION_HPP
#define HAWSER_VERSION_HPP

#define HAWSER_VERSION_MAJOR 0
#define HAWSER_VERSION_MINOR 1
#define HAWSER_VERSION_PATCH 0

#endif  // HAWSER_VERSION_HPP
