// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
)

const (
	// keyIndex holds the list of the containers whose positions are stored, since a
	// storage cannot be asked what it holds: JSON, id to the time of removal.
	keyIndex = "containers.v1"
	// keyPosition, with an id behind it, holds a position; see encodePosition.
	keyPosition = "position/"
	// keepRemoved is how long the position of a removed container is kept. Another
	// engine may be behind the endpoint meanwhile.
	keepRemoved = 24 * time.Hour
)

// store keeps positions in a storage extension. The owner loop alone uses it.
type store struct {
	client storage.Client
	log    *zap.Logger
	// index gives for each stored container when it was removed, in seconds since the
	// epoch; 0 while it exists.
	index   map[string]int64
	changed bool // the index is not stored as it is
	failing bool // the last write failed, and that has been said
}

// openStore gets the storage of the configuration; without one it gives nil.
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

// load reads the index. known tells that there was one: this is not the first start.
func (s *store) load(ctx context.Context) (known bool) {
	s.index = make(map[string]int64)
	value, err := s.client.Get(ctx, keyIndex)
	if err == nil && value == nil {
		s.changed = true
		return false
	}
	if err == nil {
		err = json.Unmarshal(value, &s.index)
	}
	if err != nil {
		s.index = make(map[string]int64)
		s.changed = true
		s.log.Warn("the list of stored positions cannot be read; containers are read as at a first start", zap.Error(err))
		return false
	}
	return true
}

// position gives what is stored of a container, ok if there is anything. damaged tells
// that there is and that it cannot be read.
func (s *store) position(ctx context.Context, id string) (p position, ok, damaged bool) {
	if _, stored := s.index[id]; !stored {
		return position{}, false, false
	}
	value, err := s.client.Get(ctx, keyPosition+id)
	if err == nil && value == nil {
		err = errors.New("it is gone")
	}
	if err == nil {
		p, err = decodePosition(value)
	}
	if err != nil {
		s.log.Warn("the stored position of a container cannot be read; the container is read as at a first start",
			zap.String("container.id", id), zap.Error(err))
		return position{}, false, true
	}
	return p, true, false
}

// flush stores what has changed, and drops the positions of containers removed long ago.
func (s *store) flush(ctx context.Context, now time.Time, known map[string]*tracked) {
	var batch []*storage.Operation
	var taken []*checkpoint
	for id, t := range known {
		if !t.capture.wanted.Load() {
			continue
		}
		value, dirty := t.capture.saved.take()
		if !dirty {
			continue
		}
		taken = append(taken, &t.capture.saved)
		batch = append(batch, storage.SetOperation(keyPosition+id, value))
		if removed, ok := s.index[id]; !ok || removed != 0 {
			s.index[id] = 0
			s.changed = true
		}
	}
	for id, removed := range s.index {
		if removed != 0 && now.Sub(time.Unix(removed, 0)) > keepRemoved {
			delete(s.index, id)
			s.changed = true
			batch = append(batch, storage.DeleteOperation(keyPosition+id))
		}
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
	if err := s.client.Batch(ctx, batch...); err != nil {
		for _, c := range taken {
			c.spoil()
		}
		if !s.failing {
			s.failing = true
			s.log.Warn("positions cannot be stored, so that a restart will repeat lines; see to the storage extension", zap.Error(err))
		}
		return
	}
	s.changed = false
	if s.failing {
		s.failing = false
		s.log.Info("positions are stored again")
	}
}

// reconcile takes note of which of the stored containers the engine still lists.
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
