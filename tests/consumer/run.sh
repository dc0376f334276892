#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
#
# Builds and runs a small program against the library, in one of the ways a program can come by it.
#
#     run.sh <way> <scratch folder> <compiler> <cmake>
#
# Exits with 77, which ctest shows as skipped, where the way needs a tool that is not installed.
set -euo pipefail
way=$1 scratch=$2/$1 compiler=$3 cmake=$4
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
prefix=$scratch/prefix
# Flags of the build that runs this test are not the consumer's.
unset CXXFLAGS CMAKE_PREFIX_PATH
rm -rf "$scratch"
mkdir -p "$scratch"

install_library() {  # [<cmake argument>...]
    "$cmake" -S "$root" -B "$scratch/library" -G Ninja -DCMAKE_CXX_COMPILER="$compiler" \
        -DHAWSER_BUILD_TESTS=OFF -DHAWSER_BUILD_EXAMPLES=OFF -DCMAKE_INSTALL_MESSAGE=NEVER "$@"
    "$cmake" --install "$scratch/library" --prefix "$prefix"
}

build_and_run() {  # <project> [<cmake argument>...]
    local project=$1
    shift
    "$cmake" -S "$here/$project" -B "$scratch/build" -G Ninja -DCMAKE_CXX_COMPILER="$compiler" "$@"
    "$cmake" --build "$scratch/build"
    "$scratch/build/consumer"
}

skip_without() {  # <tool>
    if ! command -v "$1" >/dev/null; then
        echo "skipped: $1 is not installed; recipe untested"
        exit 77
    fi
}

case $way in
    find_package)
        install_library
        # Nothing that the tree offers may be missing from what is installed.
        diff <(cd "$root/include" && find . -type f | sort) \
             <(cd "$prefix/include" && find . -type f | sort)
        mv "$prefix" "$scratch/moved"
        build_and_run find_package -DCMAKE_PREFIX_PATH="$scratch/moved"
        ;;
    components)
        install_library
        build_and_run components -DCMAKE_PREFIX_PATH="$prefix"
        # A component that does not exist is refused by name.
        if "$cmake" -S "$here/components" -B "$scratch/unknown" -G Ninja -DWANTED=carrier_pigeon \
            -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_PREFIX_PATH="$prefix" \
            >"$scratch/unknown.log" 2>&1; then
            echo "an unknown component was found"
            exit 1
        fi
        grep -F 'hawser::carrier_pigeon: hawser has no such component' "$scratch/unknown.log"
        ;;
    add_subdirectory | fetch_content)
        build_and_run "$way" -DHAWSER_TREE="$root"
        ;;
    pkg_config)
        skip_without pkg-config
        install_library
        export PKG_CONFIG_PATH=$prefix/share/pkgconfig
        pkg-config --print-errors --exists "hawser >= 0.1"
        read -ra flags < <(pkg-config --cflags --libs hawser)
        "$compiler" -std=c++20 "$here/main.cpp" "$here/other.cpp" "${flags[@]}" \
            -o "$scratch/consumer"
        "$scratch/consumer"
        ;;
    include_path)
        "$compiler" -std=c++20 -I"$root/include" "$here/main.cpp" "$here/other.cpp" \
            -pthread -o "$scratch/consumer"
        "$scratch/consumer"
        ;;
    old_boost)
        # A Boost that is too old is named, with what to install, and is not used.
        install_library
        if [[ ! -f $prefix/share/cmake/hawser/hawser_asio-targets.cmake ]]; then
            echo "skipped: no header of this tree uses Boost"
            exit 77
        fi
        mkdir -p "$scratch/old/boost"
        printf '#define BOOST_VERSION 107400\n#define BOOST_LIB_VERSION "1_74"\n' \
            >"$scratch/old/boost/version.hpp"
        if "$cmake" -S "$here/components" -B "$scratch/build" -G Ninja -DWANTED=asio \
            -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_PREFIX_PATH="$prefix" \
            -DBoost_NO_BOOST_CMAKE=ON -DBoost_INCLUDE_DIR="$scratch/old" \
            -DCMAKE_INCLUDE_PATH="$scratch/old" >"$scratch/old.log" 2>&1; then
            echo "an old Boost was accepted"
            cat "$scratch/old.log"
            exit 1
        fi
        cat "$scratch/old.log"
        tr -s ' \n' ' ' <"$scratch/old.log" | grep -qF 'is 1.74, and 1.81 is needed'
        tr -s ' \n' ' ' <"$scratch/old.log" | grep -qF 'on Debian install libboost1.81-dev'
        ;;
    conan)
        skip_without conan
        export CONAN_HOME=$scratch/conan
        conan profile detect
        conan create "$root" --build=missing -s compiler.cppstd=20
        ;;
    vcpkg)
        skip_without vcpkg
        vcpkg install hawser --overlay-ports="$root/packaging/vcpkg/ports" \
            --x-install-root="$scratch/installed" --classic
        build_and_run find_package -DCMAKE_PREFIX_PATH="$(echo "$scratch"/installed/*-linux)"
        ;;
    *)
        echo "no such way: $way" >&2
        exit 2
        ;;
esac
