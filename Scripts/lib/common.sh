# Sourced by the scripts: where the repository is, and getting what a script needs.
# shellcheck shell=bash
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

. "$root/Scripts/lib/build.sh"

# What building needs beside Swift itself.
build_packages=(gcc libc6-dev libhiredis-dev libnghttp2-dev liburing-dev libssl-dev pkg-config zlib1g-dev)

fail() {
    echo "$*" >&2
    exit 1
}

# Installs those of the named Debian packages that are missing, or names the one command that does.
need_packages() {
    local missing=() package
    command -v dpkg-query >/dev/null || fail "not a Debian system: please install the equivalents of: $*"
    for package in "$@"; do
        [[ $(dpkg-query -Wf '${db:Status-Abbrev}' "$package" 2>/dev/null) == ii* ]] || missing+=("$package")
    done
    ((${#missing[@]})) || return 0

    local as_root=()
    if ((EUID != 0)); then
        sudo -n true 2>/dev/null || fail "please run: sudo apt-get update && sudo apt-get install -y ${missing[*]}"
        as_root=(sudo -n)
    fi
    echo "installing ${missing[*]}" >&2
    local log
    log=$(mktemp)
    as_root+=(env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300)
    if ! { "${as_root[@]}" update && "${as_root[@]}" install -y --no-install-recommends "${missing[@]}"; } \
        </dev/null >"$log" 2>&1; then
        tail -5 "$log" >&2
        rm -f "$log"
        fail "could not install ${missing[*]}"
    fi
    rm -f "$log"
}

need_swift() {
    command -v swift >/dev/null ||
        fail "swift is not on the PATH: install Swift 6.3 or later from https://www.swift.org/install/linux"
}

# Builds the server in release mode and sets `ringcast` to its path. $RINGCAST names one that is built already.
need_server() {
    if [[ -n ${RINGCAST:-} ]]; then
        ringcast=$RINGCAST
        return
    fi
    need_swift
    need_packages "${build_packages[@]}"
    (cd "$root" && build_release ringcast) || fail "the server did not build"
    # shellcheck disable=SC2034
    ringcast=$root/.build/release/ringcast
}
