#!/usr/bin/env bash
# What events cost, against what the machine asks for the same without them: machine code and instructions (callgrind
# counts them), which are the same on a busy machine, and ratios of times that were measured in turn. Fails if a row of
# benches/src/rows.rs is above its gate, and says which miss their target. A row that fails is measured again, up to
# four times in all, and its best attempt counts: what else the machine does makes things slower, never faster.
#
# Usage: ci/overhead.sh [--rows GROUP]... [--attempts N]     the gate
#        ci/overhead.sh --write       measures the rows and the peers, and writes the figures into `docs::performance`
#        ci/overhead.sh --plant       plants slowdowns in a copy of the tree, and checks that the gate fails on each
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

need=()
if [ "$(uname -m)" = x86_64 ] && [ "$(uname -s)" = Linux ]; then
    command -v valgrind >/dev/null || need+=(valgrind libc6-dbg)
    command -v objdump >/dev/null || need+=(binutils)
else
    echo "skipped: code and instructions, which are known of x86-64 Linux only"
fi
if [ "${#need[@]}" -gt 0 ]; then
    as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo)
    "${as_root[@]}" apt-get update -q >/dev/null
    "${as_root[@]}" apt-get install -qy --no-install-recommends "${need[@]}" >/dev/null
fi

target="${CARGO_TARGET_DIR:-$PWD/target}/overhead"
build() { # MANIFEST [FLAG]...
    # Flags that a caller has set for other builds (sanitizers, coverage) would change the code.
    env -u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS CARGO_TARGET_DIR="$target" \
        cargo build --quiet --release --manifest-path "$@"
}

write() {
    build benches/Cargo.toml
    local page=src/docs/performance.rs figures
    figures=$(mktemp)
    {
        echo "On $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores" \
            "($(uname -sm)), $(rustc --version | cut -d ' ' -f 1,2), the default release profile:"
        echo
        "$target/release/overhead" markdown
    } | sed 's|^|//! |; s| *$||' >"$figures"
    # What stands between the two marks is replaced.
    awk -v figures="$figures" '
        /<!-- figures -->/ { print; while ((getline line < figures) > 0) print line; skip = 1 }
        /<!-- end of figures -->/ { skip = 0 }
        !skip { if (!/<!-- figures -->/) print }
    ' "$page" >"$figures.page"
    cat "$figures.page" >"$page"
    rm -f "$figures" "$figures.page"
}

plant() { # WHAT OLD NEW: in src/macros.rs, the part OLD of a line becomes NEW
    local own="$target" copy="$target/planted"
    mkdir -p "$copy"
    rm -rf "$copy"/{src,benches}
    cp -r Cargo.toml README.md src benches "$copy"
    rm -rf "$copy/benches/target"
    OLD=$2 NEW=$3 awk '
        { at = index($0, ENVIRON["OLD"]) }
        at { $0 = substr($0, 1, at - 1) ENVIRON["NEW"] substr($0, at + length(ENVIRON["OLD"])); found = 1 }
        { print }
        END { exit !found }
    ' src/macros.rs >"$copy/src/macros.rs" || {
        echo "ci/overhead.sh: where is '$2' in src/macros.rs?" >&2
        exit 1
    }
    # In a place of its own: cargo would take the planted program for the tree's.
    target="$own/planted/target"
    build "$copy/benches/Cargo.toml" --no-default-features
    echo "== planted: $1"
    if "$target/release/overhead" --rows code --rows count --rows fire --rows threads --attempts 2 >"$copy.log"; then
        cat "$copy.log"
        echo "ci/overhead.sh: nobody noticed" >&2
        exit 1
    fi
    grep '^FAILED' "$copy.log"
    target="$own"
}

case "${1:-}" in
--write) write ;;
--plant)
    plant 'the off check reads twice' 'if event.is_enabled_now() {' \
        'if event.is_enabled_now() || event.is_enabled_now() {'
    plant 'a firing adds to a counter that all threads share' '$( __argument::<$ty>(); )*' \
        '{ static P: ::std::sync::atomic::AtomicU64 = ::std::sync::atomic::AtomicU64::new(0);
           P.fetch_add(1, ::std::sync::atomic::Ordering::Relaxed); }'
    ;;
*)
    build benches/Cargo.toml --no-default-features
    "$target/release/overhead" "$@"
    ;;
esac
