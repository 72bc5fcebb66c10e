#!/usr/bin/env bash
# What events cost, against what the machine asks for the same without them. Fails if a counted row
# of benches/src/rows.rs is above its gate: machine code, instructions (callgrind counts them),
# allocations. These are the same on any processor and on a busy machine. Times, and ratios of
# times, are not: they are printed when asked for, and written to `docs::performance`, and never
# fail.
# (The gate also checks that the pages have the marks between which the figures are written.)
#
# Usage: ci/overhead.sh                  the gate
#        ci/overhead.sh --times          the timed rows as well
#        ci/overhead.sh --rows GROUP     these rows only (repeatable)
#        ci/overhead.sh --write [TABLE]  measures all, or TABLE (repeatable: rows, tails, peers,
#                                        recorded), and writes the tables of `docs::performance` for
#                                        this make of processor, the picture of tails, and README's
#                                        table if that is of this make
#        ci/overhead.sh --add [TABLE]    likewise, but adds to what was measured before: the best of
#                                        all runs counts, so that a busy machine has more chances
#        ci/overhead.sh --pages [TABLE]  writes what was measured last
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
readme=README.md
tables=(rows tails peers recorded)
target="${CARGO_TARGET_DIR:-$PWD/target}"
build() { # [FLAG]...
    local profile=()
    [[ " $* " == *" --profile "* ]] || profile=(--profile overhead)
    # Flags that a caller has set for other builds (sanitizers, coverage) would change the code.
    env -u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS CARGO_TARGET_DIR="$target" \
        cargo build --quiet --package hotprobe-benches --bin overhead "${profile[@]}" "$@"
}

make() { # of the processor: the tables of each are kept
    case "$(sed -n 's/^vendor_id[^:]*: //p' /proc/cpuinfo | head -n 1)" in
    AuthenticAMD) echo amd ;;
    GenuineIntel) echo intel ;;
    *)
        echo "ci/overhead.sh: no table is of this processor" >&2
        exit 1
        ;;
    esac
}

cpuinfo() { # FIELD
    sed -n "s/^$1[^:]*: //p" /proc/cpuinfo | head -n 1
}

machine() {
    echo "$(cpuinfo 'model name' | sed 's/([RTM]*)//g; s/  */ /g; s/ *$//'), family $(cpuinfo 'cpu family')," \
        "model $(cpuinfo 'model'), $(nproc) cores ($(uname -sm))"
}

busy() { # seconds since the start, and those that processors worked for others than this script's programs
    awk -v hz="$(getconf CLK_TCK)" '
        FILENAME == "/proc/uptime" { uptime = $1 }
        FILENAME == "/proc/stat" && $1 == "cpu" { busy = $2 + $3 + $4 + $7 + $8 }
        FILENAME ~ /^.proc.[0-9]/ { own = $14 + $15 + $16 + $17 }
        END { print uptime, (busy - own) / hz }
    ' /proc/uptime /proc/stat "/proc/$$/stat"
}

write() { # fresh|more, whether without earlier values; [TABLE]...
    local mode=$1 make table values before
    make=$(make)
    shift
    build --features peers
    build --profile overhead-fat-lto
    export OVERHEAD_FAT_LTO="$target/overhead-fat-lto/overhead"
    values="$target/overhead-values/$make"
    mkdir -p "$values"
    for table; do
        [ "$mode" = more ] || rm -f "$values/$table" "$values/$table.load"
        echo "measuring $table"
        before=$(busy)
        "$target/overhead/overhead" values "$table" >>"$values/$table"
        awk -v before="$before" -v after="$(busy)" 'BEGIN {
            split(before, b); split(after, a); printf "%.2f\n", (a[2] - b[2]) / (a[1] - b[1])
        }' >>"$values/$table.load"
    done
    pages "$@"
}

pages() { # TABLE...: writes what was measured
    local make table values
    make=$(make)
    values="$target/overhead-values/$make"
    for table; do
        case $table in
        # Its rows of tails are computed from these.
        rows) cat "$values"/rows "$values"/tails 2>/dev/null || true ;;
        *) cat "$values/$table" ;;
        esac | "$target/overhead/overhead" markdown "$table" |
            page_table "$values/$table.load" | insert "//! " "$table: $make" "$page"
        if [ "$table" = tails ]; then
            "$target/overhead/overhead" picture "$(machine)" <"$values/tails" >"assets/tails-$make.svg"
        fi
    done
    if grep -q "^<!-- costs: $make -->" "$readme" && [ -e "$values/peers" ] && [ -e "$values/recorded" ]; then
        {
            cat "$values/peers" "$values/recorded" | "$target/overhead/overhead" markdown readme
            echo
            echo "Measured on $(measured_on "$values"/{peers,recorded}.load)." | fold -s -w 125 | sed 's/ *$//'
        } | insert "" "costs: $make" "$readme"
    fi
}

page_table() { # LOADS: the table on stdin, with where and how it was measured, as lines of a comment
    {
        echo "On $(measured_on "$1"):" | fold -s -w 95
        echo
        cat
    } | sed 's|^|//! |; s| *$||'
}

measured_on() { # LOADS...: the machine, and whether it had other work: more than a tenth of a processor
    local loads runs other=""
    loads=$(sort -n "$@")
    runs=$(($(wc -l <<<"$loads") / $#))
    if awk '$1 > 0.1 { busy = 1 } END { exit !busy }' <<<"$loads"; then
        other=", **beside other work**, which took $(sed -n '1p;$p' <<<"$loads" | uniq | paste -sd ' ' |
            sed 's/ / to /') processors"
    fi
    [ "$runs" = 1 ] || other+=", best of $runs runs"
    echo "$(machine), $(rustc --version | cut -d ' ' -f 1,2), the default release profile$other"
}

insert() { # PREFIX TABLE FILE: stdin takes the place of what is between the marks `TABLE` and `end of TABLE`
    local new
    new=$(mktemp)
    # shellcheck disable=SC2064  # the name is known now
    trap "rm -f '$new'" RETURN
    awk -v begin="$1<!-- $2 -->" -v end="$1<!-- end of $2 -->" '
        from == "table" { lines[++n] = $0; next }
        $0 == begin { print; for (i = 1; i <= n; i++) print lines[i]; begun++; skip = 1; next }
        $0 == end { ended += skip; skip = 0 }
        !skip { print }
        END { exit !(begun == 1 && ended == 1) }
    ' from=table - from=page "$3" >"$new" || {
        echo "ci/overhead.sh: $3 has not one pair of the marks '$2' and 'end of $2'" >&2
        return 1
    }
    cat "$new" >"$3"
}

check_pages() { # what is between the marks is found, and nothing else is replaced
    local table make copy="$target/page"
    mkdir -p "$target"
    for make in amd intel; do
        for table in "${tables[@]}"; do
            cp "$page" "$copy"
            sed -n "\|^//! <!-- $table: $make -->|,\|^//! <!-- end of $table: $make -->|p" "$page" | sed '1d; $d' |
                insert "//! " "$table: $make" "$copy"
            cmp -s "$copy" "$page" || {
                echo "ci/overhead.sh: the marks of '$table: $make' in $page are not where they can be replaced" >&2
                return 1
            }
        done
    done
    [ "$(grep -c '^<!-- costs: \(amd\|intel\) -->$' "$readme")" = 1 ] || {
        echo "ci/overhead.sh: $readme has not one mark 'costs: amd' or 'costs: intel'" >&2
        return 1
    }
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
--write | --add | --pages)
    mode=$1
    shift
    [ "$#" -gt 0 ] || set -- "${tables[@]}"
    case $mode in
    --write) write fresh "$@" ;;
    --add) write more "$@" ;;
    --pages) pages "$@" ;;
    esac
    ;;
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
    check_pages
    build
    [ "${1:-}" != --times ] || {
        build --profile overhead-fat-lto
        export OVERHEAD_FAT_LTO="$target/overhead-fat-lto/overhead"
    }
    "$target/overhead/overhead" "$@"
    ;;
esac
