// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package goroutinehealthextension

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"

	"github.com/dockerlogs/otelcol-dockerlogs/extension/goroutinehealthextension/internal/metadata"
)

// NewFactory returns the factory of the goroutine_health extension.
func NewFactory() extension.Factory {
	return extension.NewFactory(metadata.Type, createDefaultConfig, create, metadata.ExtensionStability)
}

func create(_ context.Context, set extension.Settings, cfg component.Config) (extension.Extension, error) {
	return newGoroutineHealth(set, cfg.(*Config), newRuntimeSource(), historyOf(set.ID)), nil
}
