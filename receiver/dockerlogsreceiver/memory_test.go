// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"context"
	"errors"
	"maps"
	"sync"
	"sync/atomic"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
)

// memory is a storage extension that a test can look into, and break.
type memory struct {
	component.StartFunc
	component.ShutdownFunc

	mu      sync.Mutex // guards everything below
	data    map[string][]byte
	err     error // of every operation
	writes  int   // batches that wrote
	clients int   // that are open
}

var storageID = component.MustNewID("memory")

func (m *memory) GetClient(_ context.Context, kind component.Kind, _ component.ID, name string) (storage.Client, error) {
	if kind != component.KindReceiver || name != "" {
		return nil, errors.New("not what a receiver asks for")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.clients++
	return &memoryClient{memory: m}, nil
}

// memoryClient is a client that a kill cuts off.
type memoryClient struct {
	*memory
	closed bool
}

func (c *memoryClient) Get(ctx context.Context, key string) ([]byte, error) {
	get := storage.GetOperation(key)
	err := c.Batch(ctx, get)
	return get.Value, err
}

func (c *memoryClient) Set(ctx context.Context, key string, value []byte) error {
	return c.Batch(ctx, storage.SetOperation(key, value))
}

func (c *memoryClient) Delete(ctx context.Context, key string) error {
	return c.Batch(ctx, storage.DeleteOperation(key))
}

func (c *memoryClient) Batch(_ context.Context, ops ...*storage.Operation) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return errors.New("used after Close")
	case c.err != nil:
		return c.err
	}
	for _, op := range ops {
		switch op.Type {
		case storage.Get:
			op.Value = c.data[op.Key]
		case storage.Set:
			c.data[op.Key] = op.Value
			c.writes++
		case storage.Delete:
			delete(c.data, op.Key)
		}
	}
	return nil
}

func (c *memoryClient) Close(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.clients--
	return nil
}

func (m *memory) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err = err
}

func (m *memory) get(key string) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.data[key]
}

func (m *memory) set(key string, value []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.data[key] = value
}

func (m *memory) copy() *memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &memory{data: maps.Clone(m.data)}
}

// stored gives the receiver a storage.
func (f *fixture) stored() *memory {
	m := &memory{data: make(map[string][]byte)}
	f.use(m)
	return m
}

func (f *fixture) use(m *memory) {
	f.cfg.Storage = &storageID
	f.withExtensions(map[component.ID]component.Component{storageID: m})
}

// renew makes another receiver in place of the one that has ended.
func (f *fixture) renew(next consumer.Logs) {
	var err error
	f.stopped = false
	configure, watcher := f.r.configureDial, f.r.openWatcher
	f.r, err = newDockerLogs(f.r.set, f.cfg, next)
	require.NoError(f.t, err)
	f.r.configureDial, f.r.openWatcher = configure, watcher
}

// halt ends the receiver in good order and prepares the next.
func (f *fixture) halt() {
	f.stop()
	f.renew(f.sink)
}

// mortal is a pipeline that dies with its collector.
type mortal struct {
	consumer.Logs
	dead atomic.Bool
}

func (m *mortal) ConsumeLogs(ctx context.Context, data plog.Logs) error {
	if m.dead.Load() {
		return errors.New("dead")
	}
	err := m.Logs.ConsumeLogs(ctx, data)
	if m.dead.Load() {
		return errors.New("died before it could answer")
	}
	return err
}

// kill ends the receiver as kill -9 does: what it has not stored is lost. The next
// one delivers into a new sink; kill returns what the old one had been given.
func (f *fixture) kill(m *memory, pipeline *mortal) (delivered []logstest.Record) {
	pipeline.dead.Store(true)
	f.use(m.copy()) // for the next one
	f.stop()
	delivered = f.sink.All()
	f.sink = &logstest.Sink{}
	f.renew(f.sink)
	return delivered
}
