#!/usr/bin/env bash
# What profiles write, opened by readers that we did not write: HDR logs by Python's hdrhistogram, Prometheus' text by
# promtool, pictures by headless Chromium. They find what was measured: labels, counts, percentiles, sums; nothing of a
# label is taken for anything but text.
#
# Usage: ci/profile.sh [--picture FILE.png]     (about a minute on two cores)
# Installs what is missing: from Debian, prometheus, chromium, nodejs, npm, python3-pip; by pip, hdrhistogram; by npm,
# playwright-core.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

png=
if [ "${1:-}" = --picture ]; then
    png=$(realpath -m "${2:?a file name follows --picture}")
elif [ $# -gt 0 ]; then
    echo "usage: ci/profile.sh [--picture FILE.png]" >&2
    exit 2
fi

missing=()
command -v promtool >/dev/null || missing+=(prometheus)
command -v chromium >/dev/null || [ -n "${CHROMIUM:-}" ] || missing+=(chromium)
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)
python3 -m pip --version >/dev/null 2>&1 || missing+=(python3-pip)
if [ "${#missing[@]}" -gt 0 ]; then
    command -v apt-get >/dev/null || { echo "ci/profile.sh: please install ${missing[*]}" >&2; exit 1; }
    as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo -n)
    echo "installing ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    "${as_root[@]}" apt-get update -q >/dev/null
    "${as_root[@]}" apt-get install -qy --no-install-recommends "${missing[@]}" >/dev/null
fi

target=${CARGO_TARGET_DIR:-$PWD/target}/profile-check
mkdir -p "$target"
target=$(realpath "$target")
if [ ! -d "$target/python/hdrh" ]; then
    python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore \
        --target "$target/python" 'hdrhistogram>=0.10,<1'
fi
if [ ! -d "$target/node_modules/playwright-core" ]; then
    npm install --silent --no-audit --no-fund --prefix "$target" playwright-core@1
fi

CARGO_TARGET_DIR=$target cargo build --quiet --manifest-path ci/profile/Cargo.toml
out=$target/out
rm -rf "$out"
"$target/debug/profile-check" "$out"

hlog() {
    PYTHONPATH=$target/python python3 ci/profile/verify.py hlog "$out"
}

prometheus() {
    python3 ci/profile/verify.py prometheus "$out"
}

picture() {
    (cd "$target" && node "$OLDPWD/ci/profile/picture.mjs" "$out/latency.svg" "$out/picture.json" ${png:+"$png"})
    python3 ci/profile/verify.py picture "$out"
}

# One for each format.
hlog
prometheus
picture
