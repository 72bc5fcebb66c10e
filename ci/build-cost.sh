#!/usr/bin/env bash
# What events cost the crates that declare them: the compiler's time and the program's bytes, next
# to `tracing`'s. No test notices an expansion that declares one more function, and it costs each
# user a second for each thousand events. Two programs are generated, each with N events of two
# parameters and a function for each that fires it once. Prints; fails only if they do not build.
#
# Usage: ci/build-cost.sh [N]...      500 by default; a minute and a half
#
# Times are CPU seconds of cargo for that one crate, without its dependencies. Bytes are the
# difference to a program without events, for each event.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=ci/lib/tidy.sh
source ci/lib/tidy.sh

root=$PWD
work=${CARGO_TARGET_DIR:-$root/target}/build-cost
# Flags of other builds would change what is measured. Incremental builds write files, which is a
# cost of its own.
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS
export CARGO_INCREMENTAL=0 CARGO_TARGET_DIR=$work/target
scratch "$work"
# As by default, whatever is set for the tree's builds.
unset CARGO_PROFILE_DEV_DEBUG

generate() { # KIND N: a crate of N events
    local kind=$1 n=$2 folder=$work/$1-$2 i
    mkdir -p "$folder/src"
    cp "$root/Cargo.lock" "$folder"
    {
        printf '[package]\nname = "%s-%s"\nversion = "0.0.0"\nedition = "2024"\n\n' "$kind" "$n"
        printf '[workspace]\n\n[dependencies]\n'
        case $kind in
        hotprobe) printf 'hotprobe = { path = "%s" }\n' "$root" ;;
        tracing) printf 'tracing = { version = "=0.1.44", default-features = false, features = ["std"] }\n' ;;
        esac
    } >"$folder/Cargo.toml"
    {
        for ((i = 0; i < n; i++)); do
            case $kind in
            hotprobe)
                printf 'hotprobe::event! {\n    /// Request %s is done.\n    static E%s: fn(id: u64, path: &str);\n}\n' $i $i
                printf '#[inline(never)]\nfn f%s(id: u64, path: &str) {\n    hotprobe::fire!(E%s, id, path);\n}\n' $i $i
                ;;
            tracing)
                printf '#[inline(never)]\nfn f%s(id: u64, path: &str) {\n' $i
                printf '    tracing::event!(tracing::Level::INFO, id = id, path = path);\n}\n'
                ;;
            esac
        done
        printf 'fn main() {\n    let all: &[fn(u64, &str)] = &['
        for ((i = 0; i < n; i++)); do printf 'f%s, ' $i; done
        printf '];\n    for f in std::hint::black_box(all) {\n        f(1, "/");\n    }\n}\n'
    } >"$folder/src/main.rs"
}

build() { # COMMAND...: of cargo
    limit 1800 "cargo $1" cargo "$@" --quiet
}

TIMEFORMAT='%U %S'
seconds() { # KIND N COMMAND...: CPU seconds of cargo COMMAND where the dependencies are built already
    local folder=$work/$1-$2 times
    shift 2
    build "$@" --manifest-path "$folder/Cargo.toml" >&2
    touch "$folder/src/main.rs"
    times=$({ time build "$@" --manifest-path "$folder/Cargo.toml" >&2; } 2>&1 | tail -n 1)
    awk -v times="$times" 'BEGIN { split(times, of, " "); printf "%.1f", of[1] + of[2] }'
}

bytes() { # KIND N PROFILE: the size of the program, without symbols and debug information if that is `release`
    local program=$CARGO_TARGET_DIR/$3/$1-$2
    if [ "$3" = release ]; then
        strip -o "$program.stripped" "$program"
        program=$program.stripped
    fi
    stat -c %s "$program"
}

echo "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores, $(rustc --version | cut -d ' ' -f 1,2)"
echo
echo '| events | | check, s | debug, s | release, s | debug, B each | release, stripped, B each |'
echo '|---|---|---|---|---|---|---|'
for n in "${@:-500}"; do
    for kind in tracing hotprobe; do
        for of in 0 "$n"; do
            generate $kind "$of"
        done
        check=$(seconds $kind "$n" check)
        debug=$(seconds $kind "$n" build)
        release=$(seconds $kind "$n" build --release)
        build build --manifest-path "$work/$kind-0/Cargo.toml"
        build build --release --manifest-path "$work/$kind-0/Cargo.toml"
        in_debug=$((($(bytes $kind "$n" debug) - $(bytes $kind 0 debug)) / n))
        stripped=$((($(bytes $kind "$n" release) - $(bytes $kind 0 release)) / n))
        echo "| $n | $kind | $check | $debug | $release | $in_debug | $stripped |"
    done
done
