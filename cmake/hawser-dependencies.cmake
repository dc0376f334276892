# SPDX-License-Identifier: BSL-1.0
#
# What each adapter needs, found in one way by this tree and by the installed package.
#
# hawser_find(<adapter> <missing>) sets <missing> to why the adapter cannot be had here, or to "".
# A macro, because what find_package sets has to reach the caller.
include_guard(GLOBAL)

set(hawser_boost_minimum 1.81)
set(hawser_abseil_minimum 20220623)
set(hawser_hiredis_minimum 0.14)
set(hawser_links_asio Boost::headers Threads::Threads)
set(hawser_links_boost_system Boost::headers)
set(hawser_links_abseil absl::status absl::statusor)
set(hawser_links_expected "")
set(hawser_links_redis PkgConfig::hawser_hiredis)

macro(hawser_find adapter missing)
    set(${missing} "")
    if("${adapter}" STREQUAL "asio" OR "${adapter}" STREQUAL "boost_system")
        if(NOT TARGET Boost::headers)
            find_package(Boost ${hawser_boost_minimum} QUIET)
        endif()
        if(NOT TARGET Boost::headers)
            hawser_explain_boost(${missing})
        endif()
    elseif("${adapter}" STREQUAL "abseil")
        if(NOT TARGET absl::statusor)
            find_package(absl CONFIG QUIET)
        endif()
        # Abseil's package accepts one exact version only, so the least one is compared here.
        # A build from its main branch has no version.
        if(NOT TARGET absl::statusor)
            set(${missing} "Abseil was not found; on Debian install libabsl-dev")
        elseif(absl_VERSION AND absl_VERSION VERSION_LESS hawser_abseil_minimum)
            set(${missing} "Abseil ${absl_VERSION} is older than ${hawser_abseil_minimum}")
        endif()
    elseif("${adapter}" STREQUAL "expected")
        hawser_explain_expected(${missing})
    elseif("${adapter}" STREQUAL "redis")
        find_package(PkgConfig QUIET)
        if(PkgConfig_FOUND AND NOT TARGET PkgConfig::hawser_hiredis)
            pkg_check_modules(hawser_hiredis QUIET IMPORTED_TARGET GLOBAL
                              hiredis>=${hawser_hiredis_minimum})
            if(hawser_hiredis_FOUND)
                # Headers are named <hiredis/...>. The size of off_t, which its flags set, is in none
                # of its calls, and a precompiled header would have to be of the same.
                set_target_properties(PkgConfig::hawser_hiredis PROPERTIES
                    INTERFACE_COMPILE_OPTIONS ""
                    INTERFACE_INCLUDE_DIRECTORIES "${hawser_hiredis_INCLUDEDIR}")
            endif()
        endif()
        if(NOT TARGET PkgConfig::hawser_hiredis)
            set(${missing} "pkg-config finds no hiredis from ${hawser_hiredis_minimum} on; \
on Debian install libhiredis-dev and pkg-config")
        endif()
    else()
        set(${missing} "hawser has no such component")
    endif()
endmacro()

# Why there is no Boost of the version needed: none at all, or an older one in its place.
function(hawser_explain_boost missing)
    set(hint "on Debian install libboost1.81-dev (libboost-dev is older, and takes its place)")
    find_path(hawser_boost_found boost/version.hpp NO_CACHE)
    set(found "no Boost was found")
    if(hawser_boost_found)
        file(STRINGS "${hawser_boost_found}/boost/version.hpp" line
             REGEX "^#define BOOST_LIB_VERSION ")
        string(REGEX MATCH "[0-9]+_[0-9_]+" number "${line}")
        string(REPLACE "_" "." number "${number}")
        set(found "the Boost found in ${hawser_boost_found} is ${number}")
    endif()
    set(${missing} "${found}, and ${hawser_boost_minimum} is needed; ${hint}" PARENT_SCOPE)
endfunction()

# <expected> is there for some compilers of C++23 and empty for others, such as clang 14 on
# libstdc++ 12, so it is asked for and not derived from a version.
function(hawser_explain_expected missing)
    set(${missing} "" PARENT_SCOPE)
    if("cxx_std_23" IN_LIST CMAKE_CXX_COMPILE_FEATURES)
        if(NOT DEFINED HAWSER_HAS_STD_EXPECTED)
            file(WRITE "${CMAKE_CURRENT_BINARY_DIR}/hawser-expected.cpp"
                 "#include <expected>\nint main() { return std::expected<int, int>{0}.value(); }\n")
            try_compile(HAWSER_HAS_STD_EXPECTED "${CMAKE_CURRENT_BINARY_DIR}/hawser-expected"
                        "${CMAKE_CURRENT_BINARY_DIR}/hawser-expected.cpp"
                        CXX_STANDARD 23 CXX_STANDARD_REQUIRED ON)
        endif()
    endif()
    if(NOT HAWSER_HAS_STD_EXPECTED)
        set(${missing} "this compiler has no std::expected" PARENT_SCOPE)
    endif()
endfunction()
