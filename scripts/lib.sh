# SPDX-License-Identifier: MIT
# Shared by the scripts: where things are, and how what is missing gets installed.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${BUILD:-$top/build}

say() { printf '%s\n' "$*" >&2; }
die() { say "$(basename "$0"): $*"; exit 1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "packages are missing and neither root nor sudo is there: apt-get install ${missing[*]}"
    fi
}

# need_packages PACKAGE...: install those that are not.
need_packages() {
    missing=()
    local p
    for p in "$@"; do
        dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
    done
    [ ${#missing[@]} = 0 ] && return
    say "installing: ${missing[*]}"
    as_root apt-get update -qq >/dev/null 2>&1 || true # old lists may do
    # A fresh machine may be installing its updates.
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends \
        "${missing[@]}" >/dev/null 2>&1 || die "apt-get could not install: ${missing[*]}"
}

# release_source RELEASE: a release's sources.list line, on the mirror in use.
release_source() {
    local uri codename
    codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
    uri=$(apt-get indextargets --format '$(CODENAME) $(REPO_URI)' |
        awk -v c="$codename" '$1 == c { print $2; exit }')
    [ -n "$uri" ] || die "the apt sources name no mirror of $codename"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $1 main"
}

# backports: the same of the running release's backports.
backports() {
    release_source "$(. /etc/os-release && echo "$VERSION_CODENAME")-backports"
}

# private_lists ARCH [SOURCES]: apt options ($apt_options) for package lists of another
# architecture or source, kept in $work.
private_lists() {
    local state=$work/apt-$1
    [ -z "${2:-}" ] || state=$state-own
    mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
    touch "$state/status"
    apt_options=(-o "APT::Architecture=$1" -o "APT::Architectures=$1" -o "Dir::State=$state"
        -o "Dir::State::lists=$state/lists" -o "Dir::State::status=$state/status"
        -o "Dir::Cache=$state/cache" -o APT::Sandbox::User=root)
    if [ -n "${2:-}" ]; then
        printf '%s\n' "$2" >"$state/own.list"
        apt_options+=(-o "Dir::Etc::sourcelist=$state/own.list" -o Dir::Etc::sourceparts=-)
    fi
    apt-get "${apt_options[@]}" update -qq >/dev/null 2>&1 || true
}

# What Mimus is linked with, here and in the sysroots of other hosts.
libraries="libglib2.0-dev libcapstone-dev libffi-dev libcmocka-dev liblzma-dev zlib1g-dev libzstd-dev
    libslirp-dev libjson-c-dev libpng-dev libncurses-dev nettle-dev libxkbcommon-dev"

need_build_packages() {
    # shellcheck disable=SC2086
    need_packages gcc libc6-dev meson ninja-build pkg-config python3 binutils $libraries libdw-dev
}

# Build with whatever configuration $build has, or the default one.
build_mimus() {
    need_build_packages
    [ -f "$build/build.ninja" ] || meson setup "$build" "$top" "$@" >"$top/build-setup.log" 2>&1 ||
        { tail -n 20 "$top/build-setup.log" >&2; die "meson setup failed"; }
    rm -f "$top/build-setup.log"
    ninja -C "$build" --quiet || die "the build failed"
}
