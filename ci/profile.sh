#!/usr/bin/env bash
# What profiles write, opened by readers that we did not write: HDR logs by Python's hdrhistogram,
# Prometheus' text by promtool, pprof's files by `go tool pprof`, folded stacks by a parser,
# pictures by headless Chromium. They find what was measured: labels, counts, percentiles, sums;
# functions, lines, bytes; no frame of hotprobe; and nothing of a label is taken for anything but
# text. In two builds, since stacks differ in them: `dev`, and `release` with line tables. Then the
# same of a real server under load, the example `profile`: what the readers find is what it printed.
#
# Usage: ci/profile.sh                           (a minute on two cores, and four to build)
#        ci/profile.sh --builds                  two more builds: without debug information, and
#                                                with the newer mangling, whose names have types
#        ci/profile.sh --pictures DIRECTORY      also keeps pictures of the example's results
#        KEEP=1 ci/profile.sh                    keeps what was built and written (1 GB)
# Installs what is missing: from Debian, prometheus, chromium, golang-go, nodejs, npm, python3-pip;
# by pip, hdrhistogram and prometheus-client; by npm, playwright-core.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=ci/lib/install.sh
source ci/lib/install.sh
# shellcheck source=ci/lib/tidy.sh
source ci/lib/tidy.sh

builds=(dev lines) pictures=''
case "${1:-}" in
"") ;;
--builds) builds+=(release v0) ;;
--pictures) pictures=$(realpath -m "${2:?a directory follows --pictures}") ;;
*)
    echo "usage: ci/profile.sh [--builds | --pictures DIRECTORY]" >&2
    exit 2
    ;;
esac

need promtool chromium go node npm pip
python_package hdrhistogram 'hdrhistogram>=0.10,<1'
python_package prometheus_client 'prometheus-client>=0.21,<1'
playwright

# (A folder of its own: these builds have other profiles than the tree's.)
target=$tools/profile
scratch "$target"
# As a user's debug build has it, whatever is set for the tree's.
export CARGO_PROFILE_DEV_DEBUG=full CARGO_INCREMENTAL=0
export PYTHONPATH=$tools/hdrhistogram:$tools/prometheus_client PYTHONDONTWRITEBYTECODE=1

# One for each format. The first argument is where the files are; what they are compared with is
# known to the scripts.

hlog() {
    limit 300 'the reader of HDR logs' python3 ci/readers/profile/verify.py hlog "$1"
}

prometheus() {
    limit 300 "promtool, or Prometheus' parser" python3 ci/readers/profile/verify.py prometheus "$1"
}

histograms() { # DIRECTORY [PICTURE.png]
    look picture.mjs "$1/latency.svg" "$1/picture.json" "${@:2}"
    python3 ci/readers/profile/verify.py picture "$1"
}

pprof() { # DIRECTORY WEIGHT UNIT
    local weight=$2 unit=$3
    # It looks for nothing anywhere: all is in the file.
    tool() {
        PPROF_TMPDIR=$target limit 300 'go tool pprof' go tool pprof -symbolize=none "${@:2}" "$1/stacks.pb.gz" 2>"$1/pprof.err" ||
            { cat "$1/pprof.err" >&2; exit 1; }
    }
    tool "$1" -top -nodecount=1000 -nodefraction=0 -sample_index=samples >"$1/top-count.txt"
    tool "$1" -top -nodecount=1000 -nodefraction=0 -sample_index="$weight" -unit="$unit" >"$1/top-weight.txt"
    tool "$1" -tags -sample_index="$weight" -unit="$unit" >"$1/tags.txt"
    tool "$1" -raw >"$1/raw.txt"
}

flame() { # DIRECTORY NAME
    look flame.mjs "$1/$2.svg" "$1/$2.png" "$1/svg.json"
}

look() { # SCRIPT and what it is given
    (cd "$tools" && limit 600 "Chromium with $2" node "$OLDPWD/ci/readers/profile/$1" "${@:2}")
}

for build in "${builds[@]}"; do
    (
        built=$target profile=release
        case $build in
        dev) profile=dev ;;
        lines) export CARGO_PROFILE_RELEASE_DEBUG=line-tables-only ;;
        release) built=$target/bare ;;
        v0)
            built=$target/v0 CARGO_PROFILE_RELEASE_DEBUG=line-tables-only
            RUSTFLAGS="${RUSTFLAGS:-} -Csymbol-mangling-version=v0"
            export CARGO_PROFILE_RELEASE_DEBUG RUSTFLAGS
            ;;
        esac
        CARGO_TARGET_DIR=$built limit 3600 "cargo build, $build" cargo build --quiet --profile "$profile" \
            --package hotprobe-checks --features profile --bin profile_check
        out=$target/out/$build
        rm -rf "$out"
        limit 600 'profile_check' "$built/${profile/dev/debug}/profile_check" "$out" >/dev/null
        echo "== $build"
        # These do not depend on the build.
        if [ "$build" = lines ]; then
            hlog "$out"
            prometheus "$out"
            histograms "$out"
        fi
        pprof "$out" bytes B
        flame "$out" stacks
        python3 ci/readers/profile/stacks.py "$out" "$build"
    )
done

echo "== a server under load"
out=$target/out/real
rm -rf "$out"
mkdir -p "$out"
# Line tables are enough for what others wrote; the server's own functions have whole names. (Other
# settings for the others would build them once more.)
CARGO_TARGET_DIR=$target CARGO_PROFILE_RELEASE_DEBUG=line-tables-only limit 3600 'cargo build of the example' \
    cargo build --quiet --release --package hotprobe-examples --example profile --config 'profile.release.package.hotprobe-examples.debug="limited"'
limit 600 'the example profile' "$target/release/examples/profile" --out "$out" --seconds 1 --connections 8 | tee "$out/printed.txt"
pprof "$out" orders count
flame "$out" flame
look picture.mjs "$out/latency.svg" "$out/picture.json" ${pictures:+"$out/latency.png"}
limit 300 promtool promtool check metrics <"$out/metrics.txt"
python3 ci/readers/profile/real.py "$out"

echo "== what a firing waits for while stacks are named (printed, not judged)"
CARGO_TARGET_DIR=$target limit 3600 'cargo build of naming_gap' \
    cargo build --quiet --package hotprobe-checks --features profile --bin naming_gap
limit 600 naming_gap "$target/debug/naming_gap"

if [ -n "$pictures" ]; then
    mkdir -p "$pictures"
    cp "$out/latency.png" "$out/flame.png" "$pictures/"
fi
