// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"
)

// Actions are what an Event may say has happened, in Docker's words.
type Action string

const (
	ActionStart        Action = "start"
	ActionRestart      Action = "restart"
	ActionKill         Action = "kill"
	ActionDie          Action = "die"
	ActionOOM          Action = "oom"
	ActionHealthStatus Action = "health_status"
	ActionDestroy      Action = "destroy"
)

// ToldActions are those that users are told of.
var ToldActions = []Action{ActionStart, ActionRestart, ActionKill, ActionDie, ActionOOM, ActionHealthStatus}

// Podman's words for what Docker has others for.
var aliases = map[string]Action{"died": ActionDie, "remove": ActionDestroy}

var (
	// actions are the events after which a container's state or name is another.
	actions = []string{"start", "restart", "die", "died", "rename", "pause", "unpause", "destroy", "remove"}
	// moreActions are those that are only told, not acted on.
	moreActions = []string{"kill", "oom", "health_status"}
)

// Event says that something happened to a container.
type Event struct {
	// Container is what the event says of it: its name, image and labels.
	Container Summary
	Action    Action
	Time      time.Time
	ExitCode  string        // of ActionDie; "" where the engine does not tell
	Ran       time.Duration // of ActionDie; 0 where the engine does not tell
	Signal    string        // of ActionKill, as the engine has it: 15, for example
	Health    string        // of ActionHealthStatus: healthy, unhealthy
}

// Started, Died and Removed report that the container did, or was.
func (e Event) Started() bool { return e.Action == ActionStart }
func (e Event) Died() bool    { return e.Action == ActionDie }
func (e Event) Removed() bool { return e.Action == ActionDestroy }

// OnlyTold reports whether nothing follows from the event for how a container is captured.
func (e Event) OnlyTold() bool {
	return e.Action == ActionKill || e.Action == ActionOOM || e.Action == ActionHealthStatus
}

// Events reports what happens to containers until the
// context or the subscription ends, and returns why. subscribed is called once the
// engine has accepted, which some engines say only with the first event; happened
// is called for every event, both from the caller's goroutine. With more there are also
// those that are only told.
func (c *Client) Events(ctx context.Context, more bool, subscribed func(), happened func(Event)) error {
	api := c.api.Load()
	if api == nil {
		return errNotConnected
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	query := filters.NewArgs(filters.Arg("type", string(events.ContainerEventType)))
	for _, action := range actions {
		query.Add("event", action)
	}
	if more {
		for _, action := range moreActions {
			query.Add("event", action)
		}
	}
	messages, failed := api.Events(ctx, events.ListOptions{Filters: query})
	select {
	case err := <-failed:
		return fmt.Errorf("events: %w", err)
	default:
		subscribed()
	}
	for {
		select {
		case message := <-messages:
			happened(eventOf(message))
		case err := <-failed:
			return fmt.Errorf("events: %w", err)
		}
	}
}

func eventOf(message events.Message) Event {
	of := message.Actor.Attributes // the container's labels, and some of the engine's own
	take := func(names ...string) (value string) {
		for _, name := range names {
			value = cmp.Or(value, of[name])
			delete(of, name)
		}
		return value
	}
	word, detail, _ := strings.Cut(string(message.Action), ": ") // health_status: healthy
	event := Event{
		Container: Summary{ID: message.Actor.ID, Name: take("name"), Image: take("image")},
		Action:    Action(word),
		Time:      time.Unix(0, message.TimeNano),
	}
	if action, ok := aliases[word]; ok {
		event.Action = action
	}
	switch event.Action {
	case ActionDie:
		event.ExitCode = take("exitCode", "containerExitCode")
		seconds, _ := strconv.ParseFloat(take("execDuration"), 64)
		event.Ran = time.Duration(seconds * float64(time.Second))
	case ActionKill:
		event.Signal = take("signal")
	case ActionHealthStatus:
		event.Health = cmp.Or(detail, take("health_status"))
	}
	event.Container.Labels = of
	return event
}
