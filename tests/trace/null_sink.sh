#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
#
# Tracing that nobody listens to costs nothing: the same code is compiled with the headers as they
# are and with headers out of which every emission has been cut, and has as many instructions.
#
#     null_sink.sh <compiler>...
#
# A third build, with a listener, has to have more: so it is seen that the count can tell.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source=$root/tests/trace/null_sink.cpp
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Statements that emit, and those that are there only if somebody listens. What emits is defined in
# trace/, which stays.
cut_emissions() {
    perl -0777 -pi -e '
        my $parens = qr/(\((?:[^()]++|(?-1))*+\))/;
        my $braces = qr/(\{(?:[^{}]++|(?-1))*+\})/;
        my $statement = qr/(?:[^(){};]|$parens|$braces)*;/;
        s/\bif constexpr \((?:tells|listens_to<[^()]*>)\)\s*$statement/;/g;
        s/(?:\b\w+\.template |\bhawser::|\b)emit<[^;(){}]*>\s*$parens;/;/g;
    ' "$@"
}

instructions() {  # <compiler> <include folder> [flags] ; without the padding between functions
    rm -f "$scratch/code.o"
    "$1" -std=c++20 -O2 -DNDEBUG -I"$2" "${@:3}" -c "$source" -o "$scratch/code.o" || return
    objdump -d --no-show-raw-insn "$scratch/code.o" |
        awk '/^ +[0-9a-f]+:\t/ && !/\t(data16 |cs )*(nop|xchg +%ax,%ax)/ { n++ } END { print n + 0 }'
}

mkdir "$scratch/with" "$scratch/without"
cp -r "$root/include/hawser" "$scratch/with"
cp -r "$root/include/hawser" "$scratch/without"
mapfile -t headers < <(grep -rlE '\bemit<|listens_to' "$scratch/without" |
                       grep -vE '/(trace|testing|adapt)/')
cut_emissions "${headers[@]}"
if left=$(grep -nE '\bemit<|if constexpr .*listens_to' "${headers[@]}"); then
    echo "not every emission was cut:"
    echo "$left"
    exit 1
fi
if ((${#headers[@]} < 5)); then
    echo "emissions were found in ${#headers[@]} headers only: has their spelling changed?"
    exit 1
fi

status=0
for compiler in "$@"; do
    with=$(instructions "$compiler" "$scratch/with")
    without=$(instructions "$compiler" "$scratch/without")
    observed=$(instructions "$compiler" "$scratch/with" -DHAWSER_OBSERVED)
    echo "$compiler: $with instructions with hooks, $without without, $observed with a listener"
    if ((without < 500 || 100 * with > 101 * without || 100 * with < 99 * without)); then
        echo "$compiler: hooks that nobody listens to change the code by more than 1 %"
        status=1
    fi
    if ((100 * observed < 105 * with)); then
        echo "$compiler: a listener does not show, so the comparison says nothing"
        status=1
    fi
done
exit $status
