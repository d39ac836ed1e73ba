// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package goroutinehealthextension

import (
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/confmap"
)

// Config is the configuration of the extension.
type Config struct {
	// ServerConfig configures the page and the API. An empty endpoint switches both off.
	ServerConfig confighttp.ServerConfig `mapstructure:",squash"`

	// CollectionInterval is the time between two counts, which cost next to nothing.
	// CensusInterval, LeakInterval and Window follow it where they are not set.
	CollectionInterval time.Duration `mapstructure:"collection_interval"`
	// CensusInterval is the time after which goroutines are attributed to their owners
	// again. That comes earlier when many of them have come or gone.
	CensusInterval time.Duration `mapstructure:"census_interval"`
	// LeakInterval is the time after which the garbage collector looks for goroutines
	// that can never wake. Each look runs it. 0 switches the look off.
	LeakInterval time.Duration `mapstructure:"leak_interval"`

	// Warning and Critical are numbers of goroutines above what the captured
	// containers need.
	Warning  int `mapstructure:"warning"`
	Critical int `mapstructure:"critical"`
	// GrowthPerMinute is the growth over Window that warns once it has lasted For.
	GrowthPerMinute float64       `mapstructure:"growth_per_minute"`
	Window          time.Duration `mapstructure:"window"`
	For             time.Duration `mapstructure:"for"`

	// OnCritical is what the extension does when the verdict becomes critical.
	OnCritical Action `mapstructure:"on_critical"`
	// MaxRestarts bounds the restarts in RestartWindow. The next one shuts the process
	// down instead. A RestartWindow that is not set follows it and CollectionInterval.
	MaxRestarts   int           `mapstructure:"max_restarts"`
	RestartWindow time.Duration `mapstructure:"restart_window"`

	// DumpDirectory receives a profile and a report whenever the verdict becomes
	// critical; the last MaxDumps of them are kept. Without it the report is logged.
	DumpDirectory string `mapstructure:"dump_directory"`
	MaxDumps      int    `mapstructure:"max_dumps"`

	_ struct{}
}

// Action is what the extension does about a critical verdict.
type Action string

const (
	// ActionReport reports it in the log, the metrics and on the page.
	ActionReport Action = "report"
	// ActionRestart has the Collector rebuild its pipelines in the same process.
	ActionRestart Action = "restart"
	// ActionShutdown ends the process gracefully, with a non-zero exit status.
	ActionShutdown Action = "shutdown"
)

const (
	// minSamples and maxSamples bound the counts in a window: fewer show no growth, more
	// cost time, which grows with their square.
	minSamples = 4
	maxSamples = 240
	// defaultSamples is how many counts the default window holds.
	defaultSamples = 20
	// A duration without a unit is one of nanoseconds, of which these are more than
	// anyone writes. Counting more often than minInterval would cost time, too.
	minInterval = 100 * time.Millisecond
	minFor      = time.Second
)

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

// Unmarshal implements confmap.Unmarshaler. What depends on the collection interval and
// is not set stays at its default, or takes the next value that suits the interval.
func (cfg *Config) Unmarshal(conf *confmap.Conf) error {
	if err := conf.Unmarshal(cfg); err != nil {
		return err
	}
	interval := cfg.CollectionInterval
	if interval <= 0 {
		return nil // Validate reports it
	}
	if conf.Get("census_interval") == nil {
		cfg.CensusInterval = max(cfg.CensusInterval, interval)
	}
	if conf.Get("leak_interval") == nil {
		cfg.LeakInterval = max(cfg.LeakInterval, interval)
	}
	if conf.Get("window") == nil {
		cfg.Window = min(max(cfg.Window, defaultSamples*interval), maxSamples*interval)
	}
	if conf.Get("restart_window") == nil {
		// Twice the least leaves as much time for the restarts as for the verdicts.
		cfg.RestartWindow = max(cfg.RestartWindow, 2*cfg.leastRestartWindow())
	}
	return nil
}

// leastRestartWindow is the time that MaxRestarts restarts and the verdict after them take
// at least. A verdict needs three counts, so each takes two intervals. In a shorter window
// the first restart is forgotten before the last, and they never end.
func (cfg *Config) leastRestartWindow() time.Duration {
	const longest = 1 << 61 // 73 years, so that neither this nor twice this overflows
	return time.Duration(min(2*float64(cfg.CollectionInterval)*(float64(cfg.MaxRestarts)+1), longest))
}

// Validate implements xconfmap.Validator.
func (cfg *Config) Validate() error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	interval := cfg.CollectionInterval
	if interval < minInterval {
		fail("collection_interval: must be at least %v, is %v; write it with a unit, like 15s", minInterval, interval)
	}
	if cfg.CensusInterval < interval {
		fail("census_interval: must not be less than collection_interval (%v), is %v; raise it, lower collection_interval, or leave it out", interval, cfg.CensusInterval)
	}
	if cfg.LeakInterval < 0 || (cfg.LeakInterval > 0 && cfg.LeakInterval < interval) {
		fail("leak_interval: must be 0 or not less than collection_interval (%v), is %v; raise it, lower collection_interval, or leave it out", interval, cfg.LeakInterval)
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
	case cfg.Window < minSamples*interval:
		fail("window: must hold %d collection intervals (%v), is %v; raise it, lower collection_interval, or leave it out", minSamples, minSamples*interval, cfg.Window)
	case interval > 0 && cfg.Window/interval > maxSamples:
		fail("window: must not be longer than %d collection intervals (%v), is %v; lower it, raise collection_interval, or leave it out", maxSamples, maxSamples*interval, cfg.Window)
	}
	if cfg.For != 0 && cfg.For < minFor {
		fail("for: must be 0 or at least %v, is %v; write it with a unit, like 5m", minFor, cfg.For)
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
	if least := cfg.leastRestartWindow(); cfg.RestartWindow <= least {
		fail("restart_window: must be more than %v, which max_restarts (%d) and a last verdict take at least with this collection_interval (%v), is %v; raise it, lower them, or leave it out; write it with a unit, like 1h",
			least, cfg.MaxRestarts, interval, cfg.RestartWindow)
	}
	if cfg.MaxDumps < 1 {
		fail("max_dumps: must be more than 0, is %d; leave dump_directory out to write none", cfg.MaxDumps)
	}
	return errors.Join(errs...)
}
