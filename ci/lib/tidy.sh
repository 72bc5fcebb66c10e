# shellcheck shell=bash
# What a script leaves behind, and how long it waits. To be sourced:
#
#     at_exit rm -f FILE                    runs when the script ends, however it ends
#     scratch FOLDER                        what this script builds: removed when it ends
#     at_exit stop PID                      ends a process, if it has not ended
#     limit 60 'the server' COMMAND...      fails, and names what hung, if it takes longer
#     await 60 'the server' COMMAND...      until the command succeeds; fails likewise
#
# KEEP=1 keeps what `scratch` would remove, for a look at it or to build less the next time.

at_end=()
tidy_up() {
    local i
    set +e
    # The last first.
    for ((i = ${#at_end[@]} - 1; i >= 0; i--)); do
        eval "${at_end[i]}"
    done
}
# (It does not change how the script ends.)
trap tidy_up EXIT

at_exit() { # COMMAND...
    at_end+=("$(printf '%q ' "$@")")
}

scratch() { # FOLDER: makes it; and a folder for temporary files, which whatever runs here uses
    mkdir -p "$1"
    [ -n "${KEEP:-}" ] || at_exit rm -rf "$1"
    # (Elsewhere: a socket in it has a name of at most 107 bytes.)
    TMPDIR=$(mktemp -d)
    export TMPDIR
    at_exit rm -rf "$TMPDIR"
}

stop() { # PID
    kill "$1" 2>/dev/null
}

# For the name of what hung, wherever the output of the command goes.
exec {errors}>&2

limit() { # SECONDS WHAT COMMAND...: with its exit status, or 124
    local status=0
    timeout --kill-after=20 "$1" "${@:3}" || status=$?
    [ "$status" != 124 ] || echo "$0: $2: did not end within $1 s" >&"$errors"
    [ "$status" != 137 ] || echo "$0: $2: was killed; it may have $1 s" >&"$errors"
    return "$status"
}

await() { # SECONDS WHAT COMMAND...: tries again, twenty times a second
    local until=$((SECONDS + $1))
    until "${@:3}"; do
        if [ "$SECONDS" -ge "$until" ]; then
            echo "$0: $2: not within $1 s" >&"$errors"
            return 1
        fi
        sleep 0.05
    done
}
