// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"errors"
	"fmt"
	"time"

	"github.com/docker/go-units"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/confmap"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/batch"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/metadata"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/multiline"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/selector"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/strategy"
)

// Config is the configuration of the receiver.
type Config struct {
	// Endpoint is the engine's: unix, npipe, tcp, http or https. Unset, it is
	// DOCKER_HOST, else unix:///var/run/docker.sock.
	Endpoint string `mapstructure:"endpoint"`
	// APIVersion pins the version of the API. Unset, it is negotiated.
	APIVersion string `mapstructure:"api_version"`
	// Timeout bounds requests that have a short answer, never the reading of logs.
	Timeout time.Duration `mapstructure:"timeout"`
	// TLS secures a tcp endpoint, or adjusts an https one.
	TLS configoptional.Optional[configtls.ClientConfig] `mapstructure:"tls"`

	// Include selects the containers that match any of its entries; all, if it is
	// empty.
	Include []Match `mapstructure:"include"`
	// Exclude leaves out containers that match any of its entries.
	Exclude []Match `mapstructure:"exclude"`
	// IncludeSelf captures the container that the Collector itself runs in.
	IncludeSelf bool `mapstructure:"include_self"`

	// StartAt is where to begin in the logs of containers that run when the
	// receiver first sees the engine. Later ones are read from their first line.
	StartAt StartAt `mapstructure:"start_at"`
	// Backfill bounds what is read of the log of a container that is seen for the
	// first time and is older than that.
	Backfill BackfillConfig `mapstructure:"backfill"`
	// MaxLogSize is the length at which lines are cut, in bytes.
	MaxLogSize Size `mapstructure:"max_log_size"`

	// Strategy is how containers are read.
	Strategy   Strategy         `mapstructure:"strategy"`
	ShortLived ShortLivedConfig `mapstructure:"short_lived"`
	Polling    PollingConfig    `mapstructure:"polling"`
	Hybrid     HybridConfig     `mapstructure:"hybrid"`
	Adaptive   AdaptiveConfig   `mapstructure:"adaptive"`
	File       FileConfig       `mapstructure:"file"`
	// RateLimit bounds the records of each container.
	RateLimit RateLimitConfig `mapstructure:"rate_limit"`
	// Multiline makes one record of lines that belong together.
	Multiline MultilineConfig `mapstructure:"multiline"`
	// Overrides give containers another strategy, rate limit or multiline; the first that matches
	// wins. A container's labels io.opentelemetry.docker_logs.strategy and
	// io.opentelemetry.docker_logs.rate_limit win over them.
	Overrides []Override `mapstructure:"overrides"`
	// Events makes records of what happens to the containers.
	Events EventsConfig `mapstructure:"events"`

	// Status configures the page that shows each container, and its API. An empty endpoint
	// switches both off.
	Status confighttp.ServerConfig `mapstructure:"status"`

	// Batch is how the records of all containers are gathered for the pipeline.
	Batch BatchConfig `mapstructure:"batch"`
	// Storage is the extension that keeps positions across restarts.
	Storage *component.ID `mapstructure:"storage"`
	// RetryOnFailure is how a batch that the pipeline refused is offered again.
	RetryOnFailure configretry.BackOffConfig `mapstructure:"retry_on_failure"`

	// ContainerLabels maps labels of the container to resource attributes; an
	// empty name stands for container.label.<label>. A key may be a glob, with an
	// empty name; a label that is named wins over it.
	ContainerLabels map[string]string `mapstructure:"container_labels_to_resource_attributes"`
	// EnvVars maps environment variables of the container to resource attributes.
	EnvVars map[string]string `mapstructure:"env_vars_to_resource_attributes"`
	// ResourceAttributes switches single resource attributes off.
	ResourceAttributes metadata.ResourceAttributesConfig `mapstructure:"resource_attributes"`

	_ struct{}
}

// Match selects containers by name, image and labels.
type Match = selector.Match

// Override gives the containers that it matches what it sets.
type Override = selector.Override

// MultilineConfig makes one record of lines that belong together.
type MultilineConfig = multiline.Config

// RateLimitConfig bounds the records of each container.
type RateLimitConfig = selector.RateLimit

const (
	OnExcessDelay = selector.OnExcessDelay
	OnExcessDrop  = selector.OnExcessDrop
)

// Strategy is a way to read a container's log.
type Strategy = strategy.Name

const (
	StrategyStreaming  = strategy.Streaming
	StrategyShortLived = strategy.ShortLived
	StrategyPolling    = strategy.Polling
	StrategyHybrid     = strategy.Hybrid
	StrategyAdaptive   = strategy.Adaptive
	StrategyFile       = strategy.File
)

// BackfillConfig bounds what is read of a container that is seen for the first time. 0 is no
// bound.
type BackfillConfig struct {
	// MaxAge is the age of the oldest lines that are read.
	MaxAge time.Duration `mapstructure:"max_age"`
	// MaxRecords is how many lines are read from the end of the log.
	MaxRecords int `mapstructure:"max_records"`

	_ struct{}
}

// BatchConfig adjusts how the records of all containers are gathered for the pipeline.
type BatchConfig struct {
	// FlushTimeout is how long a record waits for others after the pipeline was last
	// called. 0 calls it for whatever is at hand.
	FlushTimeout time.Duration `mapstructure:"flush_timeout"`
	// MaxSize is the number of records at which the pipeline is called at once.
	MaxSize int `mapstructure:"max_size"`
	// MaxBytes is the size in OTLP at which it is, and what a call has at most, unless one record
	// is larger. It bounds what is held in memory while the pipeline is busy, too.
	MaxBytes Size `mapstructure:"max_bytes"`

	_ struct{}
}

// ShortLivedConfig adjusts the strategy short_lived.
type ShortLivedConfig struct {
	// Lifetime of a follow, give or take a tenth.
	Lifetime time.Duration `mapstructure:"lifetime"`

	_ struct{}
}

// PollingConfig adjusts the strategy polling, and adaptive while it polls.
type PollingConfig struct {
	// Interval between two reads of a container that writes.
	Interval time.Duration `mapstructure:"interval"`
	// MaxInterval is what the interval grows to while a container is silent.
	MaxInterval time.Duration `mapstructure:"max_interval"`

	_ struct{}
}

// HybridConfig adjusts the strategy hybrid.
type HybridConfig struct {
	// Interval between two reads.
	Interval time.Duration `mapstructure:"interval"`
	// BufferSize bounds what has been read of one container and not been delivered.
	BufferSize Size `mapstructure:"buffer_size"`

	_ struct{}
}

// AdaptiveConfig adjusts the strategy adaptive.
type AdaptiveConfig struct {
	// Interval between two reads of a container that writes much.
	Interval time.Duration `mapstructure:"interval"`
	// MaxStreams is how many containers are followed at a time.
	MaxStreams int `mapstructure:"max_streams"`
	// Health is an extension that reports pressure, as goroutine_health does.
	Health *component.ID `mapstructure:"health"`

	_ struct{}
}

// FileConfig adjusts the strategy file.
type FileConfig struct {
	// Root is the engine's data root as it is seen from here. Unset, it has the engine's own
	// path.
	Root string `mapstructure:"root"`
	// Fallback is the strategy for containers whose files cannot be read.
	Fallback Strategy `mapstructure:"fallback"`

	_ struct{}
}

// EventsConfig adjusts the records of what happens to containers.
type EventsConfig struct {
	// Enabled makes a record of each start, end and kill of a container, when its health
	// changes, and when it runs out of memory.
	Enabled bool `mapstructure:"enabled"`

	_ struct{}
}

// StartAt is a place in a log.
type StartAt string

const (
	StartAtEnd       StartAt = "end"
	StartAtBeginning StartAt = "beginning"
)

// Size is a number of bytes, written as 1048576, 1024KiB or 1MiB.
type Size int64

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Size) UnmarshalText(text []byte) error {
	n, err := units.RAMInBytes(string(text))
	if err != nil {
		return fmt.Errorf("%q is not a size; write it like 1MiB or 1048576", text)
	}
	*s = Size(n)
	return nil
}

const (
	defaultTimeout    = 5 * time.Second
	defaultMaxLogSize = 1 << 20
	// minFileInterval is how often a file that grows is read at most.
	minFileInterval = 50 * time.Millisecond
)

func createDefaultConfig() component.Config {
	retry := configretry.NewDefaultBackOffConfig()
	retry.InitialInterval = time.Second
	retry.MaxElapsedTime = 0 // the engine keeps the lines for as long as it takes
	return &Config{
		Timeout:            defaultTimeout,
		StartAt:            StartAtEnd,
		MaxLogSize:         defaultMaxLogSize,
		Strategy:           StrategyAdaptive,
		ShortLived:         ShortLivedConfig{Lifetime: 30 * time.Second},
		Polling:            PollingConfig{Interval: 5 * time.Second, MaxInterval: 30 * time.Second},
		Hybrid:             HybridConfig{Interval: 2 * time.Second, BufferSize: 8 << 20},
		Adaptive:           AdaptiveConfig{Interval: time.Second, MaxStreams: 500},
		File:               FileConfig{Fallback: StrategyShortLived},
		RateLimit:          RateLimitConfig{OnExcess: OnExcessDelay},
		Batch:              BatchConfig{FlushTimeout: 200 * time.Millisecond, MaxSize: 8192, MaxBytes: 3 << 20},
		RetryOnFailure:     retry,
		Status:             confighttp.NewDefaultServerConfig(), // without an endpoint
		ResourceAttributes: metadata.DefaultResourceAttributesConfig(),
	}
}

// Unmarshal implements confmap.Unmarshaler.
func (cfg *Config) Unmarshal(conf *confmap.Conf) error {
	err := conf.Unmarshal(cfg)
	if err == nil {
		return nil
	}
	switch version := conf.Get("api_version").(type) {
	case float64, int:
		return errors.Join(fmt.Errorf(`api_version: %v is a number to YAML, which would take 1.40 for 1.4; put it in quotes, like "1.44"`, version), err)
	}
	return err
}

func (cfg *Config) selector() (selector.Selector, error) {
	joined, err := cfg.Multiline.Compile(multiline.Rules{Limits: multiline.Limits{MaxBytes: int(cfg.MaxLogSize)}})
	if err != nil {
		return selector.Selector{}, fmt.Errorf("multiline: %w", err)
	}
	return selector.New(cfg.Include, cfg.Exclude, cfg.Overrides, selector.Choice{Strategy: cfg.Strategy, RateLimit: cfg.RateLimit, Multiline: joined})
}

// attributes compiles which resource attributes are wanted.
func (cfg *Config) attributes() (batch.Attributes, error) {
	labels, err := batch.NewLabels(cfg.ContainerLabels)
	if err != nil {
		err = fmt.Errorf("container_labels_to_resource_attributes: %w", err)
	}
	return batch.Attributes{Enabled: cfg.ResourceAttributes, Labels: labels, EnvVars: cfg.EnvVars}, err
}

func (cfg *Config) strategySettings() strategy.Settings {
	return strategy.Settings{
		Lifetime: cfg.ShortLived.Lifetime,
		Interval: cfg.Polling.Interval, MaxInterval: cfg.Polling.MaxInterval,
		HybridInterval: cfg.Hybrid.Interval, HybridBuffer: int(cfg.Hybrid.BufferSize),
		AdaptiveInterval: cfg.Adaptive.Interval,
		FileInterval:     max(cfg.Batch.FlushTimeout, minFileInterval), FileFallback: cfg.File.Fallback,
	}
}
