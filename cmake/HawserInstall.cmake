# SPDX-License-Identifier: BSL-1.0
#
# The installed package: headers, find_package(hawser COMPONENTS ...), and hawser.pc.
#
# Each target has an export file of its own: one that names Boost::headers can be read only where
# that target exists, so the package reads the adapters' files when they are asked for.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# Nothing here depends on the machine, so the package stands in share/, where CMake and pkg-config
# both look, and where a package of all architectures may put it.
set(package_dir "${CMAKE_INSTALL_DATADIR}/cmake/hawser")

get_property(exports GLOBAL PROPERTY hawser_exports)
foreach(target IN LISTS exports)
    install(TARGETS ${target} EXPORT ${target}-targets FILE_SET HEADERS
            DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
    install(EXPORT ${target}-targets NAMESPACE hawser:: DESTINATION "${package_dir}")
endforeach()

configure_package_config_file(
    "${PROJECT_SOURCE_DIR}/cmake/hawser-config.cmake.in"
    "${PROJECT_BINARY_DIR}/hawser-config.cmake"
    INSTALL_DESTINATION "${package_dir}" NO_SET_AND_CHECK_MACRO)
# Below 1.0 a minor version may break its users.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/hawser-config-version.cmake"
    COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES
    "${PROJECT_BINARY_DIR}/hawser-config.cmake"
    "${PROJECT_BINARY_DIR}/hawser-config-version.cmake"
    "${PROJECT_SOURCE_DIR}/cmake/hawser-dependencies.cmake"
    DESTINATION "${package_dir}")

# The prefix is written relative to the file, so that an installed tree can be moved.
file(RELATIVE_PATH pc_to_prefix "/prefix/${CMAKE_INSTALL_DATADIR}/pkgconfig" "/prefix")
configure_file("${PROJECT_SOURCE_DIR}/cmake/hawser.pc.in" "${PROJECT_BINARY_DIR}/hawser.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/hawser.pc"
        DESTINATION "${CMAKE_INSTALL_DATADIR}/pkgconfig")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
