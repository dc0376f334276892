#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
#
# What does a header cost to include? Seconds of CPU to check a file that includes it alone, the best
# of several runs, for each public header; and for hawser.hpp the ratio to a file that includes the
# same headers of the standard library and nothing of ours, the two measured in turn.
#
#     bench/compile_seconds.sh [--quick] [compiler]
#
# Exits non-zero if hawser.hpp costs more than 1.3 times its standard headers.
set -euo pipefail
cd "$(dirname "$0")/.."

quick=0
[[ ${1:-} == --quick ]] && { quick=1; shift; }
compiler=${1:-g++}
runs=$((quick ? 1 : 7))
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Seconds of CPU that one check of a file takes.
seconds_of() {
    local TIMEFORMAT='%U %S'
    { time "$compiler" -std=c++20 -Iinclude -fsyntax-only -x c++ "$1" 2>"$scratch/log"; } 2>&1 |
        awk '{ printf "%.3f\n", $1 + $2 }'
}
best_of() {  # runs file
    for ((run = 0; run < $1; ++run)); do seconds_of "$2"; done | sort -n | head -n 1
}

include_alone() { echo "#include <$1>" >"$scratch/$2.cpp"; }

# The standard headers that hawser.hpp brings in, by asking which of our files it is made of.
include_alone hawser/hawser.hpp ours
"$compiler" -std=c++20 -Iinclude -MM "$scratch/ours.cpp" | tr -s ' \\' '\n' | grep '^include/' |
    xargs sed -n 's/^#include \(<[a-z_]*\(\.h\)\?>\).*/\1/p' | sort -u |
    sed 's/^/#include /' >"$scratch/std.cpp"

for ((run = 0; run < runs; ++run)); do
    echo "$(seconds_of "$scratch/ours.cpp") $(seconds_of "$scratch/std.cpp")"
done | sort -n >"$scratch/pairs"
read -r ours std < <(awk '{ o[NR] = $1; s[NR] = $2 }
    END { least = o[1]; for (i in o) if (o[i] < least) least = o[i];
          m = s[1]; for (i in s) if (s[i] < m) m = s[i]; print least, m }' "$scratch/pairs")
printf '%-52s %6.2f s\n%-52s %6.2f s\n' hawser/hawser.hpp "$ours" \
    'the same standard headers' "$std"
ratio=$(awk -v a="$ours" -v b="$std" 'BEGIN { printf "%.2f", a / b }')
echo "ratio $ratio, at most 1.30"

if ((!quick)); then
    while read -r header; do
        include_alone "$header" one
        if seconds=$(best_of 3 "$scratch/one.cpp"); then
            printf '%-52s %6.2f s\n' "$header" "$seconds"
        fi
    done < <(cd include && find hawser -name '*.hpp' -not -path '*/detail/*' | sort)
fi
awk -v r="$ratio" -v q="$quick" 'BEGIN { exit !(q || r <= 1.30) }'
