# Shared by the setup scripts.
missing() {
    echo "touchstone: $1" >&2
    exit 1
}

# Installs Debian packages where that is allowed; fails quietly where it is not.
apt_install() {
    command -v apt-get >/dev/null || return 1
    if [ "$(id -u)" = 0 ]; then sudo=""; else sudo="sudo -n"; fi
    $sudo true 2>/dev/null || return 1
    log=$(mktemp)
    if { $sudo env DEBIAN_FRONTEND=noninteractive apt-get update -qq &&
        $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y \
            --no-install-recommends "$@"; } >"$log" 2>&1; then
        rm -f "$log"
    else
        tail -n 3 "$log" >&2
        rm -f "$log"
        return 1
    fi
}
