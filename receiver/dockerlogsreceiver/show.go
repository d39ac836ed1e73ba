// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"fmt"
	"strings"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/selector"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/source"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/status"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/strategy"
)

// What is shown in plain words. None of it comes from a container.

// cutTexts say why a log has to be opened again, where that is not routine.
var cutTexts = map[source.End]string{
	source.Dead:            "the engine sent nothing of what the container wrote; the log is opened again",
	source.StalledPipeline: "the pipeline held up the stream; the rest stays with the engine until there is room",
	source.EngineError:     "the engine could not read its log on; the log is opened again",
	source.Failed:          "the engine did not answer, or not grant the log; it is asked again",
	source.Cut:             "the connection to the engine ended; the log is opened again",
}

// wayTexts say in what way a container is read now, by why.
var wayTexts = map[string]status.Event{
	strategy.FallbackBudget:   {Kind: status.KindFellBack, Text: "it is polled: adaptive.max_streams others are followed, which use it better"},
	strategy.FallbackBusy:     {Kind: status.KindFellBack, Text: "it is polled: it writes so much that this costs less"},
	strategy.FallbackCuts:     {Kind: status.KindFellBack, Text: "it is polled: its streams were cut too often"},
	strategy.FallbackPressure: {Kind: status.KindFellBack, Text: "it is polled: the process has too many goroutines to follow it"},
	strategy.FallbackFile:     {Kind: status.KindFellBack, Text: "it is read over the engine's API: its files cannot be read from here"},
	strategy.FileFound:        {Kind: status.KindRecovered, Text: "its files are read"},
	strategy.Recovered:        {Kind: status.KindRecovered, Text: "it is followed again"},
}

func (c *capture) showWay(now way) {
	if text, ok := wayTexts[now.reason]; ok {
		c.link.status.Note(text.Kind, text.Text)
	}
}

// unreadableReason says that no log of that driver can be read.
func unreadableReason(driver string) status.Reason {
	return status.Reason{
		Code: "driver", By: strings.TrimSpace("driver " + driver),
		Text: "the engine cannot read what this log driver has taken", Remedy: remedyUnreadable,
	}
}

// showLeftOut says why a container is not captured, if it is not.
func (r *dockerLogs) showLeftOut(shown *status.Record, c engine.Summary) {
	if shown == nil {
		return
	}
	if c.ID == r.self {
		shown.LeaveOut(status.Reason{
			Code: "self", By: "include_self", Text: "the Collector runs in it",
			Remedy: "set include_self: true, unless the Collector logs what it captures",
		})
		return
	}
	const otherwise = ", or give the container the label " + selector.LabelEnabled + "=true"
	switch d := r.selector.Decide(c); d.Key {
	case "exclude":
		by := fmt.Sprintf("exclude[%d]", d.Entry)
		shown.LeaveOut(status.Reason{Code: "exclude", By: by, Text: by + " of the configuration matches it", Remedy: "make that entry match less" + otherwise})
	case "include":
		shown.LeaveOut(status.Reason{Code: "include", By: "include", Text: "no entry of include in the configuration matches it", Remedy: "add an entry that does" + otherwise})
	case selector.LabelEnabled:
		shown.LeaveOut(status.Reason{
			Code: "label", By: "label " + selector.LabelEnabled + "=false", Text: "its own label says so",
			Remedy: "make the container anew without that label",
		})
	}
}

// showListed shows what a list says of a container.
func (o *owner) showListed(c *container, s engine.Summary) {
	shown := c.capture.link.status
	if shown == nil {
		return
	}
	shown.Listed(s.Name, s.Image, s.Running)
	if !c.active && !c.resting && !o.mayBeSelected(s) {
		o.r.showLeftOut(shown, s)
	}
}

// showEvent shows what an event says of a container, also of one that has no capture.
func (o *owner) showEvent(e engine.Event) {
	if o.r.board == nil {
		return
	}
	id, c := e.Container.ID, o.known[e.Container.ID]
	if e.Removed() {
		if c == nil {
			o.r.board.Forget(id)
		}
		return
	}
	shown := o.r.board.Register(id)
	shown.Told(e.Container.Name, e.Container.Image, e.Started(), e.Died())
	if c == nil && !o.mayBeSelected(e.Container) {
		o.r.showLeftOut(shown, e.Container)
	}
}
