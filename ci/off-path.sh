#!/usr/bin/env bash
# "Off is free" in instructions: a leaf function with an event that is off is a load, a test, a jump
# and a return. A benchmark would not notice one `push` more; this does. Builds the program
# `off_path` of ci/checks, by the profile `off-path` (Cargo.toml) and with the core as its only
# dependency, and disassembles it. The same for spans, next to events.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=ci/lib/install.sh
source ci/lib/install.sh

if [ "$(uname -m)" != x86_64 ] || [ "$(uname -s)" != Linux ]; then
    echo "skipped: the instructions that it knows are those of x86-64 Linux"
    exit 0
fi
need objdump

target="${CARGO_TARGET_DIR:-$PWD/target}"
# Flags that a caller has set for other builds (sanitizers, coverage) would change the code.
env -u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS CARGO_TARGET_DIR="$target" \
    cargo build --quiet --package hotprobe-checks --bin off_path --profile off-path
dump=$(objdump --disassemble --demangle --no-show-raw-insn -M intel "$target/off-path/off_path")

failed=0
for function in leaf leaf_method; do
    # Up to and with the first `ret`: one instruction a line, operands cut off.
    body=$(awk -v head="<off_path::$function>:" '
        index($0, head) { inside = 1; next }
        inside && /^$/ { exit }
        inside { print; if ($2 == "ret") exit }
    ' <<<"$dump")
    shape=$(awk '{ printf "%s ", $2 }' <<<"$body")
    echo "off_path::$function"
    echo "$body"
    # (The second shape does the load and the test in one instruction.)
    if [ "$shape" != 'mov test jne ret ' ] && [ "$shape" != 'cmp jne ret ' ]; then
        echo "ci/off-path.sh: expected 'mov test jne ret', found '$shape'" >&2
        failed=1
    fi
done
# A span that is off: next to two events, and a poll in it next to the poll alone. Counted is the
# path without a taken branch: up to the first `ret`, or the jump to what was called last.
path_of() { # FUNCTION: how many instructions
    awk -v head="<off_path::$1>:" '
        index($0, head) { inside = 1; next }
        inside && /^$/ { exit }
        inside { count++; if ($2 == "ret" || $2 == "jmp") exit }
        END { print count + 0 }
    ' <<<"$dump"
}
at_most() { # FUNCTION OTHER MORE
    local own other
    own=$(path_of "$1")
    other=$(path_of "$2")
    echo "off_path::$1: $own instructions; off_path::$2: $other, at most $3 fewer"
    if [ "$own" = 0 ] || [ "$other" = 0 ] || [ "$own" -gt "$((other + $3))" ]; then
        echo "ci/off-path.sh: off_path::$1 has more than $3 instructions more than off_path::$2" >&2
        failed=1
    fi
}
at_most span two_events 5
at_most poll_in_span poll_alone 12
exit "$failed"
