#!/usr/bin/env bash
# House rules that no compiler enforces, each with its reason. Prints what breaks them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

failed=0

files() { # the tracked files that match; without git, all that do
    git ls-files -- "$@" 2>/dev/null || find . -type f -not -path './.git/*' -not -path '*/target/*' | sed 's|^\./||'
}

code() { # FILE:LINE:CODE of Rust files, without what follows `//`
    local file
    for file in "$@"; do
        [ -f "$file" ] && sed 's|//.*||' "$file" | grep -n '' | sed "s|^|$file:|"
    done
}

rule() { # RULE, and the lines that break it
    if [ -n "$2" ]; then
        printf 'ci/house.sh: %s:\n%s\n\n' "$1" "$2" >&2
        failed=1
    fi
}

mapfile -t source < <(files 'src/*.rs' | grep '^src/.*\.rs$' | sort -u)
[ "${#source[@]}" -gt 5 ] || { echo "ci/house.sh: where is the source?" >&2; exit 1; }
mapfile -t everything < <(files . | grep -v '^LICENSE' | sort -u)

# `unsafe` is reviewed in one place. (The compiler denies it elsewhere, unless somebody allows it.)
rule '`unsafe` outside of src/rcu/ (and the shim in src/sync.rs)' "$(
    code "${source[@]}" | grep -Ev '^src/(rcu/.*|sync)\.rs:' | grep -w 'unsafe' || true
)"
rule '`unsafe_code` is allowed for src/rcu/ in src/lib.rs, and for the shim in src/sync.rs' "$(
    code "${source[@]}" | grep -E 'allow\([^)]*unsafe_code' | grep -Ev '^src/(lib|sync)\.rs:' || true
)"

# What a model is made of is one file's affair; the rest reads as if there were no models.
rule 'loom outside of src/sync.rs and src/macros.rs' "$(
    code "${source[@]}" | grep -Ev '^src/(sync|macros)\.rs:' | grep -E 'crossbeam_loom|\bloom::' || true
)"

# What is not finished is not committed.
rule 'unfinished' "$(
    grep -InE 'TOD[O]|FIXM[E]|XX[X]|tod[o]!\(|unimplemente[d]!\(' "${everything[@]}" || true
)"

# Registries move, and are mirrored: nothing here depends on the name of one's host. (One line is a table
# of Cargo.toml that has to be called so.)
rule "a registry's host name" "$(
    grep -InE 'crates[.]io|docs[.]rs|lib[.]rs/crates|static[.]rust-lang' "${everything[@]}" |
        grep -vE '^Cargo[.]toml:[0-9]+:\[package[.]metadata[.]docs[.]rs\]$' || true
)"

exit "$failed"
