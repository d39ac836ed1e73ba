// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"io"
	"runtime/pprof"
)

// provenLeaks asks the garbage collector for goroutines that can never wake: -1 where the binary is not built with
// GOEXPERIMENT=goroutineleakprofile. It cannot prove it of one that waits for the network, as the peer might yet send.
func provenLeaks() int {
	profile := pprof.Lookup("goroutineleak")
	if profile == nil {
		return -1
	}
	if err := profile.WriteTo(io.Discard, 0); err != nil { // it is taken when it is written
		return -1
	}
	return profile.Count()
}
