// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package goroutinehealthextension

import (
	"runtime"
	"runtime/metrics"

	"github.com/dockerlogs/otelcol-dockerlogs/extension/goroutinehealthextension/internal/census"
)

// source counts goroutines: the runtime's, except in tests.
type source interface {
	count() counts
	census() (*census.Census, error)
	leaked() (*census.Census, error) // runs the garbage collector
	canFindLeaks() bool
	creators(goroutines int) map[string]string // by function; stops the world
}

// counts are numbers of goroutines. The scheduler's states include the runtime's own
// goroutines; the total and a census do not.
type counts struct {
	Total    int `json:"total"`
	Running  int `json:"running"`
	Runnable int `json:"runnable"`
	Waiting  int `json:"waiting"`
	NotInGo  int `json:"not_in_go"` // in a system call or in C

	created int // since the process began
}

type runtimeSource struct{ samples []metrics.Sample }

func newRuntimeSource() *runtimeSource {
	s := &runtimeSource{}
	for _, name := range []string{
		"/sched/goroutines/running:goroutines",
		"/sched/goroutines/runnable:goroutines",
		"/sched/goroutines/waiting:goroutines",
		"/sched/goroutines/not-in-go:goroutines",
		"/sched/goroutines-created:goroutines",
	} {
		s.samples = append(s.samples, metrics.Sample{Name: name})
	}
	return s
}

func (s *runtimeSource) count() counts {
	metrics.Read(s.samples)
	var n [5]int
	for i, sample := range s.samples {
		if sample.Value.Kind() == metrics.KindUint64 {
			n[i] = int(sample.Value.Uint64())
		}
	}
	return counts{Total: runtime.NumGoroutine(), Running: n[0], Runnable: n[1], Waiting: n[2], NotInGo: n[3], created: n[4]}
}

func (*runtimeSource) census() (*census.Census, error)  { return census.Take() }
func (*runtimeSource) leaked() (*census.Census, error)  { return census.Leaked() }
func (*runtimeSource) canFindLeaks() bool               { return census.CanFindLeaks() }
func (*runtimeSource) creators(n int) map[string]string { return census.Creators(n) }
