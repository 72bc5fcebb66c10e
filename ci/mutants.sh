#!/usr/bin/env bash
# Plants bugs, and fails unless the models catch each: a model that catches nothing proves nothing.
#
# Each tests/loom/mutants/*.patch is one bug, planted in a copy of src/ (or of crossbeam-epoch's source); its
# head says which interleaving it opens, and which models should catch it. Fails if a bug survives (a model
# that runs out of time has caught nothing), if a patch applies or compiles no more, or if the copy without
# a bug does not pass. Prints the table `bug -> model that caught it`. About eight minutes on two cores.
#
#   ci/mutants.sh                all of them
#   ci/mutants.sh NAME...        these only
#   ALL=1 ci/mutants.sh NAME...  runs every model on each, and lists all that catch it (for docs::orderings)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

root=$PWD/target/mutants
tree=$root/tree
limit=${LIMIT:-60}

# The copy: the library and its models, nothing else, so that little has to be built.
rm -rf "$tree"
mkdir -p "$tree/tests" "$root/clean"
cp -r src "$tree/src"
cp -r tests/loom "$tree/tests/loom"
cp README.md "$tree/"
sed '/^\[dev-dependencies\]/,/^\[lints/{/^\[lints/!d}' Cargo.toml >"$tree/Cargo.toml"
[ ! -f Cargo.lock ] || cp Cargo.lock "$tree/"
manifest=$(cargo metadata --format-version 1 | tr ',' '\n' |
    sed -n 's|.*"manifest_path":"\([^"]*/crossbeam-epoch-[^/"]*/Cargo.toml\)".*|\1|p' | head -n 1)
[ -n "$manifest" ] || { echo "ci/mutants.sh: crossbeam-epoch's source is not to be found" >&2; exit 1; }
cp -r "$(dirname "$manifest")" "$tree/crossbeam-epoch"
chmod -R u+w "$tree/crossbeam-epoch"
printf '\n[patch.crates-io]\ncrossbeam-epoch = { path = "crossbeam-epoch" }\n' >>"$tree/Cargo.toml"
rm -rf "$root/clean"
cp -r "$tree" "$root/clean"

# Builds the copy; prints the path of its models, or nothing if it does not compile.
build() {
    (
        cd "$tree"
        RUSTFLAGS='--cfg crossbeam_loom -A warnings' CARGO_TARGET_DIR="$root/build" \
            CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS=true \
            cargo test --release --test loom --features record --no-run --message-format json 2>"$root/build.log" |
            sed -n 's|.*"executable":"\([^"]*\)".*|\1|p' | tail -n 1
    )
}

# catches MODELS MODEL: whether the model fails, not by running out of time. The last output is in $root/log.
catches() {
    local status=0
    { RUST_BACKTRACE=0 timeout "$limit" "$1" --exact "$2" >"$root/log" 2>&1; } 2>/dev/null || status=$?
    grep -q '^running 1 test' "$root/log" || { echo "ci/mutants.sh: no model '$2'" >&2; exit 1; }
    [ "$status" != 0 ] && [ "$status" != 124 ] && grep -q 'panicked at' "$root/log"
}

# reason: what the model said, in one line.
reason() {
    grep -A1 -m1 'panicked at' "$root/log" | tail -n 1 | cut -c 1-70
}

failed=()
wanted=("$@")

if [ "${#wanted[@]}" -eq 0 ]; then
    models=$(build) || true
    [ -n "$models" ] || { cat "$root/build.log" >&2; echo "ci/mutants.sh: the models do not compile" >&2; exit 1; }
    if ! timeout 600 "$models" >"$root/log" 2>&1; then
        tail -n 30 "$root/log" >&2
        echo "ci/mutants.sh: the models fail without any bug" >&2
        exit 1
    fi
    echo "without a bug: all models pass, $SECONDS s"
    for patch in tests/loom/mutants/*.patch; do
        name=${patch##*/}
        wanted+=("${name%.patch}")
    done
fi

for name in "${wanted[@]}"; do
    patch=tests/loom/mutants/$name.patch
    began=$SECONDS
    # Fresh files, with fresh times, so that cargo sees the last bug gone.
    rm -rf "$tree"
    cp -r "$root/clean" "$tree"
    if ! (cd "$tree" && GIT_CEILING_DIRECTORIES=$root git apply -C1 "$OLDPWD/$patch"); then
        printf '%-44s DOES NOT APPLY\n' "$name"
        failed+=("$name")
        continue
    fi
    models=$(build) || true
    if [ -z "$models" ]; then
        grep -m 5 -A 6 '^error' "$root/build.log" >&2 || true
        printf '%-44s DOES NOT COMPILE\n' "$name"
        failed+=("$name")
        continue
    fi
    if [ -n "${ALL:-}" ]; then
        mapfile -t should < <("$models" --list 2>/dev/null | sed -n 's/: test$//p')
    else
        mapfile -t should < <(sed -n 's/^Model: *//p' "$patch")
    fi
    caught=0
    for model in "${should[@]}"; do
        if catches "$models" "$model"; then
            printf '%-44s -> %s (%s)\n' "$name" "$model" "$(reason)"
            caught=1
            [ -n "${ALL:-}" ] || break
        fi
    done
    if [ "$caught" = 0 ]; then
        printf '%-44s SURVIVES %s (%s s)\n' "$name" "${should[*]}" "$((SECONDS - began))"
        failed+=("$name")
    fi
done

echo "${#wanted[@]} bugs, $SECONDS s"
if [ "${#failed[@]}" -gt 0 ]; then
    echo "ci/mutants.sh: not caught: ${failed[*]}" >&2
    exit 1
fi
