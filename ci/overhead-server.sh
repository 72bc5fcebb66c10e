#!/usr/bin/env bash
# What events cost a server (benches/overhead_server): the instructions of a request, counted by
# callgrind, without events, with four that are off, and with four that are on. Fails if an event
# costs more instructions than its gate below, which is the same on any processor and on a busy
# machine, or if the program's own tests fail. Throughput and latencies are then measured for a few
# seconds and printed, and never fail.
#
# Usage: ci/overhead-server.sh
#        ci/overhead-server.sh --plant       plants a slowdown in a copy: the gate has to fail
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=ci/lib/install.sh
source ci/lib/install.sh
# shellcheck source=ci/lib/tidy.sh
source ci/lib/tidy.sh

# Off: load, test and branch, and one for what may have to be kept in another place because of it.
gate_off=4
# On: what it took when this was written (rustc 1.95), and a few more.
gate_on=92

counted=yes
if [ "$(uname -m)" != x86_64 ] || [ "$(uname -s)" != Linux ]; then
    echo "skipped: instructions, which are known of x86-64 Linux only"
    counted=
else
    need valgrind
fi

target="${CARGO_TARGET_DIR:-$PWD/target}"
server="$target/release/overhead_server"
run_cargo() { # COMMAND [FLAG]...
    # Flags that a caller has set for other builds (sanitizers, coverage) would change the code.
    limit 3600 "cargo $1" env -u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS CARGO_TARGET_DIR="$target" \
        cargo "$1" --quiet --release --package hotprobe-benches --features server "${@:2}"
}

# The instructions of REQUESTS requests. Those of libc are left out: which of its variants of
# `memcpy` runs depends on the processor, and which way `malloc` takes on what else has been
# allocated, as the probes have.
instructions() { # VARIANT REQUESTS
    local profile="$target/overhead-server.profile"
    limit 1800 "callgrind, $1" valgrind --tool=callgrind --callgrind-out-file="$profile" --toggle-collect=overhead_server::in_process::counted \
        "$server" --requests "$2" --variant "$1" >"$profile.log" 2>&1 || {
        cat "$profile.log" >&2
        return 1
    }
    callgrind_annotate --threshold=100 "$profile" | awk '
        # 1,234 ( 0.56%)  file:function [object]
        !/^ *[0-9,]+ \(/ || /PROGRAM TOTALS/ { next }
        /\[[^]]*\/(libc|ld-linux|libpthread|libm)[^\/]*\]$/ { next }
        { gsub(",", "", $1); sum += $1 }
        END { print sum }
    '
}

count() { # false if one is above its gate
    local variant few=1024 many=3072 per_request=()
    for variant in none off on; do
        # The difference of two runs: what is done once does not count. (Crossbeam does more at each
        # 128th pin.)
        per_request+=("$(echo "$(instructions "$variant" "$many") $(instructions "$variant" "$few")" |
            awk -v n="$((many - few))" '{ printf "%.2f", ($1 - $2) / n }')")
    done
    echo "${per_request[*]}" | awk -v gate_off="$gate_off" -v gate_on="$gate_on" '
        function row(name, count, each, gate) {
            printf "%-36s %10.1f", name, count
            if (gate) printf " %10.2f %8.2f  %s", each, gate, each <= gate ? "ok" : "FAILED"
            printf "\n"
        }
        {
            printf "%-36s %10s %10s %8s\n", "instructions (callgrind)", "a request", "an event", "gate"
            row("without events", $1)
            row("four events, off", $2, ($2 - $1) / 4, gate_off)
            row("four events, on, no-op probes", $3, ($3 - $1) / 4, gate_on)
            exit ($2 - $1) / 4 > gate_off || ($3 - $1) / 4 > gate_on
        }
    '
}

plant() { # WHAT OLD NEW: in src/macros.rs, the first part OLD of a line becomes NEW
    local copy="$target/planted-server"
    scratch "$copy"
    mkdir -p "$copy/tree"
    # The whole workspace: cargo wants all members.
    find "$copy/tree" -mindepth 1 -maxdepth 1 -exec rm -rf {} +
    tar -cf - --exclude=./target --exclude=./.git . | tar -xf - -C "$copy/tree"
    OLD=$2 NEW=$3 awk '
        { at = found ? 0 : index($0, ENVIRON["OLD"]) }
        at { $0 = substr($0, 1, at - 1) ENVIRON["NEW"] substr($0, at + length(ENVIRON["OLD"])); found = 1 }
        { print }
        END { exit !found }
    ' src/macros.rs >"$copy/tree/src/macros.rs" || {
        echo "ci/overhead-server.sh: where is '$2' in src/macros.rs?" >&2
        exit 1
    }
    # In a place of its own: cargo would take the planted program for the tree's.
    target="$copy/target"
    server="$target/release/overhead_server"
    run_cargo build --bin overhead_server --manifest-path "$copy/tree/Cargo.toml"
    echo "== planted: $1"
    if count; then
        echo "ci/overhead-server.sh: nobody noticed" >&2
        exit 1
    fi
}

case "${1:-}" in
--plant)
    plant 'the off check is a call' 'if event.is_enabled_now() {' \
        'if { #[inline(never)] fn check(on: impl Fn() -> bool) -> bool { on() } check(|| event.is_enabled_now()) } {'
    ;;
*)
    run_cargo build --bin overhead_server
    if [ "$counted" ]; then count; fi
    # Its tests, as its user runs it. (No target of this package is tested unless it is named.)
    run_cargo test --test overhead_server_cli
    limit 600 'the server under load' "$server" --seconds 4 --rounds 20 --connections 8
    ;;
esac
