# SPDX-License-Identifier: BSL-1.0
#
# An overlay port of the tree it stands in:
#     vcpkg install hawser[asio] --overlay-ports=packaging/vcpkg/ports
set(VCPKG_BUILD_TYPE release)  # Headers only: a debug build would install the same files again.

get_filename_component(SOURCE_PATH "${CMAKE_CURRENT_LIST_DIR}/../../../.." ABSOLUTE)

vcpkg_check_features(OUT_FEATURE_OPTIONS FEATURE_OPTIONS
    FEATURES
        asio HAWSER_WITH_ASIO
        asio HAWSER_WITH_BOOST_SYSTEM
        abseil HAWSER_WITH_ABSEIL
        redis HAWSER_WITH_REDIS
)
vcpkg_cmake_configure(
    SOURCE_PATH "${SOURCE_PATH}"
    OPTIONS
        -DHAWSER_BUILD_TESTS=OFF
        -DHAWSER_BUILD_EXAMPLES=OFF
        ${FEATURE_OPTIONS}
)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH share/cmake/hawser)
vcpkg_fixup_pkgconfig()

vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
file(INSTALL "${CMAKE_CURRENT_LIST_DIR}/usage" DESTINATION "${CURRENT_PACKAGES_DIR}/share/${PORT}")
