# shellcheck shell=bash
# Copies of the workspace in which bugs are planted, so that the tree stays as it is. To be sourced.

copy_workspace() { # FOLDER [MEMBER]...: the core, its models and its stress, and these members; nothing that only tests need
    local folder=$1 member manifest members='"."'
    shift
    mkdir -p "$folder"
    # (`docs::performance` includes a picture.)
    cp -r --parents Cargo.toml Cargo.lock README.md assets src tests/loom tests/stress "$folder"
    for member in "$@"; do
        members+=", \"$member\""
        cp -r --parents "$member/Cargo.toml" "$member/src" "$folder"
        [ ! -d "$member/tests/loom" ] || cp -r --parents "$member/tests/loom" "$folder"
    done
    for manifest in Cargo.toml "${@/%//Cargo.toml}"; do
        # Without what tests need, so that little is built, and what the copy has not got is not
        # missed.
        awk -v members="$members" '
            /^\[/ { skip = /dev-dependencies/ }
            skip || /^default-members = / { next }
            /^members = / { $0 = "members = [" members "]" }
            { print }
        ' "$manifest" >"$folder/$manifest"
    done
}

replace() { # FILE OLD NEW: exactly one occurrence, or the script that asks is out of date
    local text old=$2 without
    text=$(cat "$1")
    without=${text/"$old"/}
    if [ "$without" = "$text" ] || [ "${without/"$old"/}" != "$without" ]; then
        echo "$0: expected exactly one '$old' in $1" >&2
        exit 1
    fi
    printf '%s\n' "${text/"$old"/"$3"}" >"$1"
}
