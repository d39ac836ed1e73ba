// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package enginefacts

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/events"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/words"
)

// eventFigures are how many events the engine keeps, and how many reach a subscriber that does not read meanwhile.
type eventFigures struct {
	Made     int  `json:"made"`
	Kept     int  `json:"kept"`     // of them, to be asked for with since
	Received int  `json:"received"` // by the subscriber, once it reads
	Ended    bool `json:"ended"`    // the subscription was, by the engine
}

func (f eventFigures) String() string {
	how := "the stream goes on and says nothing"
	if f.Ended {
		how = "the stream ends"
	}
	return fmt.Sprintf("keeps %d; of %s a subscriber that did not read meanwhile receives %s, and %s",
		f.Kept, words.Count(uint64(f.Made)), words.Count(uint64(f.Received)), how)
}

// eventsMade is more than the daemon and the connection hold for a subscriber: 1,024 events and some hundred KB.
const eventsMade = 1_500

func measureEvents(ctx context.Context, b *bench) (f eventFigures, err error) {
	// Its labels are in each of its events, which are large so that few of them fill the connection.
	spec := dockerd.ContainerSpec{Labels: map[string]string{"fill": strings.Repeat("x", 8<<10)}}
	c, err := b.run(ctx, loggen.Options{Lines: 1, UntilSignal: true}, spec)
	if err != nil {
		return f, err
	}
	last, err := b.run(ctx, loggen.Options{Lines: 1, UntilSignal: true}, dockerd.ContainerSpec{})
	if err != nil {
		return f, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	began := time.Now()
	// Nobody takes the first message from this channel before all are made, so that the client does not read on.
	messages, failed := b.Client().Events(ctx, events.ListOptions{})
	exec := func(c *dockerd.Container) error {
		_, err := b.Client().ContainerExecCreate(ctx, c.ID, container.ExecOptions{Cmd: []string{"/loggen"}})
		return err
	}
	for f.Made = 0; f.Made < eventsMade; f.Made++ {
		if err := exec(c); err != nil {
			return f, err
		}
	}
	past, err := b.PastEvents(ctx, events.ListOptions{Since: sinceOf(began), Until: sinceOf(time.Now())})
	if err != nil {
		return f, err
	}
	f.Kept = len(past)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case message := <-messages:
			switch {
			case message.Actor.ID == last.ID && message.Action != events.ActionStart:
				return f, nil
			case strings.HasPrefix(string(message.Action), string(events.ActionExecCreate)):
				f.Received++
			}
		case <-failed:
			f.Ended = true
			return f, nil
		case <-tick.C: // until one of these comes through, behind all that did
			if err := exec(last); err != nil {
				return f, err
			}
		}
	}
}
