#!/usr/bin/env bash
# Plants bugs, and fails unless the models catch each: a model that catches nothing proves nothing.
#
# Each tests/loom/mutants/*.patch, and each of a crate's, is one bug, planted in a copy of the
# workspace (or of crossbeam-epoch's source); its head says which interleaving it opens, and which
# models should catch it. Fails if a bug survives (a model that runs out of time has caught
# nothing), if a patch applies or compiles no more, or if the copy without a bug does not pass.
# Prints the table `bug -> model that caught it`. As many at a time as there are cores: four and a
# half minutes on two.
#
#   ci/mutants.sh                all of them
#   ci/mutants.sh --third        a third of them, which depends on the commit
#   ci/mutants.sh NAME...        these only
#   MODELS_PASS=1 ci/mutants.sh  all of them, when `ci/loom.sh` has passed already
#   ALL=1 ci/mutants.sh NAME...  runs every model on each, and lists all that catch it
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=ci/lib/copy.sh
source ci/lib/copy.sh
# shellcheck source=ci/lib/tidy.sh
source ci/lib/tidy.sh

root=$PWD/target/mutants
# A model catches its bug within seconds; the limit is for bugs that make one wait forever, on a
# machine that does much else.
limit=${LIMIT:-600}
jobs=${JOBS:-$(nproc 2>/dev/null || echo 2)}

# All patches, by name; and whose models a patch is for.
declare -A patch_of=()
crates=()
for patch in tests/loom/mutants/*.patch crates/*/tests/loom/mutants/*.patch; do
    [ -f "$patch" ] || continue
    name=${patch##*/}
    name=${name%.patch}
    [ -z "${patch_of[$name]:-}" ] || { echo "ci/mutants.sh: $patch and ${patch_of[$name]} have one name" >&2; exit 1; }
    patch_of[$name]=$patch
done
for models in crates/*/tests/loom; do
    [ ! -d "$models" ] || crates+=("${models%/tests/loom}")
done

# (1 GB for each core.)
scratch "$root"
# The copy: the crates that have models, and the clock that the recorder needs.
rm -rf "$root/clean" "$root"/[0-9]*/tree
copy_workspace "$root/clean" crates/hotprobe-clock crates/hotprobe-filter "${crates[@]}"
manifest=$(cargo metadata --format-version 1 | tr ',' '\n' |
    sed -n 's|.*"manifest_path":"\([^"]*/crossbeam-epoch-[^/"]*/Cargo.toml\)".*|\1|p' | head -n 1)
[ -n "$manifest" ] || { echo "ci/mutants.sh: crossbeam-epoch's source is not to be found" >&2; exit 1; }
cp -r "$(dirname "$manifest")" "$root/clean/crossbeam-epoch"
chmod -R u+w "$root/clean/crossbeam-epoch"
printf '\n[patch.crates-io]\ncrossbeam-epoch = { path = "crossbeam-epoch" }\n' >>"$root/clean/Cargo.toml"

package_of() { # FOLDER OF MODELS OR PATCH: the package
    case "$1" in
    crates/*)
        local name=${1#crates/}
        echo "${name%%/*}"
        ;;
    *) echo hotprobe ;;
    esac
}

# fresh JOB: the job's copy, without a bug. Fresh files, with fresh times, so that cargo sees the
# last bug gone.
fresh() {
    mkdir -p "$root/$1"
    rm -rf "$root/$1/tree"
    cp -r "$root/clean" "$root/$1/tree"
}

# build JOB PACKAGE: prints the path of the package's models, or nothing if it does not compile.
# Incremental, which a release build is not by itself: one bug after the other differs by a line,
# and the compiler is where the time goes.
build() {
    (
        cd "$root/$1/tree"
        RUSTFLAGS='--cfg crossbeam_loom -A warnings' CARGO_TARGET_DIR="$root/$1/build" \
            CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS=true CARGO_INCREMENTAL=1 \
            limit 3600 "cargo test, $2" cargo test --release --package "$2" --test loom --no-run --message-format json 2>"$root/$1/build.log" |
            sed -n 's|.*"executable":"\([^"]*\)".*|\1|p' | tail -n 1
    )
}

# catches JOB MODELS MODEL: whether the model fails, not by running out of time or memory. A bug may
# corrupt memory before loom notices it: then the model ends by a signal, and says nothing. The last
# output is in the job's log.
catches() {
    local status=0
    { RUST_BACKTRACE=0 timeout "$limit" "$2" --exact "$3" >"$root/$1/log" 2>&1; } 2>/dev/null || status=$?
    grep -q '^running 1 test' "$root/$1/log" || { echo "ci/mutants.sh: no model '$3'" >&2; exit 1; }
    case "$status" in
    0 | 124) return 1 ;;
    134 | 135 | 139) return 0 ;; # SIGABRT (of loom, too, and of the allocator), SIGBUS, SIGSEGV
    *) grep -q 'panicked at' "$root/$1/log" ;;
    esac
}

# reason JOB: what the model said, in one line.
reason() {
    if grep -q 'panicked at' "$root/$1/log"; then
        grep -A1 -m1 'panicked at' "$root/$1/log" | tail -n 1
    else
        tail -n 1 "$root/$1/log"
    fi | cut -c 1-70
}

# plant JOB NAME: plants the bug, and says which model caught it. False if none did.
plant() {
    local patch=${patch_of[$2]} began=$SECONDS models should model caught=0
    fresh "$1"
    if ! (cd "$root/$1/tree" && GIT_CEILING_DIRECTORIES=$root git apply -C1 "$OLDPWD/$patch"); then
        printf '%-44s DOES NOT APPLY\n' "$2"
        return 1
    fi
    models=$(build "$1" "$(package_of "$patch")") || true
    if [ -z "$models" ]; then
        grep -m 5 -A 6 '^error' "$root/$1/build.log" >&2 || true
        printf '%-44s DOES NOT COMPILE\n' "$2"
        return 1
    fi
    if [ -n "${ALL:-}" ]; then
        mapfile -t should < <("$models" --list 2>/dev/null | sed -n 's/: test$//p')
    else
        mapfile -t should < <(sed -n 's/^Model: *//p' "$patch")
    fi
    for model in "${should[@]}"; do
        if catches "$1" "$models" "$model"; then
            printf '%-44s -> %s (%s)\n' "$2" "$model" "$(reason "$1")"
            caught=1
            [ -n "${ALL:-}" ] || break
        fi
    done
    if [ "$caught" = 0 ]; then
        printf '%-44s SURVIVES %s (%s s)\n' "$2" "${should[*]}" "$((SECONDS - began))"
        return 1
    fi
}

names=()
while read -r name; do
    names+=("$name")
done < <(printf '%s\n' "${!patch_of[@]}" | LC_ALL=C sort)
wanted=("$@")
if [ "${1:-}" = --third ]; then
    [ "$#" -eq 1 ] || { echo "ci/mutants.sh: --third stands alone" >&2; exit 2; }
    commit=$(git rev-parse HEAD 2>/dev/null || echo 0)
    third=$((16#${commit:0:8} % 3))
    wanted=()
    for ((i = third; i < ${#names[@]}; i += 3)); do
        wanted+=("${names[i]}")
    done
    echo "third $((third + 1)) of 3, by the commit ${commit:0:8}: ${#wanted[@]} of ${#names[@]} bugs"
elif [ "$#" -eq 0 ]; then
    wanted=("${names[@]}")
fi
for name in "${wanted[@]}"; do
    [ -n "${patch_of[$name]:-}" ] || { echo "ci/mutants.sh: no bug '$name'" >&2; exit 2; }
done

# Unless some are named: they are only planted where the models pass without them.
if { [ "$#" -eq 0 ] || [ "$1" = --third ]; } && [ -z "${MODELS_PASS:-}" ]; then
    fresh 0
    for package in . "${crates[@]}"; do
        models=$(build 0 "$(package_of "$package")") || true
        [ -n "$models" ] || { cat "$root/0/build.log" >&2; echo "ci/mutants.sh: the models do not compile" >&2; exit 1; }
        if ! timeout 3600 "$models" >"$root/0/log" 2>&1; then
            tail -n 30 "$root/0/log" >&2
            echo "ci/mutants.sh: the models fail without any bug" >&2
            exit 1
        fi
    done
    echo "without a bug: all models pass, $SECONDS s"
fi

# Each job takes every `jobs`th bug, and lists those that nothing caught.
workers=()
for ((job = 0; job < jobs; job++)); do
    (
        mkdir -p "$root/$job"
        : >"$root/$job/failed"
        for ((i = job; i < ${#wanted[@]}; i += jobs)); do
            plant "$job" "${wanted[i]}" || echo "${wanted[i]}" >>"$root/$job/failed"
        done
    ) &
    workers+=("$!")
done
broken=
for worker in "${workers[@]}"; do
    wait "$worker" || broken=1
done

failed=$(for ((job = 0; job < jobs; job++)); do cat "$root/$job/failed"; done | xargs)
echo "${#wanted[@]} bugs, $SECONDS s"
if [ -n "$failed" ]; then
    echo "ci/mutants.sh: not caught: $failed" >&2
    exit 1
fi
[ -z "$broken" ] || { echo "ci/mutants.sh: broke off" >&2; exit 1; }
