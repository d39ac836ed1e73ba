// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package enginetest

import "time"

// chunkSize is where the engine cuts a long line: the buffer of its copier.
const chunkSize = 16384

// flavor is in what engines differ.
type flavor struct {
	version       string // of the engine
	platform      string
	component     string // what the engine calls itself among the components of its version
	product       string // and before its version in the header of every answer
	apiVersion    string // the newest that is served
	minAPIVersion string
	timeLayout    string // of the prefix of a record with timestamps=1
	chunk         int    // bytes after which a line is cut
	sinceOnce     bool   // since filters only up to the first record that passes
	lateHeaders   bool   // the header of a log stream comes with its first record
	modern        bool   // error texts and statuses of the engines after 20.10
	readAhead     int    // records that an error overtakes which the engine meets behind them
}

// Option changes what kind of engine New makes.
type Option func(*options)

type options struct {
	dataRoot string
	hostName string // what the engine calls its host
	files    bool
	flavor
	bufferSize int
}

// HostName sets what the engine calls its host; enginetest, if it is empty.
func HostName(name string) Option {
	return func(o *options) { o.hostName = name }
}

// Docker20 is Engine 20.10.24, the default.
func Docker20() Option {
	return func(o *options) {
		o.flavor = flavor{
			version:       "20.10.24+dfsg1",
			component:     "Engine",
			product:       "Docker",
			apiVersion:    "1.41",
			minAPIVersion: "1.12",
			timeLayout:    "2006-01-02T15:04:05.000000000Z07:00",
			chunk:         chunkSize,
		}
	}
}

// Docker26 is Engine 26.1.5: as Docker29, and an error overtakes the records that are ready to be sent when the engine meets one
// that it cannot read, see Poison.
func Docker26() Option {
	return func(o *options) {
		Docker20()(o)
		o.version, o.apiVersion, o.minAPIVersion = "26.1.5+dfsg1", "1.45", "1.24"
		o.sinceOnce, o.modern = true, true
		o.readAhead = 4096
	}
}

// Docker29 is Engine 29.7.2: another range of API versions, since as a filter up to the first record that passes, content
// types for log streams, no deprecated fields in events.
func Docker29() Option {
	return func(o *options) {
		Docker20()(o)
		o.version, o.platform = "29.7.2", "Docker Engine - Community"
		o.apiVersion, o.minAPIVersion = "1.56", "1.40"
		o.sinceOnce, o.modern = true, true
	}
}

// Podman4 is the compatible API of Podman 4.3.1: timestamps in whole seconds, lines cut after 8,192 bytes, the header of a
// log stream with its first record.
func Podman4() Option {
	return func(o *options) {
		Docker20()(o)
		o.version, o.minAPIVersion = "4.3.1", "1.24"
		o.component = "Podman Engine"
		o.platform, o.product = "linux/amd64/debian-12", "Libpod"
		o.timeLayout = time.RFC3339
		o.chunk = 8192
		o.lateHeaders = true
	}
}

// Podman5 is the compatible API of Podman 5.8.6: as Podman4, with timestamps to the nanosecond. Podman takes them when it
// reads what containers write: use WriteAt for the lines, and WriteChunk for the chunks, of one such read.
func Podman5() Option {
	return func(o *options) {
		Podman4()(o)
		o.version = "5.8.6"
		o.timeLayout = time.RFC3339Nano
	}
}

// APIVersions sets the range of API versions that are served.
func APIVersions(oldest, newest string) Option {
	return func(o *options) { o.minAPIVersion, o.apiVersion = oldest, newest }
}

// SinceOnce says whether since filters every record of a stream (false, as 20.10) or is switched off after the first record
// that passes (true, as 29). It only matters where timestamps run backwards.
func SinceOnce(once bool) Option {
	return func(o *options) { o.sinceOnce = once }
}

// BufferSize is how many bytes an in-memory connection holds in each direction before a writer has to wait; the default is
// what a unix socket holds, 208 KiB. A small one makes back-pressure come soon.
func BufferSize(n int) Option {
	return func(o *options) { o.bufferSize = n }
}
