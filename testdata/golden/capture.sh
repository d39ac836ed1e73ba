#!/usr/bin/env bash
# Captures the log streams of this folder from the Docker Engine that the docker command
# reaches. Each file is the answer to
#   GET /containers/ID/logs?stdout=1&stderr=1&timestamps=1&tail=all
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"; docker image rm -f dockerlogs-seed >/dev/null' EXIT
(cd ../.. && CGO_ENABLED=0 go build -ldflags='-s -w' -o "$work/loggen" ./cmd/loggen)
tar -C "$work" -c loggen | docker import --change 'ENTRYPOINT ["/loggen"]' - dockerlogs-seed >/dev/null

# capture FILE DOCKER-FLAGS -- LOGGEN-FLAGS
capture() {
	local file=$1; shift
	local flags=()
	while [ "$1" != -- ]; do flags+=("$1"); shift; done; shift
	id=$(docker create --network none "${flags[@]}" dockerlogs-seed --source seed "$@")
	docker start "$id" >/dev/null
	docker wait "$id" >/dev/null
	curl -sS --unix-socket /var/run/docker.sock "http://docker/containers/$id/logs?stdout=1&stderr=1&timestamps=1&tail=all" >"$file"
	docker rm "$id" >/dev/null
}
capture frames.bin -- --lines 40 --stderr-share 0.5 --blank-every 7 --size 60-200
capture frames-binary-crlf.bin -- --lines 20 --payload binary --crlf --size 80
capture frames-chunks.bin -- --lines 3 --size 40000 --stderr-share 0.5
capture frames-unended.bin -- --lines 3 --no-final-newline --size 80
capture frames-local-chunks.bin --log-driver local -- --lines 3 --size 20000
capture frames-local-binary.bin --log-driver local -- --lines 10 --payload binary --stderr-share 0.5 --size 80
capture tty.bin --tty -- --lines 20 --size 60-120 --blank-every 5
capture tty-chunks.bin --tty -- --lines 2 --size 40000
