#!/usr/bin/env bash
# Runs the models: this crate's code and crossbeam-epoch's, on loom. About a minute on two cores, once it is built;
# what runs longer than ten has grown too large.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

timeout 600 cargo loom
