# SPDX-License-Identifier: BSL-1.0
#
# ccache before the compiler, where there is one.
#
# A precompiled header holds the times and macros of what it was made from. ccache refuses to cache
# what uses one unless it is told that these may differ.
find_program(HAWSER_CCACHE ccache)
mark_as_advanced(HAWSER_CCACHE)
if(HAWSER_CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER
        "${CMAKE_COMMAND}" -E env
        CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
        "${HAWSER_CCACHE}")
endif()
