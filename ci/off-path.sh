#!/usr/bin/env bash
# "Off is free" in instructions: a leaf function with an event that is off is a load, a test, a jump
# and a return. A benchmark would not notice one `push` more; this does. Builds the program
# `off_path` of ci/checks, by the profile `off-path` (Cargo.toml) and with the core as its only
# dependency, and disassembles it.
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
exit "$failed"
