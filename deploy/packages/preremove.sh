#!/bin/sh
# Before a removal, and before an upgrade, in which the service goes on until postinstall.sh restarts it.
set -e
name=otelcol-dockerlogs
case "$1" in
upgrade | 1 | failed-upgrade) exit 0 ;; # dpkg; rpm
esac
if [ -d /run/systemd/system ]; then
	# A unit that is masked may run, and may not be disabled.
	systemctl disable --now "$name" || systemctl stop "$name" || echo "$name: the service may still run: see systemctl status $name" >&2
elif command -v systemctl >/dev/null; then
	systemctl disable --quiet "$name" || echo "$name: the links to its unit may still be there" >&2 # it only removes links
elif command -v rc-service >/dev/null; then # Alpine
	rc-service --ifstarted "$name" stop || true
	rc-update --quiet delete "$name" || true
fi
