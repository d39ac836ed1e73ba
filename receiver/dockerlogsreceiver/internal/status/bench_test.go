// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package status

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"syscall"
	"testing"
	"time"
)

const containers = 1000

// fill registers containers, as a list and an inspection describe them, and does something to each.
func fill(b *Board, to func(*Record)) {
	for i := range containers {
		name := fmt.Sprint("container-", i)
		r := b.Register(fmt.Sprintf("%064x", i))
		r.Listed(name, "ghcr.io/acme/web:1.2.3", true)
		r.Inspected(name, "ghcr.io/acme/web:1.2.3", "json-file")
		r.Strategy("adaptive", "default")
		r.Set(Following, true)
		r.Note(KindOpened, "the capture of its log begins")
		to(r)
	}
}

func silent(*Record) {}

// busy makes a container one that writes.
func busy(r *Record) {
	r.Handing(Batch{Records: 12345, Bytes: 1234567, Newest: time.Now().UnixNano()})
	r.Handed()
}

// eventful makes a container one to which as much has happened as is kept.
func eventful(r *Record) {
	busy(r)
	for i := range maxEvents {
		r.Gap("rotated", fmt.Sprint("lines of this container may be missing ", i%2), "raise max-size and max-file")
	}
}

// BenchmarkList is a request for all containers.
func BenchmarkList(b *testing.B) {
	for name, to := range map[string]func(*Record){"busy": busy, "eventful": eventful} {
		b.Run(name, func(b *testing.B) {
			board := New(func(*Now) {})
			fill(board, to)
			handler := board.Handler()
			request := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/api/v1/containers", http.NoBody)
			size, before := 0, processorTime()
			for b.Loop() {
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, request)
				size = w.Body.Len()
			}
			b.ReportMetric(float64(size), "B/answer")
			b.ReportMetric(float64((processorTime()-before).Nanoseconds())/float64(b.N), "cpu-ns/op")
		})
	}
}

// BenchmarkBatch is what a batch of records costs while nobody looks.
func BenchmarkBatch(b *testing.B) {
	r := New(func(*Now) {}).Register("id")
	for b.Loop() {
		busy(r)
	}
}

// BenchmarkMemory is what the record of a container takes.
func BenchmarkMemory(b *testing.B) {
	for name, to := range map[string]func(*Record){"silent": silent, "busy": busy, "eventful": eventful} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				before := heap()
				board := New(func(*Now) {})
				fill(board, to)
				b.ReportMetric(float64(heap()-before)/containers, "B/container")
				runtime.KeepAlive(board)
			}
		})
	}
}

// processorTime returns what this process has used, which others on the machine do not change.
func processorTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// heap returns the bytes in use.
func heap() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
