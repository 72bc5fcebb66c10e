#!/usr/bin/env bash
# What events cost, against what the machine asks for the same without them. Fails if a counted row
# of benches/src/rows.rs is above its gate: machine code, instructions (callgrind counts them),
# allocations. These are the same on any processor and on a busy machine. Times, and ratios of
# times, are not: they are printed when asked for, and written to `docs::performance`, and never
# fail.
# (The gate also checks that the page has the marks between which the figures are written.)
#
# Usage: ci/overhead.sh                  the gate
#        ci/overhead.sh --times          the timed rows as well
#        ci/overhead.sh --rows GROUP     these rows only (repeatable)
#        ci/overhead.sh --write          measures all, and writes the tables of `docs::performance`
#        ci/overhead.sh --plant          plants slowdowns in a copy, each of which has to fail
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# shellcheck source=ci/lib/install.sh
source ci/lib/install.sh
# shellcheck source=ci/lib/tidy.sh
source ci/lib/tidy.sh

if [ "$(uname -m)" = x86_64 ] && [ "$(uname -s)" = Linux ]; then
    need valgrind objdump
else
    echo "skipped: code and instructions, which are known of x86-64 Linux only"
fi

page=src/docs/performance.rs
target="${CARGO_TARGET_DIR:-$PWD/target}"
build() { # [FLAG]...
    # Flags that a caller has set for other builds (sanitizers, coverage) would change the code.
    env -u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS CARGO_TARGET_DIR="$target" \
        cargo build --quiet --package hotprobe-benches --bin overhead --profile overhead "$@"
}

write() {
    build --features peers
    local table
    for table in peers rows; do
        {
            echo "On $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores" \
                "($(uname -sm)), $(rustc --version | cut -d ' ' -f 1,2), the default release profile:"
            echo
            "$target/overhead/overhead" markdown "$table"
        } | sed 's|^|//! |; s| *$||' | insert "$table" >"$target/page"
        cat "$target/page" >"$page"
    done
}

insert() { # TABLE: prints the page, with stdin between its two marks `TABLE` and `end of TABLE`
    awk -v begin="//! <!-- $1 -->" -v end="//! <!-- end of $1 -->" '
        from == "table" { lines[++n] = $0; next }
        $0 == begin { print; for (i = 1; i <= n; i++) print lines[i]; begun++; skip = 1; next }
        $0 == end { ended += skip; skip = 0 }
        !skip { print }
        END { exit !(begun == 1 && ended == 1) }
    ' from=table - from=page "$page"
}

check_page() { # what is between the marks is found, and nothing else is replaced
    local table
    for table in peers rows; do
        sed -n "\|^//! <!-- $table -->|,\|^//! <!-- end of $table -->|p" "$page" | sed '1d; $d' |
            insert "$table" | cmp -s - "$page" || {
            echo "ci/overhead.sh: $page has not one pair of the marks '$table' and 'end of $table'" >&2
            return 1
        }
    done
}

plant() { # WHAT FILE OLD NEW: in a copy's FILE, the part OLD of a line becomes NEW
    local copy="$target/planted-overhead"
    [ -d "$copy" ] || scratch "$copy"
    mkdir -p "$copy/tree"
    # The whole workspace: cargo wants all members. What did not change keeps its time, and is not
    # built again.
    find "$copy/tree" -mindepth 1 -maxdepth 1 -exec rm -rf {} +
    tar -cf - --exclude=./target --exclude=./.git . | tar -xf - -C "$copy/tree"
    OLD=$3 NEW=$4 awk '
        { at = index($0, ENVIRON["OLD"]) }
        at { $0 = substr($0, 1, at - 1) ENVIRON["NEW"] substr($0, at + length(ENVIRON["OLD"])); found = 1 }
        { print }
        END { exit !found }
    ' "$2" >"$copy/tree/$2" || {
        echo "ci/overhead.sh: where is '$3' in $2?" >&2
        exit 1
    }
    # In a place of its own: cargo would take the planted program for the tree's.
    (
        target="$copy/target"
        build --manifest-path "$copy/tree/Cargo.toml"
    )
    echo "== planted: $1"
    if "$copy/target/overhead/overhead" >"$copy/log"; then
        cat "$copy/log"
        echo "ci/overhead.sh: nobody noticed" >&2
        exit 1
    fi
    grep '^FAILED' "$copy/log"
}

case "${1:-}" in
--write) write ;;
--plant)
    plant 'the off check reads twice' src/macros.rs 'if event.is_enabled_now() {' \
        'if event.is_enabled_now() || event.is_enabled_now() {'
    plant 'a firing adds to a counter that all threads share' src/macros.rs '$( __argument::<$ty>(); )*' \
        '{ static P: ::std::sync::atomic::AtomicU64 = ::std::sync::atomic::AtomicU64::new(0);
           P.fetch_add(1, ::std::sync::atomic::Ordering::Relaxed); }'
    plant 'a detach looks at all events' src/rcu/update.rs 'let mut changes = plan_detach(slots.clone());' \
        'for event in crate::events() { std::hint::black_box(event.is_enabled()); }
         let mut changes = plan_detach(slots.clone());'
    plant 'a batch looks at all that is queued, once for each probe' src/batch.rs 'self.attaches.push(pending);' \
        'for queued in &self.attaches { std::hint::black_box(queued); } self.attaches.push(pending);'
    ;;
*)
    check_page
    build
    "$target/overhead/overhead" "$@"
    ;;
esac
