// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package enginetest

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// ringSize is how many events the engine can replay.
const ringSize = 256

// networkID is the id of the network that the events of all containers name.
var networkID = hash("network none")

// actor is whom an event is about.
type actor struct {
	ID         string
	Attributes map[string]string
}

// event is an event as the engine sends it. The first three are left out for newer clients.
type event struct {
	Status   string `json:"status,omitempty"`
	ID       string `json:"id,omitempty"`
	From     string `json:"from,omitempty"`
	Type     string
	Action   string
	Actor    actor
	Scope    string `json:"scope"`
	Time     int64  `json:"time"`
	TimeNano int64  `json:"timeNano"`
}

// subscriber is an event stream that is being served.
type subscriber struct {
	*feed[event]
	conn    *conn
	filters filters
}

// emit sends an event of the container, with more attributes in pairs of name and value. mu is held.
func (c *Container) emit(action string, attributes ...string) {
	all := maps.Clone(c.spec.Labels)
	if all == nil {
		all = make(map[string]string)
	}
	all["image"], all["name"] = c.spec.Image, c.spec.Name
	for pair := range slices.Chunk(attributes, 2) {
		all[pair[0]] = pair[1]
	}
	c.engine.emit(event{
		Status: action, ID: c.spec.ID, From: c.spec.Image,
		Type: "container", Action: action, Actor: actor{c.spec.ID, all},
	})
}

// emitNetwork sends the event that the container's network is connected or disconnected. mu is held.
func (c *Container) emitNetwork(action string) {
	c.engine.emit(event{
		Type: "network", Action: action,
		Actor: actor{networkID, map[string]string{"container": c.spec.ID, "name": "none", "type": "null"}},
	})
}

// emit stamps an event, keeps it for replay and sends it to the subscribers. mu is held.
func (e *Engine) emit(ev event) {
	now := e.Now()
	ev.Scope, ev.Time, ev.TimeNano = "local", now.Unix(), now.UnixNano()
	if len(e.ring) == ringSize {
		e.ring = e.ring[1:]
	}
	e.ring = append(e.ring, ev)
	e.changed.Broadcast()
	if e.dropEvents {
		return
	}
	for s := range e.subscribers {
		if s.filters.admit(ev) {
			s.push(ev)
		}
	}
}

// filters is the filters parameter: for each key the values, one of which has to match, but for labels, which all have to.
type filters map[string][]string

// parseFilters reads both forms that the engine does, {"key":["value"]} and {"key":{"value":true}}.
func parseFilters(s string) (filters, error) {
	if s == "" {
		return nil, nil
	}
	var sets map[string]map[string]bool
	if err := json.Unmarshal([]byte(s), &sets); err == nil {
		f := make(filters)
		for key, set := range sets {
			f[key] = slices.Sorted(maps.Keys(set))
		}
		return f, nil
	}
	var f filters
	if err := json.Unmarshal([]byte(s), &f); err != nil {
		return nil, &statusError{http.StatusBadRequest, err.Error()}
	}
	return f, nil
}

// any reports whether there is no filter for the key or one of its values matches.
func (f filters) any(key string, match func(value string) bool) bool {
	values, ok := f[key]
	return !ok || slices.ContainsFunc(values, match)
}

// admit reports whether an event passes. Keys that mean nothing for it are ignored, as the engine does.
func (f filters) admit(ev event) bool {
	is := func(s string) func(string) bool { return func(value string) bool { return value == s } }
	return f.any("type", is(ev.Type)) &&
		f.any("event", f.action(ev.Action)) &&
		f.any("container", func(value string) bool {
			return ev.Type == "container" &&
				(strings.HasPrefix(ev.Actor.ID, value) || strings.TrimPrefix(value, "/") == ev.Actor.Attributes["name"])
		}) &&
		f.labels(ev.Actor.Attributes) &&
		f.any("image", is(ev.Actor.Attributes["image"]))
}

// action matches an action. Where a filter names one that has details, as health_status: healthy, the beginning of any is enough.
func (f filters) action(action string) func(value string) bool {
	fuzzy := slices.Contains(f["event"], "health_status")
	return func(value string) bool { return value == action || fuzzy && strings.HasPrefix(action, value) }
}

// labels reports whether every label filter, name or name=value, matches.
func (f filters) labels(labels map[string]string) bool {
	for _, filter := range f["label"] {
		name, want, exact := strings.Cut(filter, "=")
		if got, ok := labels[name]; !ok || exact && got != want {
			return false
		}
	}
	return true
}

// events serves GET /events: the past from since on, if that or until is given, then the present until until.
func (x *exchange) events(string) error {
	values := x.r.URL.Query()
	since, err := parseTimestamp(values.Get("since"))
	if err != nil {
		return err
	}
	until, err := parseTimestamp(values.Get("until"))
	if err != nil {
		return err
	}
	f, err := parseFilters(values.Get("filters"))
	if err != nil {
		return err
	}
	denied := false
	x.update(func() { denied = x.engine.denyEvents })
	if denied {
		return &statusError{http.StatusForbidden, "Forbidden"}
	}
	x.w.Header().Set("Content-Type", "application/json")
	// The engine sends the header before it subscribes, so a client that has the header may still miss an event. A fake that did
	// the same would make tests fail now and then: here whoever has the header is subscribed.
	s, withhold, release := x.subscribe(f, since, until)
	defer release()
	if !withhold {
		x.begin()
	}
	for {
		ev, ok := s.next()
		if !ok {
			x.begin()
			return nil
		}
		if !less(x.apiVersion, "1.52") {
			ev.Status, ev.ID, ev.From = "", "", ""
		}
		if x.send(encode(ev)) != nil {
			return nil
		}
		x.update(func() { x.req.Records++ })
	}
}

// subscribe starts an event stream, whose header may have to be withheld.
func (x *exchange) subscribe(f filters, since, until time.Time) (s *subscriber, withhold bool, release func()) {
	e := x.engine
	feed, feedDone := newFeed[event](x.r.Context(), &e.mu)
	s = &subscriber{feed: feed, conn: x.conn, filters: f}
	e.mu.Lock()
	defer e.mu.Unlock()
	withhold = e.faults.WithholdHeaders
	if !since.IsZero() || !until.IsZero() {
		for _, ev := range e.ring {
			if (since.IsZero() || ev.TimeNano >= since.UnixNano()) && (until.IsZero() || ev.TimeNano <= until.UnixNano()) && f.admit(ev) {
				s.push(ev)
			}
		}
	}
	stop := func() bool { return true }
	if !until.IsZero() {
		left := until.Sub(e.Now())
		if left < 0 {
			s.end()
			return s, withhold, feedDone
		}
		stop = time.AfterFunc(left, func() {
			e.mu.Lock()
			defer e.mu.Unlock()
			s.end()
		}).Stop
	}
	e.subscribers[s] = struct{}{}
	e.changed.Broadcast()
	return s, withhold, func() {
		stop()
		feedDone()
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.subscribers, s)
		e.changed.Broadcast()
	}
}
