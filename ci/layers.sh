#!/usr/bin/env bash
# The layers of the core and of each crate, so that the core stays small enough to be read in an
# afternoon: `rcu/` knows nothing of what is built on it, leaves know nothing of ours, and no two
# modules need each other. `unsafe` and loom are where reviewers look for them. The rules:
# ci/layers.py.
#
# Usage: ci/layers.sh             checks the tree, and then the check itself, as below (two seconds)
#        ci/layers.sh --plant     plants violations in a copy, and checks that each is noticed
# shellcheck disable=SC2016  # backquotes are what the check prints
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

[ "${1:-}" = --plant ] || python3 ci/layers.py

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

# What the tree itself breaks is in both.
before=$(python3 ci/layers.py 2>&1 || true)

planted() { # FILE: what is reported of a copy, to whose FILE stdin is appended, and not of the tree
    rm -rf "${copy:?}"/*
    cp -r --parents src crates "$copy"
    cat >>"$copy/$1"
    { python3 ci/layers.py "$copy" 2>&1 || true; } | grep -vxFf <(echo "$before") | grep -v '[0-9] violations$' || true
}

plant() { # WHAT FILE EXPECTED
    local found
    found=$(planted "$2")
    if ! grep -Eq "$3" <<<"$found"; then
        printf 'ci/layers.sh: planted, and NOT noticed: %s\n%s\n' "$1" "$found" >&2
        exit 1
    fi
    echo "planted and noticed: $1"
}

plant 'a grouped import' src/rcu/reclaim.rs 'src/rcu/reclaim.rs:[0-9]+: rcu/ may not use `batch`' <<'RUST'
use crate::{sync::{Ordering as _, plain as _}, batch::{self as _, Batch as _}};
RUST
plant 'a re-export' src/rcu/slot.rs 'src/rcu/slot.rs:[0-9]+: rcu/ may not use `probe`' <<'RUST'
pub(crate) use crate::probe::Probe;
RUST
plant 'a name that lib.rs re-exports' src/rcu/lists.rs 'src/rcu/lists.rs:[0-9]+: rcu/ may not use `batch`' <<'RUST'
fn planted(_: crate::ProbeGroup) {}
RUST
plant 'super::super' src/rcu/fork.rs 'src/rcu/fork.rs:[0-9]+: rcu/ may not use `grace`' <<'RUST'
mod planted { fn planted() { super::super::super::grace::reclaim(); } }
RUST
plant 'a glob' src/rcu/update.rs 'src/rcu/update.rs:[0-9]+: rcu/ may not use `event`' <<'RUST'
mod planted { use crate::event::*; fn planted(_: &Event<fn()>) {} }
RUST
plant 'a leaf that uses something' src/value.rs 'src/value.rs:[0-9]+: a leaf uses nothing of ours' <<'RUST'
type Planted = /* no path: crate::stats */ crate::probe::Probe;
RUST
plant 'a cycle in the core' src/grace.rs '^src: a cycle' <<'RUST'
fn planted(_: &crate::batch::Batch) {}
RUST
plant 'a cycle in a crate' crates/hotprobe-clock/src/number.rs 'crates/hotprobe-clock/src: a cycle' <<'RUST'
use super::Clock as Planted;
RUST
plant 'unsafe' src/event.rs 'src/event.rs:[0-9]+: `unsafe`' <<'RUST'
fn planted() { unsafe {} }
RUST
plant 'loom' crates/hotprobe-record/src/lib.rs 'lib.rs:[0-9]+: loom' <<'RUST'
#[cfg(crossbeam_loom)] fn planted() {}
RUST

# And what is no use is not taken for one.
found=$(planted src/rcu/lists.rs <<'RUST'
// use crate::batch::Batch; /* unsafe */
/* use crate::{probe::Probe}; /* nested */ unsafe */
/// [`Batch`](crate::batch::Batch)
const PLANTED: (&str, char, &str) = ("crate::event::Event", '"', r#"use crate::grace; " "#);
#[cfg(test)]
mod tests { use crate::grace::reclaim; }
pub(in crate::rcu) fn planted<'a>(_: &'a str) {}
RUST
)
[ -z "$found" ] || { printf 'ci/layers.sh: no violation, but taken for one:\n%s\n' "$found" >&2; exit 1; }
