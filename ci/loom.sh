#!/usr/bin/env bash
# Runs the models of all crates, and crossbeam-epoch's code in them, on loom. About a minute on two
# cores, once it is built. (The limit is there for a model that has grown too large, and far from
# what a busy machine takes.)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

timeout 3600 cargo loom
