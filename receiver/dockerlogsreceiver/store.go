// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/position"
)

const (
	// keyIndex holds the list of the containers whose positions are stored, since a
	// storage cannot be asked what it holds: JSON, id to the time of removal.
	keyIndex = "containers.v1"
	// keyListed holds when the engine's containers were last listed before something was
	// stored, by its clock, in seconds since the epoch: decimal digits.
	keyListed = "listed.v1"
	// keyPosition, with an id behind it, holds a position; see position.Decode.
	keyPosition = "position/"
	// keepRemoved is how long the position of a container is kept that is not listed any
	// more and has had no event of its removal. Another engine may be behind the endpoint
	// meanwhile.
	keepRemoved = 24 * time.Hour
)

// store keeps positions in a storage extension. The owner loop alone uses it.
type store struct {
	client storage.Client
	log    *zap.Logger
	loaded bool // nothing is written before what is stored is known
	// index is when each stored container was removed, in seconds since the epoch; 0
	// while it exists.
	index   map[string]int64
	listed  time.Time         // as under keyListed; zero before there was a list
	values  map[string][]byte // by container id: positions that have been loaded and not been taken
	dropped []string          // ids whose positions are to be deleted
	changed bool              // the index is not stored as it is
	failing bool              // the last read or write failed, which has been logged
}

// openStore returns the storage of the configuration; without one it returns nil.
func openStore(ctx context.Context, host component.Host, id *component.ID, owner component.ID, log *zap.Logger) (*store, error) {
	if id == nil {
		return nil, nil
	}
	extension, ok := host.GetExtensions()[*id]
	if !ok {
		return nil, fmt.Errorf("storage: there is no extension %s; add it to extensions and to service::extensions", id)
	}
	provider, ok := extension.(storage.Extension)
	if !ok {
		return nil, fmt.Errorf("storage: the extension %s is not a storage, as file_storage is", id)
	}
	client, err := provider.GetClient(ctx, component.KindReceiver, owner, "")
	if err != nil {
		return nil, fmt.Errorf("storage: %w", err)
	}
	return &store{client: client, log: log}, nil
}

// close lets go of the storage; s may be nil.
func (s *store) close(ctx context.Context) error {
	if s == nil {
		return nil
	}
	return s.client.Close(ctx)
}

// load reads everything that is stored. known is set where there was something: this is
// not the first start. After an error nothing is loaded, and nothing stored is overwritten.
func (s *store) load(ctx context.Context) (known bool, err error) {
	index, values, err := s.read(ctx)
	if err == nil {
		s.listed, err = s.readListed(ctx)
	}
	if err != nil {
		s.failed("stored positions cannot be read yet, no log is read before they are", err)
		return false, fmt.Errorf("storage: %w", err)
	}
	s.recovered("stored positions are read")
	s.loaded, s.index, s.values, s.changed = true, index, values, index == nil
	if index == nil {
		s.index = make(map[string]int64)
	}
	return index != nil, nil
}

// read returns the index, nil where there is none, and the positions that it names.
func (s *store) read(ctx context.Context) (index map[string]int64, values map[string][]byte, err error) {
	value, err := s.client.Get(ctx, keyIndex)
	if err != nil || value == nil {
		return nil, nil, err
	}
	if err := json.Unmarshal(value, &index); err != nil || index == nil {
		s.log.Warn("the list of stored positions is damaged; containers are read as at a first start", zap.Error(err))
		return nil, nil, nil
	}
	ids := slices.Collect(maps.Keys(index))
	gets := make([]*storage.Operation, len(ids))
	for i, id := range ids {
		gets[i] = storage.GetOperation(keyPosition + id)
	}
	if err := s.client.Batch(ctx, gets...); err != nil {
		return nil, nil, err
	}
	values = make(map[string][]byte, len(ids))
	for i, id := range ids {
		values[id] = slices.Clone(gets[i].Value)
	}
	return index, values, nil
}

// readListed returns the time under keyListed, zero where there is none.
func (s *store) readListed(ctx context.Context) (time.Time, error) {
	value, err := s.client.Get(ctx, keyListed)
	if err != nil {
		return time.Time{}, err
	}
	seconds, err := strconv.ParseInt(string(value), 10, 64)
	if err != nil {
		return time.Time{}, nil
	}
	return time.Unix(seconds, 0), nil
}

// take returns where the stored position of a container stands, nil where there is none.
// damaged is set where there is one and it cannot be read.
func (s *store) take(id string) (f *position.Frontier, damaged bool) {
	value, stored := s.values[id]
	if !stored {
		return nil, false
	}
	delete(s.values, id)
	f, err := position.Decode(value)
	if err != nil {
		s.log.Warn("the stored position of a container cannot be read; the container is read as at a first start",
			zap.String("container.id", id), zap.Error(err))
		return nil, true
	}
	return f, false
}

// failed logs, once, that the storage fails.
func (s *store) failed(message string, err error) {
	if !s.failing {
		s.failing = true
		s.log.Warn(message, zap.Error(err), zap.String("remedy", "see to the storage extension"))
	}
}

func (s *store) recovered(message string) {
	if s.failing {
		s.failing = false
		s.log.Info(message)
	}
}

// flush stores what has changed, and drops the positions of containers removed long ago.
func (s *store) flush(ctx context.Context, now time.Time, known map[string]*container) {
	var batch []*storage.Operation
	var taken []*position.Frontier
	for id, c := range known {
		if !c.capture.link.wanted.Load() {
			continue
		}
		value, changed := c.capture.source.Frontier().Take()
		if !changed {
			continue
		}
		taken = append(taken, c.capture.source.Frontier())
		batch = append(batch, storage.SetOperation(keyPosition+id, value))
		if removed, ok := s.index[id]; !ok || removed != 0 {
			s.index[id] = 0
			s.changed = true
		}
	}
	for id, removed := range s.index {
		if removed != 0 && now.Sub(time.Unix(removed, 0)) > keepRemoved {
			s.drop(id)
		}
	}
	for _, id := range s.dropped {
		batch = append(batch, storage.DeleteOperation(keyPosition+id))
	}
	if s.changed {
		value, err := json.Marshal(s.index)
		if err != nil {
			s.log.Error("cannot encode the list of positions", zap.Error(err))
			return
		}
		batch = append(batch, storage.SetOperation(keyIndex, value))
	}
	if len(batch) == 0 {
		return
	}
	batch = append(batch, storage.SetOperation(keyListed, strconv.AppendInt(nil, s.listed.Unix(), 10)))
	if err := s.client.Batch(ctx, batch...); err != nil {
		for _, f := range taken {
			f.Restore()
		}
		s.failed("positions cannot be stored, so that a restart will repeat lines", err)
		return
	}
	s.changed, s.dropped = false, nil
	s.recovered("positions are stored again")
}

// drop forgets the position of a container that will not come back.
func (s *store) drop(id string) {
	if _, ok := s.index[id]; ok {
		delete(s.index, id)
		delete(s.values, id)
		s.dropped, s.changed = append(s.dropped, id), true
	}
}

// reconcile notes which of the stored containers the engine still lists.
func (s *store) reconcile(list []engine.Summary, now time.Time) {
	exists := make(map[string]bool, len(list))
	for _, c := range list {
		exists[c.ID] = true
	}
	for id, removed := range s.index {
		switch {
		case exists[id] && removed != 0:
			s.index[id] = 0
			s.changed = true
		case !exists[id] && removed == 0:
			s.index[id] = now.Unix()
			s.changed = true
		}
	}
}
