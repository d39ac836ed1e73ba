// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"io"
	"runtime/pprof"
)

// provenLeaks counts the goroutines that the garbage collector proves can never wake; -1 in a
// binary built without GOEXPERIMENT=goroutineleakprofile. It cannot prove it of a goroutine
// that waits for the network, because the peer might yet send.
func provenLeaks() int {
	profile := pprof.Lookup("goroutineleak")
	if profile == nil {
		return -1
	}
	if err := profile.WriteTo(io.Discard, 0); err != nil { // the profile is taken when it is written
		return -1
	}
	return profile.Count()
}
