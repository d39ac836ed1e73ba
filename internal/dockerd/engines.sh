#!/bin/sh
# Brings engines of several versions, each with a root file system of its own, for tests:
# engines.sh [NAME...]; NAME is docker-20.10, docker-26.1, docker-28.5, podman-4, podman-5, or debian-12, which is none: it is to
# install packages in.
# They come from Debian's releases. What is there already is left alone. It may be interrupted, and run twice at a time.
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
	podman-4) echo bookworm podman,runc,netavark ;; # debootstrap chooses no provider of container-network-stack
	podman-5) echo sid podman,runc ;;
	debian-12) echo bookworm rpm ;;
	*) echo "engines: $1 is not docker-20.10, docker-26.1, docker-28.5, podman-4, podman-5 or debian-12" >&2 && return 1 ;;
	esac
}

# Says what a root file system holds, as in "Docker version 28.5.2, build ...". Podman asks /proc for its own name.
version() {
	case $1 in
	debian-*) echo "Debian version $(cat "$2/etc/debian_version")" && return ;;
	docker-*) program=dockerd ;;
	podman-*) program=podman ;;
	esac
	unshare --mount sh -c 'mount -t proc proc "$1/proc" && exec chroot "$1" "$2" --version' sh "$2" "$program"
}

mkdir -p "$dir"
exec 9>"$dir/.lock" # debootstrap inherits it, and so holds it for as long as it lives, whatever becomes of us
flock --nonblock 9 || {
	echo "engines: waiting for another run of this"
	flock 9
}
for name; do
	[ -d "$dir/$name" ] && continue
	where=$(release "$name")
	new=$dir/.new-$name
	rm -rf --one-file-system "$new"
	echo "engines: $name, from Debian ${where% *}"
	# Its mounts, of /proc and /sys, and its processes go with it, even if it is killed.
	unshare --mount --pid --fork --kill-child --mount-proc \
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
	rm "$dir/$name.log"
	echo "engines: $have in $dir/$name"
done
