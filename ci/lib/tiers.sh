# shellcheck shell=bash disable=SC2034  # used by those that source it
# Which script runs when. Two tiers, and each script of ci/ belongs to one: a list that forgets a
# script is an error. To be sourced; an entry is a command.

# `.ci/run`: before each landing, within 30 minutes on two cores. What fails soon comes first.
# Nothing here depends on time or chance: a check that has to wait, waits as long as it takes; what
# is measured is instructions, bytes and counts.
landing=(
    ci/fmt.sh
    ci/house.sh
    ci/english.sh
    ci/layers.sh
    ci/deps.sh
    ci/msrv.sh
    ci/test.sh
    ci/clippy.sh
    ci/docs.sh
    ci/rc11.sh
    ci/loom.sh
    'ci/mutants.sh --third'
    ci/off-path.sh
    ci/overhead.sh
    ci/package.sh
    ci/consumers.sh
    ci/downstream-loom.sh
)

# `ci/full.sh`: before a piece of work is called done; about an hour on two cores.
full=(
    ci/examples.sh
    ci/record.sh
    ci/profile.sh
    ci/admin.sh
    ci/membarrier.sh
    ci/spin.sh
    ci/tsan.sh
    ci/asan.sh
    ci/overhead-server.sh
    ci/minimal-versions.sh
    ci/semver.sh
    ci/build-cost.sh
)

# And what `ci/full.sh` runs of the landing's scripts with more effort; what has no `/` is a
# function of its own.
more=(
    ci/mutants.sh
    'ci/overhead.sh --plant'
    'ci/overhead-server.sh --plant'
    stress
    repeat
    fallback
    threads
    records
    requests
    survivors
)

check_tiers() { # false, and says why, unless each script is in exactly one tier
    local script entry count wrong=0
    for script in ci/*.sh; do
        count=0
        for entry in "${landing[@]}" "${full[@]}"; do
            [ "${entry%% *}" != "$script" ] || count=$((count + 1))
        done
        # (It is a tier itself.)
        [ "$script" != ci/full.sh ] || count=$((count + 1))
        if [ "$count" != 1 ]; then
            echo "$script is in $count tiers of ci/lib/tiers.sh, and has to be in one" >&2
            wrong=1
        fi
    done
    for entry in "${landing[@]}" "${full[@]}" "${more[@]}"; do
        if [[ "$entry" = */* ]] && [ ! -x "${entry%% *}" ]; then
            echo "ci/lib/tiers.sh: ${entry%% *} is not there, or cannot be executed" >&2
            wrong=1
        fi
    done
    return "$wrong"
}
