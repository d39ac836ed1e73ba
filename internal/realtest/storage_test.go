// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package realtest

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// memory is a storage extension, its client, and the host that has it. It outlives receivers.
type memory struct {
	component.Host
	component.StartFunc
	component.ShutdownFunc

	mu   sync.Mutex // guards data
	data map[string][]byte
}

var (
	_ storage.Extension = (*memory)(nil)
	_ storage.Client    = (*memory)(nil)

	memoryID = component.MustNewID("memory")
)

func newMemory() *memory {
	return &memory{Host: componenttest.NewNopHost(), data: make(map[string][]byte)}
}

func (m *memory) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{memoryID: m}
}

func (m *memory) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	return m, nil
}

func (m *memory) Get(ctx context.Context, key string) ([]byte, error) {
	get := storage.GetOperation(key)
	err := m.Batch(ctx, get)
	return get.Value, err
}

func (m *memory) Set(ctx context.Context, key string, value []byte) error {
	return m.Batch(ctx, storage.SetOperation(key, value))
}

func (m *memory) Delete(ctx context.Context, key string) error {
	return m.Batch(ctx, storage.DeleteOperation(key))
}

func (m *memory) Batch(_ context.Context, ops ...*storage.Operation) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, op := range ops {
		switch op.Type {
		case storage.Get:
			op.Value = m.data[op.Key]
		case storage.Set:
			m.data[op.Key] = op.Value
		case storage.Delete:
			delete(m.data, op.Key)
		}
	}
	return nil
}

func (*memory) Close(context.Context) error { return nil }

// size returns how many keys there are, and how long the values are together.
func (m *memory) size() (keys, bytes int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, value := range m.data {
		bytes += len(value)
	}
	return len(m.data), bytes
}
