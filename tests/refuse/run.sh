#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
#
# Checks that a piece of code does not compile, and that the compiler says why in our words.
#
#     run.sh <compiler> <file.cpp>
#     run.sh --self-test <compiler>
#
# Lines of the file that this reads:
#     // expect: <text>         stands in one line of the compiler's messages; may be repeated
#     // expect-gcc: <text>     the same for one compiler only
#     // expect-clang: <text>
#     // flags: <arguments>     added to the command
#
# A file that mentions HAWSER_ACCEPT is compiled a second time with that macro defined, and then
# has to compile: so it is the one line that differs which is refused, and no typing error.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

refuse() {
    local compiler=$1 file=$2 kind=gcc flags line output status=0
    if "$compiler" --version | grep -q clang; then kind=clang; fi
    mapfile -t expected < <(sed -nE "s,^// expect(-$kind)?: *,,p" "$file")
    if ((${#expected[@]} == 0)); then
        echo "$file: no line '// expect: <text>' for $kind"
        return 1
    fi
    read -ra flags < <(sed -nE 's,^// flags: *,,p' "$file"; echo)
    local command=("$compiler" -std=c++20 -fsyntax-only -I"$root/include" -I"$root/tests"
                   "${flags[@]}")

    output=$("${command[@]}" "$file" 2>&1) || status=$?
    if ((status == 0)); then
        echo "$file: compiles, and must not"
        return 1
    fi
    if grep -qE 'fatal error:|No such file' <<<"$output"; then
        echo "$file: refused for want of a file"
        echo "$output"
        return 1
    fi
    for line in "${expected[@]}"; do
        if ! grep -qF -- "$line" <<<"$output"; then
            echo "$file: refused, but no line of the messages says: $line"
            echo "$output"
            return 1
        fi
    done
    if grep -q HAWSER_ACCEPT "$file"; then
        if ! "${command[@]}" -DHAWSER_ACCEPT "$file"; then
            echo "$file: must compile with HAWSER_ACCEPT defined, and does not"
            return 1
        fi
    fi
}

# The check itself has to fail where it should.
self_test() {
    local compiler=$1 failures=0
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    holds() {  # <wanted: yes or no> <what> ; the file is read from standard input
        cat >"$scratch/case.cpp"
        local got=no
        if refuse "$compiler" "$scratch/case.cpp" >/dev/null 2>&1; then got=yes; fi
        if [[ $got != "$1" ]]; then
            echo "self-test: $2: expected $1, got $got"
            failures=$((failures + 1))
        fi
    }
    holds yes 'refused with its message' <<<$'// expect: one at a time\nstatic_assert(false, "one at a time");'
    holds no 'compiles' <<<$'// expect: one at a time\nint x;'
    holds no 'another message' <<<$'// expect: one at a time\nstatic_assert(false, "two");'
    holds no 'no expectation' <<<'static_assert(false, "two");'
    holds no 'a header is missing' <<<$'// expect: absent\n#include <absent.hpp>'
    holds yes 'accepted otherwise' <<<$'// expect: no\n#ifndef HAWSER_ACCEPT\nstatic_assert(false, "no");\n#endif'
    holds no 'refused either way' <<<$'// expect: no\n// not HAWSER_ACCEPT\nstatic_assert(false, "no");'
    ((failures == 0))
}

if [[ ${1:-} == --self-test ]]; then
    self_test "$2"
else
    refuse "$1" "$2"
fi
