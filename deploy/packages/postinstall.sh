#!/bin/sh
# After an installation and after an upgrade, of a .deb, an .rpm or an .apk. There may be no service manager, as in a chroot.
set -e
name=otelcol-dockerlogs
config=/etc/otelcol-dockerlogs/config.yaml

if ! id -u "$name" >/dev/null 2>&1; then
	if command -v systemd-sysusers >/dev/null; then
		systemd-sysusers "/usr/lib/sysusers.d/$name.conf"
	elif command -v useradd >/dev/null; then
		useradd --system --user-group --no-create-home --home-dir "/var/lib/$name" --shell "$(command -v nologin || echo /bin/false)" "$name"
	else # Alpine
		addgroup -S "$name"
		adduser -S -D -H -h "/var/lib/$name" -s /sbin/nologin -G "$name" "$name"
	fi
fi

# As it is in the package; one that somebody has given to others is left alone.
if [ "$(stat -c %U:%G:%a "$config" 2>/dev/null)" = root:root:640 ]; then
	chgrp "$name" "$config"
fi

if [ -d /run/systemd/system ]; then
	# That systemd refuses, as it does for a unit that is masked, is no fault of the package, which stays installed.
	systemctl daemon-reload || echo "$name: systemd does not know the new unit yet: run systemctl daemon-reload" >&2
	# What runs; nothing else is started.
	systemctl try-restart "$name" || echo "$name: the service was not restarted: see systemctl status $name" >&2
fi

# What dpkg and rpm say of a first installation. Alpine has no systemctl.
case "$1:$2" in
configure: | 1:)
	cat <<-END
		$name is installed, and not started. Tell it where to send logs, and start it:
		  editor $config
		  systemctl enable --now $name
		It will be in the group docker, and whoever is in that group is root on the engine's host.
	END
	;;
esac
