#!/bin/sh
# After a removal and after an upgrade. Only dpkg purges; rpm and apk leave state and user.
set -e
name=otelcol-dockerlogs
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi
if [ "$1" = purge ]; then
	rm -rf "/var/lib/$name"
	if id -u "$name" >/dev/null 2>&1; then
		userdel "$name"
	fi
	rmdir --ignore-fail-on-non-empty "/etc/$name" 2>/dev/null || true
fi
