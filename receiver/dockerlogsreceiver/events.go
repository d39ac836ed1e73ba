// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/cespare/xxhash/v2"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/batch"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/position"
)

const (
	// maxHeldEvents bounds the events that wait for lines, or for room in the outbox.
	maxHeldEvents = 1024
	// maxEventHold is how long an event waits for the lines that were written before it.
	maxEventHold = 10 * time.Second
)

// heldEvent is an event that is to go out as a record. Those of one container keep their order.
type heldEvent struct {
	engine.Event
	note batch.Note
	of   *container // nil where it is not known
	at   time.Time  // when it came, by our clock
}

// tell makes an event a record, if that is wanted. It never waits for the pipeline.
func (o *owner) tell(event engine.Event) {
	if !o.r.cfg.Events.Enabled || !o.r.selected(event.Container) {
		return
	}
	note, ok := noteOf(event)
	if !ok {
		return
	}
	if len(o.held) == maxHeldEvents {
		o.r.tel.DockerLogsDroppedEvents.Add(context.Background(), 1)
		o.r.warnEvents.Do(func() {
			o.r.set.Logger.Warn("an event of a container is dropped, since the pipeline holds up too many; later ones are only counted, in otelcol_docker_logs_dropped_events")
		})
		return
	}
	o.held = append(o.held, heldEvent{event, note, o.known[event.Container.ID], time.Now()})
	o.releaseEvents(false)
}

// releaseEvents hands on the events that need not wait any more; at the last that is all.
func (o *owner) releaseEvents(last bool) {
	if len(o.held) == 0 {
		return
	}
	now := time.Now()
	waiting := make(map[string]bool)
	o.held = slices.DeleteFunc(o.held, func(h heldEvent) bool {
		id := h.Container.ID
		if !waiting[id] && (last || h.due(now)) && o.sendEvent(h, last) {
			return true
		}
		waiting[id] = true
		return false
	})
}

// due reports whether the event need not wait any more: the end of a container for its last
// lines, and any event for what the resource is made of.
func (h heldEvent) due(now time.Time) bool {
	switch {
	case h.of == nil, !h.of.active, now.Sub(h.at) >= maxEventHold:
		return true
	case h.of.capture.link.origin.Load() == nil:
		return false
	default:
		return !h.Died() || h.of.capture.link.readSince(h.at)
	}
}

// sendEvent puts an event into the outbox. It reports false where there is no room.
func (o *owner) sendEvent(h heldEvent, last bool) bool {
	b := o.r.outbox.batch()
	var from committer = noPosition{}
	if h.of != nil {
		from = h.of.capture.source // behind its lines
		b.Origin = h.of.capture.link.origin.Load()
	}
	if b.Origin == nil {
		b.Origin, _ = batch.OriginOf(o.r.wanted, *o.r.info.Load(), engine.Container{Summary: h.Container})
	}
	b.AddNote(h.note)
	if !o.r.outbox.offer(b, from, o.r.outbox.eventRoom, last) {
		return false
	}
	o.r.countEvent(h.Action, 1)
	return true
}

// noPosition is where events of containers come from that are not known.
type noPosition struct{}

func (noPosition) Commit([]position.Delivered) {}

// noteOf returns the record of an event. It reports false for one that is not told.
func noteOf(event engine.Event) (batch.Note, bool) {
	note := batch.Note{Time: event.Time.UnixNano(), Severity: plog.SeverityNumberInfo, Attributes: make(map[string]any)}
	switch event.Action {
	case engine.ActionStart:
		note.Body = "the container was started"
	case engine.ActionRestart:
		note.Body = "the container was restarted"
	case engine.ActionOOM:
		note.Body, note.Severity = "the container ran out of memory", plog.SeverityNumberError
	case engine.ActionKill:
		note.Body = "a signal was sent to the container"
		if event.Signal != "" {
			signal := signalName(event.Signal)
			note.Body += ": " + signal
			note.Attributes["docker.container.signal"] = signal
		}
	case engine.ActionHealthStatus:
		note.Body = "the container is " + event.Health
		note.Attributes["docker.container.health_status"] = event.Health
		if event.Health == "unhealthy" {
			note.Severity = plog.SeverityNumberWarn
		}
	case engine.ActionDie:
		describeEnd(event, &note)
	default:
		return note, false
	}
	note.EventName = "docker.container." + string(event.Action)
	note.UID = batch.NoteUID(event.Container.ID, note.EventName, position.ID{Time: note.Time, Hash: xxhash.Sum64String(note.Body)})
	return note, true
}

// describeEnd completes the record of a container's end.
func describeEnd(event engine.Event, note *batch.Note) {
	note.Body = "the container ended"
	code, err := strconv.Atoi(event.ExitCode)
	if err == nil {
		note.Body += fmt.Sprintf(" with exit code %d", code)
		note.Attributes["process.exit.code"] = int64(code)
		if code != 0 {
			note.Severity = plog.SeverityNumberError
		}
		if signal, ok := signals[code-signalExit]; ok {
			note.Body += ", as after " + signal
			note.Attributes["docker.container.signal"] = signal
		}
	}
	if event.Ran > 0 {
		note.Body += fmt.Sprint(", having run for ", event.Ran)
		note.Attributes["docker.container.exec_duration"] = event.Ran.Seconds()
	}
}

// signalExit is added to the number of a signal that ends a process to give its exit code, as
// engines and shells do.
const signalExit = 128

// signals are the names of Linux' signals that end processes, or are sent to end them, by number.
var signals = map[int]string{
	1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE", 9: "SIGKILL",
	10: "SIGUSR1", 11: "SIGSEGV", 12: "SIGUSR2", 13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM",
}

// signalName names a signal that the engine has as a number; others stay as they are.
func signalName(signal string) string {
	if n, err := strconv.Atoi(signal); err == nil && signals[n] != "" {
		return signals[n]
	}
	return signal
}
