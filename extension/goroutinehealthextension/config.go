// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package goroutinehealthextension

import (
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
)

// Config is the configuration of the extension.
type Config struct {
	// ServerConfig is of the page and the API. An empty endpoint leaves both out.
	ServerConfig confighttp.ServerConfig `mapstructure:",squash"`

	// CollectionInterval is how often goroutines are counted, which costs next to
	// nothing.
	CollectionInterval time.Duration `mapstructure:"collection_interval"`
	// CensusInterval is how often it is found out whose they are. A census comes
	// earlier when the count has changed much.
	CensusInterval time.Duration `mapstructure:"census_interval"`
	// LeakInterval is how often the garbage collector is asked which goroutines can
	// never wake, which runs it. 0 never asks.
	LeakInterval time.Duration `mapstructure:"leak_interval"`

	// Warning and Critical are numbers of goroutines above what the captured
	// containers need.
	Warning  int `mapstructure:"warning"`
	Critical int `mapstructure:"critical"`
	// GrowthPerMinute is the growth over Window that warns once it has lasted For.
	GrowthPerMinute float64       `mapstructure:"growth_per_minute"`
	Window          time.Duration `mapstructure:"window"`
	For             time.Duration `mapstructure:"for"`

	// OnCritical is what to do when the verdict is critical.
	OnCritical Action `mapstructure:"on_critical"`
	// MaxRestarts in RestartWindow are tried before the process is shut down.
	MaxRestarts   int           `mapstructure:"max_restarts"`
	RestartWindow time.Duration `mapstructure:"restart_window"`

	// DumpDirectory takes a profile and a report whenever the verdict becomes
	// critical, of which MaxDumps are kept. Unset, the report is logged.
	DumpDirectory string `mapstructure:"dump_directory"`
	MaxDumps      int    `mapstructure:"max_dumps"`

	_ struct{}
}

// Action is what the extension does.
type Action string

const (
	// ActionReport does no more than to tell.
	ActionReport Action = "report"
	// ActionRestart has the Collector build its pipelines anew in the same process.
	ActionRestart Action = "restart"
	// ActionShutdown ends the process gracefully, with a non-zero exit status.
	ActionShutdown Action = "shutdown"
)

// maxSamples bounds the counts that a window holds.
const maxSamples = 240

func createDefaultConfig() component.Config {
	server := confighttp.NewDefaultServerConfig()
	server.NetAddr.Endpoint = "localhost:13134"
	return &Config{
		ServerConfig:       server,
		CollectionInterval: 15 * time.Second,
		CensusInterval:     time.Minute,
		LeakInterval:       5 * time.Minute,
		Warning:            1000,
		Critical:           2000,
		GrowthPerMinute:    10,
		Window:             5 * time.Minute,
		For:                5 * time.Minute,
		OnCritical:         ActionReport,
		MaxRestarts:        3,
		RestartWindow:      time.Hour,
		MaxDumps:           5,
	}
}

// Validate implements xconfmap.Validator.
func (cfg *Config) Validate() error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if cfg.CollectionInterval <= 0 {
		fail("collection_interval: must be more than 0, is %v", cfg.CollectionInterval)
	}
	if cfg.CensusInterval < cfg.CollectionInterval {
		fail("census_interval: must not be less than collection_interval (%v), is %v", cfg.CollectionInterval, cfg.CensusInterval)
	}
	if cfg.LeakInterval < 0 || (cfg.LeakInterval > 0 && cfg.LeakInterval < cfg.CollectionInterval) {
		fail("leak_interval: must be 0 or not less than collection_interval (%v), is %v", cfg.CollectionInterval, cfg.LeakInterval)
	}
	if cfg.Warning < 1 {
		fail("warning: must be more than 0, is %d", cfg.Warning)
	}
	if cfg.Critical <= cfg.Warning {
		fail("critical: must be more than warning (%d), is %d", cfg.Warning, cfg.Critical)
	}
	if !(cfg.GrowthPerMinute > 0) { // nor NaN
		fail("growth_per_minute: must be more than 0, is %v", cfg.GrowthPerMinute)
	}
	switch {
	case cfg.Window < 4*cfg.CollectionInterval:
		fail("window: must hold 4 collection intervals (%v), is %v", 4*cfg.CollectionInterval, cfg.Window)
	case cfg.CollectionInterval > 0 && cfg.Window/cfg.CollectionInterval > maxSamples:
		fail("window: must not be longer than %d collection intervals (%v), is %v", maxSamples, maxSamples*cfg.CollectionInterval, cfg.Window)
	}
	if cfg.For < 0 {
		fail("for: must not be negative, is %v", cfg.For)
	}
	switch cfg.OnCritical {
	case ActionReport, ActionShutdown:
	case ActionRestart:
		if !canRestart {
			fail("on_critical: restart needs SIGHUP, which this system does not have; use shutdown and let a supervisor start the process again")
		}
	default:
		fail("on_critical: %q is none of report, restart, shutdown", cfg.OnCritical)
	}
	if cfg.MaxRestarts < 1 {
		fail("max_restarts: must be more than 0, is %d; use on_critical: shutdown to never restart in the process", cfg.MaxRestarts)
	}
	if cfg.RestartWindow <= 0 {
		fail("restart_window: must be more than 0, is %v", cfg.RestartWindow)
	}
	if cfg.MaxDumps < 1 {
		fail("max_dumps: must be more than 0, is %d; leave dump_directory out to write none", cfg.MaxDumps)
	}
	return errors.Join(errs...)
}
