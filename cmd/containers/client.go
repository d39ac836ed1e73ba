// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	timeout = 10 * time.Second
	// maxAnswer bounds what is read of an answer, in bytes: some 1 KiB is a container.
	maxAnswer = 256 << 20
)

// answer is what is shown of the receiver's answer.
type answer struct {
	Now    time.Time `json:"now"`
	Engine struct {
		Connected bool      `json:"connected"`
		Since     time.Time `json:"since"`
		Error     string    `json:"error"`
	} `json:"engine"`
	Pipeline struct {
		State string    `json:"state"`
		Since time.Time `json:"since"`
		Error string    `json:"error"`
	} `json:"pipeline"`
	Containers []container `json:"containers"`
	Container  *container  `json:"container"`
}

type container struct {
	ID               string    `json:"id"`
	Name             string    `json:"name"`
	Image            string    `json:"image"`
	Driver           string    `json:"driver"`
	Running          bool      `json:"running"`
	State            string    `json:"state"`
	StateSince       time.Time `json:"state_since"`
	Reason           *reason   `json:"reason"`
	Strategy         string    `json:"strategy"`
	StrategyFrom     string    `json:"strategy_from"`
	Source           string    `json:"source"`
	Since            time.Time `json:"since"`
	Records          uint64    `json:"records"`
	Bytes            uint64    `json:"bytes"`
	RecordsPerSecond float64   `json:"records_per_second"`
	BytesPerSecond   float64   `json:"bytes_per_second"`
	BehindSeconds    float64   `json:"behind_seconds"`
	LastRecord       time.Time `json:"last_record"`
	Reopens          uint64    `json:"reopens"`
	Suppressed       uint64    `json:"suppressed"`
	RateLimited      uint64    `json:"rate_limited"`
	Dropped          uint64    `json:"dropped"`
	GapCount         uint64    `json:"gap_count"`
	Gaps             []event   `json:"gaps"`
	WaitsFor         struct {
		What  string    `json:"what"`
		Until time.Time `json:"until"`
		Text  string    `json:"text"`
	} `json:"waits_for"`
	Plot    []float64 `json:"plot"`
	History []event   `json:"history"`
}

// reason is why a container is not captured.
type reason struct {
	By     string `json:"by"`
	Text   string `json:"text"`
	Remedy string `json:"remedy"`
}

// event is a gap, which has a reason, or an entry of the history, which has a kind.
type event struct {
	Time   time.Time `json:"time"`
	Kind   string    `json:"kind"`
	Reason string    `json:"reason"`
	Text   string    `json:"text"`
	Remedy string    `json:"remedy"`
	Times  int       `json:"times"` // in a row
}

// idLength is the number of characters of an id that the engine's own commands show.
const idLength = 12

// find asks for the containers whose names contain name. Where single is set, a whole name,
// or the beginning of an id, finds one container with all that is known of it. raw is the
// answer as it came.
func find(endpoint *url.URL, name string, single bool) (a answer, raw []byte, err error) {
	all := endpoint.JoinPath("api/v1/containers")
	matching := *all
	matching.RawQuery = url.Values{"name": {name}}.Encode()
	if a, raw, err = get(&matching); err != nil || name == "" {
		return a, raw, err
	}
	if single {
		for _, c := range a.Containers {
			if c.Name == name {
				return get(all.JoinPath(c.ID))
			}
		}
		if len(a.Containers) == 0 && len(name) >= idLength && strings.Trim(name, "0123456789abcdef") == "" {
			return get(all.JoinPath(name))
		}
	}
	if len(a.Containers) == 0 {
		err = fmt.Errorf("%w: %q", errNone, name)
	}
	return a, raw, err
}

func get(from *url.URL) (a answer, raw []byte, err error) {
	server := from.Scheme + "://" + from.Host // without a password
	client := http.Client{Timeout: timeout}
	response, err := client.Get(from.String())
	if err != nil {
		if cause := (*url.Error)(nil); errors.As(err, &cause) {
			err = cause.Err // which names no URL
		}
		return a, nil, fmt.Errorf("no answer from %s: %w. Does the collector run, with status: {endpoint: ...} under docker_logs? --endpoint names another place", server, err)
	}
	defer func() { _ = response.Body.Close() }()
	if raw, err = io.ReadAll(io.LimitReader(response.Body, maxAnswer)); err != nil {
		return a, nil, fmt.Errorf("the answer from %s ends too early: %w", server, err)
	}
	if response.StatusCode != http.StatusOK {
		var failure struct {
			Error string `json:"error"`
		}
		switch _ = json.Unmarshal(raw, &failure); { // other servers answer in other ways
		case failure.Error == "":
			return a, nil, fmt.Errorf("%s: %s", server, response.Status)
		case response.StatusCode == http.StatusNotFound:
			return a, nil, fmt.Errorf("%w: %s", errNone, failure.Error)
		default:
			return a, nil, fmt.Errorf("%s: %s", server, failure.Error)
		}
	}
	err = json.Unmarshal(raw, &a)
	if err == nil && a.Now.IsZero() {
		err = errors.New("its answer has no time")
	}
	if err != nil {
		return a, nil, fmt.Errorf("%s is not the status endpoint of docker_logs: %w", server, err)
	}
	return a, raw, nil
}
