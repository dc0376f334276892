# SPDX-License-Identifier: BSL-1.0
# shellcheck shell=bash
#
# Sourced by the commands: `setup <need>...` sees to it that what they use is there.
#
# On Debian as root, what is missing is installed by package name, and said so. Elsewhere what is
# missing is listed, and the command ends with status 2.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
jobs=$(nproc 2>/dev/null || echo 2)

# What is needed is tested, not asked of the package manager: where it comes from is no matter.
has_header() {  # <compiler> <text of a program> [<argument>...]
    local compiler=$1 text=$2
    shift 2
    command -v "$compiler" >/dev/null &&
        "$compiler" -std=c++20 -x c++ -fsyntax-only "$@" - >/dev/null 2>&1 <<<"$text"
}

has_sanitizers() {
    command -v clang++ >/dev/null &&
        clang++ -x c++ -fsanitize=address -o /dev/null - >/dev/null 2>&1 <<<'int main() {}'
}

# Sets `package` to the Debian package that gives a need, and succeeds if the need is met.
is_met() {
    case $1 in
        g++) package=g++ && command -v g++ >/dev/null ;;
        clang) package=clang && command -v clang++ >/dev/null ;;
        # Clang's package does not depend on its sanitizers.
        sanitizers) package=libclang-rt-14-dev && has_sanitizers ;;
        cmake) package=cmake && command -v cmake >/dev/null ;;
        ninja) package=ninja-build && command -v ninja >/dev/null ;;
        ccache) package=ccache && command -v ccache >/dev/null ;;
        pkg-config) package=pkg-config && command -v pkg-config >/dev/null ;;
        clang-format) package=clang-format && command -v clang-format >/dev/null ;;
        # Not libboost-dev: that is Boost 1.74, and takes the place of this one.
        boost) package=libboost1.81-dev && has_header "$compiler" \
            $'#include <boost/version.hpp>\n#if BOOST_VERSION < 108100\n#error old\n#endif' ;;
        abseil) package=libabsl-dev && has_header "$compiler" '#include <absl/status/statusor.h>' ;;
        catch2) package=catch2 && has_header "$compiler" \
            $'#if __has_include(<catch2/catch_all.hpp>)\n#else\n#include <catch2/catch.hpp>\n#endif' ;;
        benchmark) package=libbenchmark-dev &&
            has_header "$compiler" '#include <benchmark/benchmark.h>' ;;
        tbb) package=libtbb-dev && has_header "$compiler" '#include <tbb/concurrent_queue.h>' ;;
        hiredis) package=libhiredis-dev &&
            has_header "$compiler" '#include <hiredis/hiredis.h>' ;;
        redis-server) package=redis-server && command -v redis-server >/dev/null ;;
        *) echo "setup: unknown need: $1" >&2 && exit 2 ;;
    esac
}

setup() {
    local need package compiler=g++ missing=()
    # Without a compiler no header can be looked for, so compilers are seen to first.
    for need in "$@"; do
        if ! is_met "$need"; then missing+=("$package"); fi
    done
    if ((${#missing[@]} == 0)); then return 0; fi
    if ! command -v apt-get >/dev/null || [[ $(id -u) != 0 ]]; then
        echo "missing: ${missing[*]} (names of Debian 12; installed only there, and as root)" >&2
        exit 2
    fi
    echo "setup: installing ${missing[*]}"
    install_packages "${missing[@]}"
    for need in "$@"; do
        if ! is_met "$need"; then
            echo "setup: $package is installed, and $need still does not work" >&2
            exit 2
        fi
    done
}

# apt's own words are shown only if it fails.
install_packages() {
    local log
    log=$(mktemp)
    export DEBIAN_FRONTEND=noninteractive
    if ! { apt-get update && apt-get install -y --no-install-recommends "$@"; } \
        >"$log" 2>&1 </dev/null; then
        cat "$log" >&2
        rm -f "$log"
        exit 2
    fi
    rm -f "$log"
}
