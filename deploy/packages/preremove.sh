#!/bin/sh
# Before a removal, and before an upgrade, in which the service goes on until postinstall.sh restarts it.
set -e
name=otelcol-dockerlogs
case "$1" in
upgrade | 1 | failed-upgrade) exit 0 ;; # dpkg; rpm
esac
if [ -d /run/systemd/system ]; then
	systemctl disable --now "$name"
elif command -v systemctl >/dev/null; then
	systemctl disable --quiet "$name" # it only removes links
elif command -v rc-service >/dev/null; then # Alpine
	rc-service --ifstarted "$name" stop || true
	rc-update --quiet delete "$name" || true
fi
