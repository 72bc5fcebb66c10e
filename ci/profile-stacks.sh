#!/usr/bin/env bash
# What stack profiles write, opened by readers that we did not write: `go tool pprof`, a parser of folded stacks, and headless
# Chromium. They find what was done: functions, bytes, labels, lines; and no frame of hotprobe. In four builds, because
# stacks differ in them: `dev`; `release`, with nothing but the symbol table; `release` with lines; and that again with the
# newer mangling, whose names have types in them.
#
# Usage: ci/profile-stacks.sh                         (about two minutes on two cores)
# Installs what is missing: from Debian, chromium, golang-go, nodejs, npm; by npm, playwright-core.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

missing=()
command -v chromium >/dev/null || [ -n "${CHROMIUM:-}" ] || missing+=(chromium)
command -v go >/dev/null || missing+=(golang-go)
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)
if [ "${#missing[@]}" -gt 0 ]; then
    command -v apt-get >/dev/null || { echo "ci/profile-stacks.sh: please install ${missing[*]}" >&2; exit 1; }
    as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo -n)
    echo "installing ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    "${as_root[@]}" apt-get update -q >/dev/null
    "${as_root[@]}" apt-get install -qy --no-install-recommends "${missing[@]}" >/dev/null
fi

target=${CARGO_TARGET_DIR:-$PWD/target}/profile-stacks
mkdir -p "$target"
target=$(realpath "$target")
if [ ! -d "$target/node_modules/playwright-core" ]; then
    npm install --silent --no-audit --no-fund --prefix "$target" playwright-core@1
fi
# A module is looked for beside the script that asks for it.
cp ci/profile-stacks/look.mjs "$target/"

for build in dev release lines v0; do
    profile=$build built=$target
    if [ "$build" = v0 ]; then
        profile=lines built=$target/v0
        export RUSTFLAGS="${RUSTFLAGS:-} -Csymbol-mangling-version=v0"
    fi
    CARGO_TARGET_DIR=$built cargo build --quiet --manifest-path ci/profile-stacks/Cargo.toml --profile "$profile"
    out=$target/out/$build
    rm -rf "$out"
    mkdir -p "$out"
    "$built/${profile/dev/debug}/profile-stacks-check" "$out"
    pprof() {
        # It looks for nothing anywhere: all is in the file.
        PPROF_TMPDIR=$target go tool pprof -symbolize=none "$@" "$out/stacks.pb.gz" 2>"$out/pprof.err" ||
            { cat "$out/pprof.err" >&2; exit 1; }
    }
    pprof -top -nodecount=1000 -nodefraction=0 -sample_index=samples >"$out/top-count.txt"
    pprof -top -nodecount=1000 -nodefraction=0 -sample_index=bytes -unit=B >"$out/top-B.txt"
    pprof -tags -unit=B >"$out/tags.txt"
    pprof -raw >"$out/raw.txt"
    node "$target/look.mjs" "$out/stacks.svg" "$out/stacks.png" "$out/svg.json"
    python3 ci/profile-stacks/check.py "$out" "$build"
done
