#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
#
# tools/docs fills a fence from its region, and notices each way in which a page can be wrong.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch/tools" "$scratch/docs" "$scratch/examples"
cp "$root/tools/docs" "$scratch/tools/"
cd "$scratch"
printf '%s\n' 'int main() {' '    // [call]' '    if (f())' '        g();' '' '    h();' \
    '    // [/call]' '    // [open]' '}' >examples/a.cpp

expect() {  # <passes or fails> <what> ; the page is read from standard input
    cat >docs/page.md
    local got=passes
    tools/docs --check >log 2>&1 || got=fails
    if [[ $got != "$1" ]]; then
        echo "$2: expected: $1, got: $got"
        cat log
        exit 1
    fi
}
page() { printf '%s\n' 'Text.' '' "$@" '' 'More.'; }
call='<!-- region: examples/a.cpp#call -->'

page "$call" '```cpp' '```' | expect fails 'an empty fence'
tools/docs >log
page "$call" '```cpp' 'if (f())' '    g();' '' 'h();' '```' >filled.md
cmp docs/page.md filled.md
expect passes 'a filled fence' <filled.md
page "$call" '```cpp' 'if (f())' '    g2();' '' 'h();' '```' | expect fails 'a fence that drifted'
page '```cpp' 'f();' '```' | expect fails 'a fence without a source'
page '<!-- region: none -->' '```cpp' 'f();' '```' | expect passes 'a fence that has none'
page '```sh' 'tools/test' '```' | expect passes 'a fence that is not C++'
page "$call" '' '```cpp' '```' | expect fails 'a region apart from its fence'
page '<!-- region: examples/a.cpp#gone -->' '```cpp' '```' | expect fails 'no such region'
page '<!-- region: examples/a.cpp#open -->' '```cpp' '```' | expect fails 'a region without end'
page '<!-- region: examples/b.cpp -->' '```cpp' '```' | expect fails 'no such file'
page "$call" '```cpp' 'if (f())' | expect fails 'a fence without end'
