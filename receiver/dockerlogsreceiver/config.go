// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/docker/go-units"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/confmap"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/metadata"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/position"
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
	// MaxLogSize is the length at which lines are cut, in bytes.
	MaxLogSize Size `mapstructure:"max_log_size"`

	// Strategy is how containers are read.
	Strategy   Strategy         `mapstructure:"strategy"`
	ShortLived ShortLivedConfig `mapstructure:"short_lived"`
	Polling    PollingConfig    `mapstructure:"polling"`
	Hybrid     HybridConfig     `mapstructure:"hybrid"`
	Adaptive   AdaptiveConfig   `mapstructure:"adaptive"`
	File       FileConfig       `mapstructure:"file"`
	// Overrides give containers another strategy; the first that matches wins. A
	// container's label io.opentelemetry.docker_logs.strategy wins over them.
	Overrides []Override `mapstructure:"overrides"`

	// Batch is how the records of all containers are gathered for the pipeline.
	Batch BatchConfig `mapstructure:"batch"`
	// Storage is the extension that keeps positions across restarts.
	Storage *component.ID `mapstructure:"storage"`
	// RetryOnFailure is how a batch that the pipeline refused is offered again.
	RetryOnFailure configretry.BackOffConfig `mapstructure:"retry_on_failure"`

	// ContainerLabels maps labels of the container to resource attributes; an
	// empty name stands for container.label.<label>.
	ContainerLabels map[string]string `mapstructure:"container_labels_to_resource_attributes"`
	// EnvVars maps environment variables of the container to resource attributes.
	EnvVars map[string]string `mapstructure:"env_vars_to_resource_attributes"`
	// ResourceAttributes switches single resource attributes off.
	ResourceAttributes metadata.ResourceAttributesConfig `mapstructure:"resource_attributes"`

	_ struct{}
}

// Match selects containers by name, image and labels.
type Match = selector.Match

// Override gives the containers that it matches a strategy.
type Override = selector.Override

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

// BatchConfig adjusts how the records of all containers are gathered for the pipeline.
type BatchConfig struct {
	// FlushTimeout is how long a record waits for others after the pipeline was last
	// called. 0 calls it for whatever is at hand.
	FlushTimeout time.Duration `mapstructure:"flush_timeout"`
	// MaxSize is the number of records at which the pipeline is called at once.
	MaxSize int `mapstructure:"max_size"`
	// MaxBytes is the size at which it is, and bounds what is held while it is busy.
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
	minLogSize        = position.HashedSize
	maxLogSize        = 1 << 30
	minInterval       = 100 * time.Millisecond
	minBufferSize     = 64 << 10
	maxFlushTimeout   = time.Minute
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
		Batch:              BatchConfig{FlushTimeout: 200 * time.Millisecond, MaxSize: 8192, MaxBytes: 4 << 20},
		RetryOnFailure:     retry,
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

var apiVersion = regexp.MustCompile(`^1\.[0-9]+$`)

// Validate implements xconfmap.Validator.
func (cfg *Config) Validate() error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if cfg.Endpoint != "" {
		if err := engine.CheckEndpoint(cfg.Endpoint); err != nil {
			fail("endpoint: %w", err)
		}
		if cfg.TLS.HasValue() && (strings.HasPrefix(cfg.Endpoint, "unix:") || strings.HasPrefix(cfg.Endpoint, "npipe:")) {
			fail("tls: is for tcp and https, and endpoint is %s; remove one of them", cfg.Endpoint)
		}
	}
	if cfg.APIVersion != "" && !apiVersion.MatchString(cfg.APIVersion) {
		fail(`api_version: %q is not a version like "1.44"; leave it out to negotiate`, cfg.APIVersion)
	}
	if cfg.Timeout <= 0 {
		fail("timeout: must be more than 0, is %v", cfg.Timeout)
	}
	if _, err := cfg.selector(); err != nil {
		errs = append(errs, err)
	}
	switch cfg.StartAt {
	case StartAtEnd, StartAtBeginning:
	default:
		fail("start_at: %q is neither end nor beginning", cfg.StartAt)
	}
	if cfg.MaxLogSize < minLogSize || cfg.MaxLogSize > maxLogSize {
		fail("max_log_size: must be from 1KiB to 1GiB, is %d bytes", cfg.MaxLogSize)
	}
	cfg.validateStrategies(fail)
	if cfg.Batch.FlushTimeout < 0 || cfg.Batch.FlushTimeout > maxFlushTimeout {
		fail("batch: flush_timeout: must be from 0 to %v, is %v", maxFlushTimeout, cfg.Batch.FlushTimeout)
	}
	if cfg.Batch.MaxSize < 1 {
		fail("batch: max_size: must be at least 1, is %d", cfg.Batch.MaxSize)
	}
	if cfg.Batch.MaxBytes < minBufferSize || cfg.Batch.MaxBytes > maxLogSize {
		fail("batch: max_bytes: must be from 64KiB to 1GiB, is %d bytes", cfg.Batch.MaxBytes)
	}
	for name, attributes := range map[string]map[string]string{
		"container_labels_to_resource_attributes": cfg.ContainerLabels,
		"env_vars_to_resource_attributes":         cfg.EnvVars,
	} {
		for key, attribute := range attributes {
			if key == "" {
				fail("%s: has an empty key", name)
			}
			if attribute == "" && name == "env_vars_to_resource_attributes" {
				fail("%s: %q needs the name of an attribute", name, key)
			}
		}
	}
	return errors.Join(errs...)
}

func (cfg *Config) validateStrategies(fail func(string, ...any)) {
	if !cfg.Strategy.Valid() {
		fail("strategy: %q is not %s", cfg.Strategy, strategy.Names)
	}
	for i, override := range cfg.Overrides {
		if !override.Strategy.Valid() {
			fail("overrides[%d]: strategy: %q is not %s", i, override.Strategy, strategy.Names)
		}
	}
	if cfg.ShortLived.Lifetime < time.Second {
		fail("short_lived: lifetime: must be at least 1s, is %v", cfg.ShortLived.Lifetime)
	}
	if cfg.Polling.Interval < minInterval {
		fail("polling: interval: must be at least %v, is %v", minInterval, cfg.Polling.Interval)
	}
	if cfg.Polling.MaxInterval < cfg.Polling.Interval {
		fail("polling: max_interval: must not be less than interval, %v, is %v", cfg.Polling.Interval, cfg.Polling.MaxInterval)
	}
	if cfg.Hybrid.Interval < minInterval {
		fail("hybrid: interval: must be at least %v, is %v", minInterval, cfg.Hybrid.Interval)
	}
	if cfg.Hybrid.BufferSize < cfg.MaxLogSize || cfg.Hybrid.BufferSize < minBufferSize {
		fail("hybrid: buffer_size: must hold a line of max_log_size, %d bytes, and at least %d, is %d", cfg.MaxLogSize, minBufferSize, cfg.Hybrid.BufferSize)
	}
	if cfg.Adaptive.Interval < minInterval {
		fail("adaptive: interval: must be at least %v, is %v", minInterval, cfg.Adaptive.Interval)
	}
	if !cfg.File.Fallback.Valid() || cfg.File.Fallback == StrategyFile {
		fail("file: fallback: %q is not streaming, short_lived, polling, hybrid or adaptive", cfg.File.Fallback)
	}
	if cfg.File.Root != "" && !filepath.IsAbs(cfg.File.Root) {
		fail("file: root: %q is not an absolute path; it is where the engine's data root, such as /var/lib/docker, is seen from here", cfg.File.Root)
	}
	if cfg.Adaptive.MaxStreams < 0 {
		fail("adaptive: max_streams: must not be negative, is %d", cfg.Adaptive.MaxStreams)
	}
}

func (cfg *Config) selector() (selector.Selector, error) {
	return selector.New(cfg.Include, cfg.Exclude, cfg.Overrides, cfg.Strategy)
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
