#!/bin/sh
# After a removal and after an upgrade. Only dpkg purges; rpm and apk leave state and user.
set -e
name=otelcol-dockerlogs
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload || echo "$name: systemd still knows the unit: run systemctl daemon-reload" >&2
fi
if [ "$1" = purge ]; then
	rm -rf "/var/lib/$name"
	if id -u "$name" >/dev/null 2>&1; then
		userdel "$name" || echo "$name: the user $name is still there" >&2 # as while the service runs
	fi
	rmdir --ignore-fail-on-non-empty "/etc/$name" 2>/dev/null || true
fi
