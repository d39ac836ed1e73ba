#!/usr/bin/env bash
# Reports known vulnerabilities in what the code of Go modules calls.
#
#   vulncheck.sh GOVULNCHECK DIRECTORY...
#
# The database is a Go module, the newest that the module proxy has, or VULNDB: so a machine
# that has only a proxy can check too. That it cannot be had, or that there are some, is said
# and is no failure, unless DOCKERLOGS_REQUIRE_VULNCHECK=1: what was without yesterday may have
# some today.
set -euo pipefail
govulncheck=$1
shift

# Flaws of the engine's daemon. It is in the same Go module as the client that is used here,
# and these entries do not say in which of its packages they are.
accepted='GO-2026-4883 GO-2026-4887'

database=${VULNDB:-golang.org/x/vulndb@latest}
if ! module=$(go mod download -json "$database" 2>/dev/null); then
	echo "vulncheck: left out, as $database cannot be had" >&2
	exit "${DOCKERLOGS_REQUIRE_VULNCHECK:-0}"
fi
field() { sed -n "s/^\t\"$1\": \"\(.*\)\",\$/\1/p" <<<"$module"; }

failed=0
for directory; do
	status=0
	report=$("$govulncheck" -C "$directory" -db="file://$(field Dir)/data/osv" ./... 2>&1) || status=$?
	if [ $status != 0 ] && [ $status != 3 ]; then # 3: it has found some
		echo "$report" >&2
		exit 1
	fi
	found=$(sed -n 's/^Vulnerability #[0-9]*: //p' <<<"$report" | sort -u)
	new=$(comm -23 <(echo "$found") <(tr ' ' '\n' <<<"$accepted" | sort))
	echo "vulncheck: $directory, by $(field Version): $(wc -w <<<"$new") known vulnerabilities${found:+, of $(wc -w <<<"$found") with those that are accepted}"
	if [ -n "$new" ]; then
		grep -E '^Vulnerability #|^ +(Found|Fixed) in: ' <<<"$report"
		failed=${DOCKERLOGS_REQUIRE_VULNCHECK:-0}
	fi
done
exit "$failed"
