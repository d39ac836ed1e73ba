// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import (
	"fmt"

	"go.opentelemetry.io/collector/component"
)

// Config is the configuration of the exporter.
type Config struct {
	// Color is when names have colours.
	Color Color `mapstructure:"color"`

	_ struct{}
}

// Color is when names have colours.
type Color string

const (
	// ColorAuto is on a terminal, unless NO_COLOR is set.
	ColorAuto Color = "auto"
	// ColorAlways is also in a pipe or a file, and despite NO_COLOR.
	ColorAlways Color = "always"
	// ColorNever is never.
	ColorNever Color = "never"
)

func createDefaultConfig() component.Config { return &Config{Color: ColorAuto} }

// Validate implements xconfmap.Validator.
func (cfg *Config) Validate() error {
	switch cfg.Color {
	case ColorAuto, ColorAlways, ColorNever:
		return nil
	}
	return fmt.Errorf("color: %q is none of %s, %s and %s", cfg.Color, ColorAuto, ColorAlways, ColorNever)
}
