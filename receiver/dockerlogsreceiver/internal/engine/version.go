// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types"
)

// VersionError says that the engine does not serve the version of its API that it was asked
// in.
type VersionError struct {
	Asked          string
	Pinned         bool   // by Config.APIVersion
	Oldest, Newest string // that the engine serves
}

func (e *VersionError) Error() string {
	if e.Pinned {
		return fmt.Sprintf("api_version is %s, and the engine serves the versions %s to %s of its API: set one of these, or leave api_version out",
			e.Asked, e.Oldest, e.Newest)
	}
	return fmt.Sprintf("the engine serves the versions %s to %s of its API, and this Collector speaks none newer than %s: use a newer Collector, "+
		"or let the engine serve older ones (start dockerd with DOCKER_MIN_API_VERSION=%s)", e.Oldest, e.Newest, e.Asked, e.Asked)
}

// explain returns a VersionError in place of the error of a request in a version that the
// engine does not serve. Where it does not tell what it serves, its own words remain.
func (c *Client) explain(ctx context.Context, asked string, err error) error {
	if !errdefs.IsInvalidArgument(err) {
		return err
	}
	resp, failed := c.get(ctx, "/version") // without a version in the path it is always served
	if failed != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	var served types.Version
	if resp.StatusCode != http.StatusOK || json.NewDecoder(resp.Body).Decode(&served) != nil || served.APIVersion == "" {
		return err
	}
	return &VersionError{Asked: asked, Pinned: c.cfg.APIVersion != "", Oldest: served.MinAPIVersion, Newest: served.APIVersion}
}
