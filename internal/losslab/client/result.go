// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"math"
	"slices"
	"time"
)

// Result is what a client has measured of its reader. It is a part of the laboratory's JSON,
// where names end in the unit.
type Result struct {
	Delivered uint64 `json:"delivered"` // distinct lines, intact
	Lost      uint64 `json:"lost"`
	LostRuns  uint64 `json:"lost_runs"` // runs of consecutive lost lines
	Repeated  uint64 `json:"repeated"`
	Damaged   uint64 `json:"damaged"`
	// Gaps is how many the receiver has counted. Naive clients count none.
	Gaps int64 `json:"gaps"`
	// Suppressed is how many records the receiver has recognised that the engine sent twice.
	Suppressed int64 `json:"suppressed"`

	Latency  []Quantile    `json:"latency,omitempty"`
	Elapsed  time.Duration `json:"elapsed_ns"`   // from Ready to Drained
	LastLine time.Duration `json:"last_line_ns"` // from Ready until the last line that came
	// CPU is user and system time from Ready to Drained, the checking of the lines included.
	CPU      time.Duration `json:"cpu_ns"`
	Requests int64         `json:"requests"` // to the engine, of any kind
	// RequestsPerMinute is their rate near the end of the writing, when all reads had begun.
	RequestsPerMinute float64 `json:"requests_per_minute"`

	Goroutines Goroutines `json:"goroutines"`
	Resident   Resident   `json:"resident"`
	Series     Series     `json:"series"`
	// Error is what went wrong when the reader was stopped.
	Error string `json:"error,omitempty"`
}

// Quantile is the age that a share of the lines did not exceed, from the engine's time stamp
// to the consumer.
type Quantile struct {
	Share float64       `json:"share"`
	Age   time.Duration `json:"age_ns"`
}

// Goroutines are those beyond what the process had before the reader started.
type Goroutines struct {
	Peak   int     `json:"peak"`              // while lines were written
	Growth float64 `json:"growth_per_minute"` // near the end of the writing
	Left   int     `json:"left"`              // after the reader was stopped
	Leaked int     `json:"leaked"`            // of these, proven by the runtime never to wake; -1: unknown
}

// Resident is the memory of the process in RAM, in bytes.
type Resident struct {
	Before int64 `json:"before"` // the reader started
	Peak   int64 `json:"peak"`   // while lines were written
}

// Series has the number of goroutines twice a second, while lines were written.
type Series struct {
	Seconds    []float64 `json:"seconds"`
	Goroutines []int     `json:"goroutines"`
}

// history is a figure over time.
type history struct {
	minutes, values []float64
}

func (h *history) add(at time.Duration, value float64) {
	h.minutes = append(h.minutes, at.Minutes())
	h.values = append(h.values, value)
}

// growth compares the last quarter with the one before it, when all readers had begun to
// read, and returns the difference per minute. level reduces a quarter to a value.
func (h *history) growth(level func([]float64) float64) float64 {
	n := len(h.values) / 4
	if n == 0 {
		return 0
	}
	end := len(h.values)
	before, last := h.values[end-2*n:end-n], h.values[end-n:]
	return round((level(last) - level(before)) / (h.minutes[end-1] - h.minutes[end-1-n]))
}

// floor is the least value: the goroutines of a poll come and go, those that leak stay.
func floor(values []float64) float64 { return slices.Min(values) }

func median(values []float64) float64 {
	return slices.Sorted(slices.Values(values))[len(values)/2]
}

// round keeps one decimal.
func round(x float64) float64 { return math.Round(x*10) / 10 }
