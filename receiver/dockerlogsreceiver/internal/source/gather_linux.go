// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package source

import "golang.org/x/sys/unix"

// gather pauses in the kernel: the runtime's own timers have a resolution of a
// millisecond when nothing else runs, which is long enough for a socket to fill.
// It holds a thread, of which there are no more than logs are read at a time.
func gather() {
	pause := unix.NsecToTimespec(int64(gatherPause))
	_ = unix.Nanosleep(&pause, nil) // interrupted, it was long enough
}
