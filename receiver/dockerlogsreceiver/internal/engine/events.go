// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"fmt"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"
)

// actions are the events after which a container's state or name is another.
// Podman has words of its own for some of them.
var actions = []string{"start", "restart", "die", "died", "rename", "pause", "unpause", "destroy", "remove"}

// Event says that something happened to a container.
type Event struct {
	// Container is what the event says of it: its name, image and labels.
	Container Summary
	Started   bool
	Died      bool
	Removed   bool
}

// Events reports what happens to containers until the
// context or the subscription ends, and returns why. subscribed is called once the
// engine has accepted, which some engines say only with the first event; happened
// is called for every event, both from the caller's goroutine.
func (c *Client) Events(ctx context.Context, subscribed func(), happened func(Event)) error {
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
			of := message.Actor.Attributes // its labels, and two of the engine's own
			name, image := of["name"], of["image"]
			delete(of, "name")
			delete(of, "image")
			happened(Event{
				Container: Summary{ID: message.Actor.ID, Name: name, Image: image, Labels: of},
				Started:   message.Action == events.ActionStart,
				Died:      message.Action == events.ActionDie || message.Action == "died",
				Removed:   message.Action == events.ActionDestroy || message.Action == events.ActionRemove,
			})
		case err := <-failed:
			return fmt.Errorf("events: %w", err)
		}
	}
}
