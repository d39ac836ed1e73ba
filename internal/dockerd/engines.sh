#!/bin/sh
# Brings engines of several versions, each with a root file system of its own, for tests:
# engines.sh [NAME...]; NAME is docker-20.10, docker-26.1, docker-28.5, podman-4 or podman-5.
# They come from Debian's releases. What is there already is left alone.
set -eu

dir=${DOCKERLOGS_ENGINES:-${XDG_CACHE_HOME:-$HOME/.cache}/otelcol-dockerlogs/engines}
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
[ $# -gt 0 ] || set -- docker-20.10 docker-26.1 docker-28.5 podman-4 podman-5

if [ "$(uname -s)" != Linux ] || [ "$(id -u)" != 0 ] || ! command -v debootstrap >/dev/null; then
	echo "engines: nothing done. This needs Linux, root and debootstrap (on Debian and Ubuntu: apt-get install debootstrap), and a Debian mirror: DEBIAN_MIRROR, by default http://deb.debian.org/debian. Tests use the dockerd in PATH, or the one that DOCKERLOGS_DOCKERD names." >&2
	exit 0
fi

# What each is, and where Debian has it. systemd is for journald.
release() {
	case $1 in
	docker-20.10) echo bookworm docker.io,iptables,systemd ;;
	docker-26.1) echo trixie docker.io,iptables,systemd ;;
	docker-28.5) echo sid docker.io,iptables,systemd ;;
	podman-4) echo bookworm podman,runc ;;
	podman-5) echo sid podman,runc ;;
	*) echo "engines: $1 is not docker-20.10, docker-26.1, docker-28.5, podman-4 or podman-5" >&2 && return 1 ;;
	esac
}

# Says what a root file system holds, as in "Docker version 28.5.2, build ...".
version() {
	case $1 in
	docker-*) chroot "$2" dockerd --version ;;
	podman-*) chroot "$2" podman --version ;;
	esac
}

mkdir -p "$dir"
for name; do
	[ -d "$dir/$name" ] && continue
	where=$(release "$name")
	new=$dir/.new-$name
	rm -rf "$new"
	echo "engines: $name, from Debian ${where% *}"
	debootstrap --variant=minbase --include="${where#* }" "${where% *}" "$new" "$mirror" >"$dir/$name.log" 2>&1 || {
		tail -n 20 "$dir/$name.log" >&2
		exit 1
	}
	rm -rf "$new"/var/cache/apt/archives/*.deb "$new"/var/lib/apt/lists/*
	[ -s "$new/etc/machine-id" ] || od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >"$new/etc/machine-id" # journald wants one
	have=$(version "$name" "$new")
	case $have in
	*"version ${name#*-}."*) ;;
	*)
		echo "engines: Debian ${where% *} has another version, $have, not ${name#*-}" >&2
		exit 1
		;;
	esac
	mv "$new" "$dir/$name"
	echo "engines: $have in $dir/$name"
done
