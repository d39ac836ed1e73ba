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

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/position"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/strategy"
)

const (
	minLogSize      = position.HashedSize
	maxLogSize      = 1 << 30
	minInterval     = 100 * time.Millisecond
	minTimeout      = 100 * time.Millisecond
	minMaxAge       = time.Second
	minFlushTimeout = time.Millisecond
	minBufferSize   = 64 << 10
	maxFlushTimeout = time.Minute
	maxBackfill     = 1_000_000_000
)

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
	// A duration without a unit is one in nanoseconds, which nobody means.
	if cfg.Timeout < minTimeout {
		fail("timeout: must be at least %v, is %v; write it with a unit, like 5s", minTimeout, cfg.Timeout)
	}
	if _, err := cfg.selector(); err != nil {
		errs = append(errs, err)
	}
	switch cfg.StartAt {
	case StartAtEnd, StartAtBeginning:
	default:
		fail("start_at: %q is neither end nor beginning", cfg.StartAt)
	}
	if cfg.Backfill.MaxAge != 0 && cfg.Backfill.MaxAge < minMaxAge {
		fail("backfill: max_age: must be 0, which is no bound, or at least %v, is %v; write it with a unit, like 24h", minMaxAge, cfg.Backfill.MaxAge)
	}
	if cfg.Backfill.MaxRecords < 0 || cfg.Backfill.MaxRecords > maxBackfill {
		fail("backfill: max_records: must be from 0, which is no bound, to %d, is %d", maxBackfill, cfg.Backfill.MaxRecords)
	}
	if cfg.MaxLogSize < minLogSize || cfg.MaxLogSize > maxLogSize {
		fail("max_log_size: must be from 1KiB to 1GiB, is %d bytes", cfg.MaxLogSize)
	}
	cfg.validateStrategies(fail)
	for _, err := range cfg.RateLimit.Check() {
		fail("rate_limit: %w", err)
	}
	if timeout := cfg.Batch.FlushTimeout; timeout != 0 && (timeout < minFlushTimeout || timeout > maxFlushTimeout) {
		fail("batch: flush_timeout: must be 0 or from %v to %v, is %v; write it with a unit, like 200ms", minFlushTimeout, maxFlushTimeout, timeout)
	}
	if cfg.Batch.MaxSize < 1 {
		fail("batch: max_size: must be at least 1, is %d", cfg.Batch.MaxSize)
	}
	if cfg.Batch.MaxBytes < minBufferSize || cfg.Batch.MaxBytes > maxLogSize {
		fail("batch: max_bytes: must be from 64KiB to 1GiB, is %d bytes", cfg.Batch.MaxBytes)
	}
	if addr := cfg.Status.NetAddr; strings.HasPrefix(string(addr.Transport), "tcp") { // else it may be a path
		if err := checkListenAddress(addr.Endpoint); err != nil {
			fail("status: endpoint: %w", err)
		}
	}
	if _, err := cfg.attributes(); err != nil {
		errs = append(errs, err)
	}
	for variable, attribute := range cfg.EnvVars {
		if variable == "" {
			fail("env_vars_to_resource_attributes: has an empty key")
		}
		if attribute == "" {
			fail("env_vars_to_resource_attributes: %q needs the name of an attribute", variable)
		}
	}
	return errors.Join(errs...)
}

func (cfg *Config) validateStrategies(fail func(string, ...any)) {
	if !cfg.Strategy.Valid() {
		fail("strategy: %q is not %s", cfg.Strategy, strategy.Names)
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
