// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package census

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// launchers run a function that they are given, so their own name says nothing.
var launchers = []string{
	"runtime.goexit",
	"runtime/pprof.Do",
	"sync.(*WaitGroup).Go",
	"golang.org/x/sync/errgroup.(*Group).Go",
	"time.goFunc",
}

func isLauncher(function string) bool {
	for _, l := range launchers {
		if function == l || strings.HasPrefix(function, l+".func") || strings.HasPrefix(function, l+".gowrap") {
			return true
		}
	}
	return false
}

func (s *sample) origin() Origin {
	o := Origin{Component: s.component, Kind: s.kind}
	for _, name := range slices.Backward(s.functions) {
		if !isLauncher(name) {
			o.Function = name
			break
		}
	}
	if o.Function == "" && len(s.functions) > 0 {
		o.Function = s.functions[len(s.functions)-1] // a launcher before it calls its function
	}
	if o.Component == "" {
		o.Component, o.Kind = componentOf(s.functions)
	}
	return o
}

// componentPackage matches the import path of a component, as the Collector and contrib
// lay them out.
var componentPackage = regexp.MustCompile(`/(receiver|processor|exporter|extension|connector)/((?:[a-z0-9]+/)*?)([a-z0-9_]+(?:receiver|processor|exporter|extension|connector|helper|storage))[./]`)

// libraries start goroutines for no component in particular.
var libraries = []struct{ prefix, name string }{
	{"google.golang.org/grpc", "grpc"},
	{"golang.org/x/net/http2", "net/http"},
	{"net/http.", "net/http"},
	{"go.opentelemetry.io/otel/", "telemetry"},
	{"go.opentelemetry.io/collector/service", "collector"},
	{"go.opentelemetry.io/collector/otelcol", "collector"},
	{"go.opentelemetry.io/collector/", "collector"},
	{"main.main", "collector"},
}

// componentOf attributes goroutines without labels to the outermost component on their
// stack, else to a library, else to the runtime if the stack holds nothing else.
func componentOf(functions []string) (component, kind string) {
	library, onlyRuntime := "", true
	for _, name := range slices.Backward(functions) {
		if m := componentPackage.FindStringSubmatch(name); m != nil {
			return m[3], m[1]
		}
		onlyRuntime = onlyRuntime && isRuntime(name)
		for _, l := range libraries {
			if library == "" && strings.HasPrefix(name, l.prefix) {
				library = l.name
			}
		}
	}
	switch {
	case library != "":
		return library, ""
	case onlyRuntime:
		return "runtime", ""
	}
	return "other", ""
}

func isRuntime(name string) bool {
	for _, prefix := range []string{"runtime.", "runtime/", "internal/runtime/", "os/signal."} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// waitStates maps prefixes of the runtime's innermost functions to what a goroutine in
// them waits for; an empty state leaves the answer to the functions further out.
var waitStates = []struct {
	function string
	state    State
}{
	{"internal/poll.runtime_pollWait", IO},
	{"runtime.netpollblock", IO},
	{"runtime.selectgo", Select},
	{"runtime.block", Select},
	{"runtime.chanrecv", Channel},
	{"runtime.chansend", Channel},
	{"runtime.semacquire", Lock},
	{"sync.runtime_", Lock},
	{"internal/sync.runtime_", Lock},
	{"runtime.notifyListWait", Lock},
	{"time.Sleep", Sleep},
	{"os/signal.signal_recv", Select},
	{"syscall.", Syscall},
	{"internal/runtime/syscall", Syscall},
	{"runtime.goparkunlock", ""},
	{"runtime.gopark", ""},
}

// stateDepth is how many of the innermost functions decide on the state.
const stateDepth = 6

func (s *sample) state() State {
	parked := false
	for _, name := range s.functions[:min(len(s.functions), stateDepth)] {
		for _, w := range waitStates {
			if !strings.HasPrefix(name, w.function) {
				continue
			}
			if w.state != "" {
				return w.state
			}
			parked = true
			break
		}
	}
	if parked {
		return Lock // another wait of the runtime's
	}
	return Running
}

// ascending returns the keys of m, those with the smallest numbers first.
func ascending(m map[Origin]int) []Origin {
	return slices.SortedFunc(maps.Keys(m), func(a, b Origin) int {
		return cmp.Or(cmp.Compare(m[a], m[b]), a.Compare(b))
	})
}

// Compare orders origins by name.
func (o Origin) Compare(other Origin) int {
	return cmp.Or(cmp.Compare(o.Component, other.Component), cmp.Compare(o.Function, other.Function), cmp.Compare(o.Kind, other.Kind))
}
