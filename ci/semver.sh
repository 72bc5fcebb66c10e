#!/usr/bin/env bash
# Reports what changed in the public API of each library since a commit, and which part of its
# version that calls for, by cargo-semver-checks. Nothing is published yet, so a breaking change is
# not a failure: only a report that cannot be made is.
#
# Usage: ci/semver.sh [COMMIT]      compares with COMMIT; by default with the newest tag, or the
#                                   first commit of the workspace
# Ten minutes to install the tool, then some for each library.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=ci/lib/install.sh
source ci/lib/install.sh
# shellcheck source=ci/lib/tidy.sh
source ci/lib/tidy.sh

cargo_tool cargo-semver-checks

# (A crate that did not exist in the baseline cannot be compared: the first commit that has all of
# them.)
baseline=${1:-$(git describe --tags --abbrev=0 2>/dev/null || git log --reverse --format=%H --diff-filter=A -- 'crates/*/Cargo.toml' | tail -n 1)}
[ -n "$baseline" ] || { echo 'ci/semver.sh: there is no commit to compare with' >&2; exit 1; }
echo "compared with $(git log -1 --format='%h, %s' "$baseline")"

# It builds both versions there.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}/semver-checks
scratch "$CARGO_TARGET_DIR"
failed=0
while read -r name kind _; do
    [ "$kind" = lib ] || continue
    report=$(limit 1800 "cargo semver-checks of $name" cargo semver-checks --package "$name" --baseline-rev "$baseline" --color never 2>&1) && verdict=$? || verdict=$?
    # What it found, and its verdict; the tool itself has failed if there is none.
    grep -E '^(---|  (struct|enum|trait|function|method|field|variant|feature|macro)|     Summary)|in /|Checked' <<<"$report" |
        sed "s|$PWD/||" || true
    if ! grep -q 'Summary\|Checked' <<<"$report"; then
        printf 'ci/semver.sh: %s: no report (%s)\n%s\n' "$name" "$verdict" "$report" >&2
        failed=1
    fi
done < <(python3 ci/lib/crates.py)
exit "$failed"
