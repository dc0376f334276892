#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
#
# tools/bugs tells a bug that a test notices from one that none does, and from one that is broken.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch"/{tools,include/x,tests/x,tests/support,tests/bugs/x,bench}
cp "$root"/tools/{bugs,setup.sh} "$scratch/tools/"
cp "$root"/tests/support/{catch,pch}.hpp "$scratch/tests/support/"
cd "$scratch"

printf '%s\n' 'inline int twice(int n) {' '    return 2 * n;' '}' >include/x/twice.hpp
cat >tests/x/twice.test.cpp <<'C'
#include <x/twice.hpp>

#include "support/catch.hpp"

TEST_CASE("twice: doubles") { CHECK(twice(2) == 4); }
C
bug() {  # <name> <new line> [<catch> [<old line>]]
    printf '%s\n' '# What it breaks.' 'file: include/x/twice.hpp' "catch: ${3:-x[.]twice}" \
        '--- old' "${4:-    return 2 * n;}" '+++ new' "$2" >"tests/bugs/x/$1.bug"
}
expect() {  # <status> <text> <argument of tools/bugs>...
    local status=$1 text=$2 got=0
    shift 2
    tools/bugs "$@" >log 2>&1 || got=$?
    if [[ $got != "$status" ]] || ! grep -qF -- "$text" log; then
        echo "tools/bugs $*: expected status $status and '$text', got $got:"
        cat log
        exit 1
    fi
}

bug noticed '    return 3 * n;'
bug missed '    return n * n;'
bug wrong '    return 2 * m;'
expect 0 '1 bugs, 1 caught, 0 not' x/noticed
expect 1 '3 bugs, 1 caught, 2 not' --no-baseline
grep -qF 'x/missed: missed' log
grep -qF 'x/wrong: broken: x.twice does not compile' log
sed -i '2i by: compiler' tests/bugs/x/wrong.bug
expect 0 'x/wrong: caught by x.twice, which does not compile' --no-baseline x/wrong
expect 0 '3 bugs, 0 of which do not apply' --check
expect 0 'x/missed' --slice 1/3 --list

bug stale '    return 3 * n;' '' '    return n + n;'
expect 1 'x/stale: old text stands 0 times' --check
bug stale '}' '' '}'
expect 1 'old and new text are the same' --check
bug stale '    return 3 * n;' 'x[.]thrice'
expect 1 'catch: names no test' --check

# A test that fails anyway would notice anything.
sed -i 's/== 4/== 5/' tests/x/twice.test.cpp
expect 1 '1 tests fail without a bug' x/noticed
