// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package selector

import (
	"fmt"
	"math"
)

// RateLimit bounds the records of one container.
type RateLimit struct {
	// RecordsPerSecond is how many records a second a container may bring in the long run;
	// 0 is no limit.
	RecordsPerSecond float64 `mapstructure:"records_per_second"`
	// Burst is how many it may bring at once after a silence. 0 is what it may bring in a
	// second.
	Burst int `mapstructure:"burst"`
	// OnExcess is what becomes of the others; unset, they are delayed.
	OnExcess OnExcess `mapstructure:"on_excess"`

	_ struct{}
}

// OnExcess is what becomes of records that exceed a limit.
type OnExcess string

const (
	OnExcessDelay OnExcess = "delay" // they stay with the engine until they may come
	OnExcessDrop  OnExcess = "drop"
)

const (
	// A rate below the first of these would hold a container up for more than a quarter of
	// an hour for one record; one above the second limits nothing.
	minRecordsPerSecond = 0.001
	maxRecordsPerSecond = 1e9
)

func (l RateLimit) validRate() bool {
	return l.RecordsPerSecond == 0 || (l.RecordsPerSecond >= minRecordsPerSecond && l.RecordsPerSecond <= maxRecordsPerSecond)
}

// Check returns all that is wrong with the limit.
func (l RateLimit) Check() (errs []error) {
	if !l.validRate() {
		errs = append(errs, fmt.Errorf("records_per_second: must be 0, for no limit, or from %v to %.0f, is %v", minRecordsPerSecond, maxRecordsPerSecond, l.RecordsPerSecond))
	}
	if l.Burst < 0 {
		errs = append(errs, fmt.Errorf("burst: must not be negative, is %d; 0 is the records of a second", l.Burst))
	}
	switch l.OnExcess {
	case "", OnExcessDelay, OnExcessDrop:
	default:
		errs = append(errs, fmt.Errorf("on_excess: %q is neither delay nor drop", l.OnExcess))
	}
	return errs
}

// Set reports whether there is a limit.
func (l RateLimit) Set() bool { return l.RecordsPerSecond > 0 }

// Drops reports whether what exceeds it is dropped.
func (l RateLimit) Drops() bool { return l.OnExcess == OnExcessDrop }

// Bucket is how many records a container may bring at once.
func (l RateLimit) Bucket() int {
	if l.Burst > 0 {
		return l.Burst
	}
	return int(math.Ceil(l.RecordsPerSecond))
}
