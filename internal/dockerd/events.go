// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerd

import (
	"context"
	"errors"
	"io"

	"github.com/docker/docker/api/types/events"
)

// PastEvents returns the events that the engine remembers of those that options ask for. They
// must have an end, Until, which it waits for.
func (e *Engine) PastEvents(ctx context.Context, options events.ListOptions) (past []events.Message, err error) {
	messages, ended := e.cli.Events(ctx, options)
	for {
		select {
		case message := <-messages:
			past = append(past, message)
		case err := <-ended:
			if !errors.Is(err, io.EOF) {
				return nil, err
			}
			return past, nil
		}
	}
}
