#!/usr/bin/env bash
# House rules that no compiler enforces, each with its reason. Prints what breaks them. (Where
# `unsafe` and loom may be: ci/layers.sh.) Seconds.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

failed=0

files() { # the tracked files that match; without git, all that do
    git ls-files -- "$@" 2>/dev/null || find . -type f -not -path './.git/*' -not -path '*/target/*' | sed 's|^\./||'
}

rule() { # RULE, and the lines that break it
    if [ -n "$2" ]; then
        printf 'ci/house.sh: %s:\n%s\n\n' "$1" "$2" >&2
        failed=1
    fi
}

# (Links to a file are that file; lock files are Cargo's.)
mapfile -t everything < <(files . | grep -v 'LICENSE-\|Cargo[.]lock$' | sort -u)

# What is not finished is not committed.
rule 'unfinished' "$(
    grep -InE 'TOD[O]|FIXM[E]|XX[X]|tod[o]!\(|unimplemente[d]!\(' "${everything[@]}" || true
)"

# Registries move, and are mirrored: nothing here depends on the name of one's host. (One line is a
# table of Cargo.toml that has to be called so.)
rule "a registry's host name" "$(
    grep -InE 'crates[.]io|docs[.]rs|lib[.]rs/crates|static[.]rust-lang' "${everything[@]}" |
        grep -vE '^(crates/[^/]*/)?Cargo[.]toml:[0-9]+:\[package[.]metadata[.]docs[.]rs\]$' || true
)"

# A table that names what is no more would be believed.
python3 ci/planted.py || failed=1

# Numbers in README that the tree determines.
models=$(cat tests/loom/*.rs crates/*/tests/loom/*.rs | grep -c '^ *#\[test\]')
planted=$(files '*/mutants/*.patch' | sort -u | grep -c .)
rule "README's number of models or planted bugs, which are $models and $planted" "$(
    grep -q "\`cargo loom\`: $models models" README.md || echo 'README.md: models'
    grep -q ": $planted planted bugs" README.md || echo 'README.md: planted bugs'
)"

# Each `[workspace]` is a lock file and a build of its own: the root, and the crates that
# play other people's.
rule 'a workspace more' "$(
    files '*Cargo.toml' | sort -u | xargs grep -ln '^\[workspace\]' | grep -vxE '(tests/consumers/)?Cargo[.]toml' || true
)"

exit "$failed"
