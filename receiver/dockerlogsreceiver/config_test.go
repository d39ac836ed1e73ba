// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/metadata"
)

func TestDefaultConfig(t *testing.T) {
	require.NoError(t, componenttest.CheckConfigStruct(createDefaultConfig()))
	assert.Equal(t, &Config{
		Timeout:    5 * time.Second,
		StartAt:    StartAtEnd,
		MaxLogSize: 1 << 20,
		Strategy:   StrategyAdaptive,
		ShortLived: ShortLivedConfig{Lifetime: 30 * time.Second},
		Polling:    PollingConfig{Interval: 5 * time.Second, MaxInterval: 30 * time.Second},
		Hybrid:     HybridConfig{Interval: 2 * time.Second, BufferSize: 8 << 20},
		Adaptive:   AdaptiveConfig{Interval: time.Second, MaxStreams: 500},
		File:       FileConfig{Fallback: StrategyShortLived},
		RateLimit:  RateLimitConfig{OnExcess: OnExcessDelay},
		Batch:      BatchConfig{FlushTimeout: 200 * time.Millisecond, MaxSize: 8192, MaxBytes: 3 << 20},
		RetryOnFailure: configretry.BackOffConfig{
			Enabled:             true,
			InitialInterval:     time.Second,
			RandomizationFactor: 0.5,
			Multiplier:          1.5,
			MaxInterval:         30 * time.Second,
			MaxElapsedTime:      0,
		},
		Status:             confighttp.NewDefaultServerConfig(),
		ResourceAttributes: metadata.DefaultResourceAttributesConfig(),
	}, createDefaultConfig())
}

// configCases are the entries of testdata/config.yaml; each has to have a test.
func configCases(t *testing.T) map[string]*confmap.Conf {
	t.Helper()
	all, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	cases := make(map[string]*confmap.Conf)
	for id := range all.ToStringMap() {
		cases[id], err = all.Sub(id)
		require.NoError(t, err)
	}
	return cases
}

func TestLoadConfig(t *testing.T) {
	defaults := func(change func(*Config)) *Config {
		cfg := createDefaultConfig().(*Config)
		change(cfg)
		return cfg
	}
	storage, health := component.MustNewIDWithName("file_storage", "docker"), component.MustNewID("goroutine_health")
	attributes := metadata.DefaultResourceAttributesConfig() // which remember what the user has set
	require.NoError(t, confmap.NewFromStringMap(map[string]any{
		"container.image.id": map[string]any{"enabled": false}, "host.name": map[string]any{"enabled": false},
	}).Unmarshal(&attributes))
	server := confighttp.NewDefaultServerConfig()
	server.NetAddr.Endpoint = "localhost:13135"
	server.CORS = configoptional.Some(confighttp.CORSConfig{AllowedOrigins: []string{"https://ops.example.com"}})
	for name, want := range map[string]*Config{
		"": defaults(func(*Config) {}),
		"all_settings": {
			Endpoint:   "tcp://engine.example.com:2376",
			APIVersion: "1.44",
			Timeout:    20 * time.Second,
			TLS: configoptional.Some(configtls.ClientConfig{
				Config: configtls.Config{CAFile: "ca.pem", CertFile: "cert.pem", KeyFile: "key.pem"},
			}),
			Include: []Match{
				{Name: "web-*", Image: "ghcr.io/acme/*", Labels: map[string]string{"tier": "front", "com.acme.debug": "!*"}},
				{Name: "/^db[0-9]+$/"},
			},
			Exclude:     []Match{{Image: "!*:stable"}},
			IncludeSelf: true,
			StartAt:     StartAtBeginning,
			Backfill:    BackfillConfig{MaxAge: 24 * time.Hour, MaxRecords: 10000},
			MaxLogSize:  64 << 10,
			Strategy:    StrategyAdaptive,
			ShortLived:  ShortLivedConfig{Lifetime: time.Minute},
			Polling:     PollingConfig{Interval: time.Second, MaxInterval: 10 * time.Second},
			Hybrid:      HybridConfig{Interval: 500 * time.Millisecond, BufferSize: 16 << 20},
			Adaptive:    AdaptiveConfig{Interval: 2 * time.Second, MaxStreams: 50, Health: &health},
			File:        FileConfig{Root: "/hostfs/var/lib/docker", Fallback: StrategyPolling},
			RateLimit:   RateLimitConfig{RecordsPerSecond: 1000, Burst: 5000, OnExcess: OnExcessDrop},
			Multiline:   MultilineConfig{Preset: "java", ForceFlushPeriod: time.Second, MaxLines: 200},
			Overrides: []Override{
				{Match: Match{Name: "kafka-*"}, Strategy: StrategyStreaming, Multiline: &MultilineConfig{LineStartPattern: `^\d`}},
				{Match: Match{Image: "*/batch:*", Labels: map[string]string{"tier": "back"}}, Strategy: StrategyPolling},
				{Match: Match{Name: "chatty"}, RateLimit: &RateLimitConfig{RecordsPerSecond: 10.5, Burst: 100}},
			},
			Events:  EventsConfig{Enabled: true},
			Status:  server,
			Batch:   BatchConfig{FlushTimeout: 50 * time.Millisecond, MaxSize: 100, MaxBytes: 1 << 20},
			Storage: &storage,
			RetryOnFailure: configretry.BackOffConfig{
				Enabled:             true,
				InitialInterval:     2 * time.Second,
				RandomizationFactor: 0.25,
				Multiplier:          3,
				MaxInterval:         time.Minute,
				MaxElapsedTime:      time.Hour,
			},
			ContainerLabels:    map[string]string{"com.acme.team": "team", "com.acme.tier": "", "org.example.*": ""},
			EnvVars:            map[string]string{"APP_VERSION": "service.version"},
			ResourceAttributes: attributes,
		},
		"streaming":   defaults(func(cfg *Config) { cfg.Strategy = StrategyStreaming }),
		"short_lived": defaults(func(cfg *Config) { cfg.ShortLived.Lifetime = time.Second }),
		"polling": defaults(func(cfg *Config) {
			cfg.Strategy = StrategyPolling
			cfg.Polling = PollingConfig{Interval: 100 * time.Millisecond, MaxInterval: 100 * time.Millisecond}
		}),
		"hybrid": defaults(func(cfg *Config) {
			cfg.Strategy = StrategyHybrid
			cfg.Hybrid = HybridConfig{Interval: 100 * time.Millisecond, BufferSize: 1 << 20}
		}),
		"adaptive": defaults(func(cfg *Config) {
			cfg.Strategy = StrategyAdaptive
			cfg.Adaptive.MaxStreams = 0
		}),
		"file": defaults(func(cfg *Config) {
			cfg.Strategy = StrategyFile
			cfg.File.Fallback = StrategyStreaming
		}),
		"rate_limit_off": defaults(func(cfg *Config) { cfg.RateLimit.OnExcess = OnExcessDrop }),
		"retry_off":      defaults(func(cfg *Config) { cfg.RetryOnFailure.Enabled = false }),
		"size_with_unit": defaults(func(cfg *Config) { cfg.MaxLogSize = 1 << 20 }),
		"size_in_bytes":  defaults(func(cfg *Config) { cfg.MaxLogSize = 1048576 }),
		"size_in_quotes": defaults(func(cfg *Config) { cfg.MaxLogSize = 1048576 }),
	} {
		id := component.NewIDWithName(metadata.Type, name).String()
		t.Run(id, func(t *testing.T) {
			conf := configCases(t)[id]
			require.NotNil(t, conf)
			cfg := createDefaultConfig()
			require.NoError(t, conf.Unmarshal(cfg))
			assert.Equal(t, want, cfg)
			assert.NoError(t, confmap.Validate(cfg))
		})
	}
}

// refused are the entries of testdata/config.yaml that must not start, with what
// the user is told.
var refused = map[string]string{
	"size_junk":                           `'max_log_size' "large" is not a size; write it like 1MiB or 1048576`,
	"size_negative":                       `'max_log_size' "-1MiB" is not a size; write it like 1MiB or 1048576`,
	"size_too_small":                      `max_log_size: must be from 1KiB to 1GiB, is 1023 bytes`,
	"size_too_large":                      `max_log_size: must be from 1KiB to 1GiB, is 2147483648 bytes`,
	"unknown_key":                         `'dockerlogsreceiver.Config' has invalid keys: made_up`,
	"unknown_key_in_match":                `'include[0]' has invalid keys: container`,
	"unknown_resource_attribute":          `'resource_attributes' has invalid keys: container.color`,
	"api_version_unquoted":                `api_version: 1.4 is a number to YAML, which would take 1.40 for 1.4; put it in quotes, like "1.44"`,
	"api_version_integer":                 `api_version: 2 is a number to YAML, which would take 1.40 for 1.4; put it in quotes, like "1.44"`,
	"api_version_one_number":              `api_version: "44" is not a version like "1.44"; leave it out to negotiate`,
	"endpoint_without_scheme":             `endpoint: "/var/run/docker.sock" is not an endpoint; write it like unix:///var/run/docker.sock or tcp://host:2375`,
	"endpoint_with_unsupported_scheme":    `endpoint: "ssh://engine.example.com": the scheme "ssh" is not supported; use unix, npipe, tcp, http or https`,
	"endpoint_with_path":                  `endpoint: "https://engine.example.com:2376/docker": a path is not supported with https; leave it out`,
	"tls_on_unix":                         `tls: is for tcp and https, and endpoint is unix:///var/run/docker.sock; remove one of them`,
	"tls_on_npipe":                        `tls: is for tcp and https, and endpoint is npipe:////./pipe/docker_engine; remove one of them`,
	"tls_invalid":                         `tls: invalid TLS min_version: unsupported TLS version: "0.9"`,
	"timeout_zero":                        `timeout: must be at least 100ms, is 0s; write it with a unit, like 5s`,
	"timeout_negative":                    `timeout: must be at least 100ms, is -5s; write it with a unit, like 5s`,
	"timeout_without_unit":                `timeout: must be at least 100ms, is 5ns; write it with a unit, like 5s`,
	"include_empty_entry":                 `include[1]: is empty; it needs name, image or labels`,
	"include_invalid_regular_expression":  "include[0]: name: /web(/ is not a regular expression: error parsing regexp: missing closing ): `web(`",
	"include_invalid_glob":                `include[0]: image: "ghcr.io/[acme" is not a glob: a [ is not closed`,
	"include_unclosed_brace":              `include[0]: name: "{web,db" is not a glob: a { is not closed`,
	"exclude_invalid_label":               "exclude[0]: labels: tier: /(/ is not a regular expression: error parsing regexp: missing closing ): `(`",
	"start_at_unknown":                    `start_at: "middle" is neither end nor beginning`,
	"strategy_unknown":                    `strategy: "tail" is not streaming, short_lived, polling, hybrid, adaptive or file`,
	"short_lived_lifetime":                `short_lived: lifetime: must be at least 1s, is 500ms`,
	"polling_interval":                    `polling: interval: must be at least 100ms, is 0s`,
	"polling_max_interval":                `polling: max_interval: must not be less than interval, 1m0s, is 30s`,
	"hybrid_interval":                     `hybrid: interval: must be at least 100ms, is 99ms`,
	"hybrid_buffer_size":                  `hybrid: buffer_size: must hold a line of max_log_size, 1048576 bytes, and at least 65536, is 65536`,
	"hybrid_buffer_size_least":            `hybrid: buffer_size: must hold a line of max_log_size, 1024 bytes, and at least 65536, is 65535`,
	"hybrid_buffer_size_junk":             `'hybrid.buffer_size' "much" is not a size; write it like 1MiB or 1048576`,
	"adaptive_interval":                   `adaptive: interval: must be at least 100ms, is 10ms`,
	"adaptive_max_streams":                `adaptive: max_streams: must not be negative, is -1`,
	"batch_flush_timeout":                 `batch: flush_timeout: must be 0 or from 1ms to 1m0s, is -1s; write it with a unit, like 200ms`,
	"batch_flush_timeout_without_unit":    `batch: flush_timeout: must be 0 or from 1ms to 1m0s, is 200ns; write it with a unit, like 200ms`,
	"batch_flush_timeout_long":            `batch: flush_timeout: must be 0 or from 1ms to 1m0s, is 2m0s; write it with a unit, like 200ms`,
	"batch_max_size":                      `batch: max_size: must be at least 1, is 0`,
	"batch_max_bytes":                     `batch: max_bytes: must be from 64KiB to 1GiB, is 65535 bytes`,
	"override_strategy_unknown":           `overrides[1]: strategy: "Polling" is not streaming, short_lived, polling, hybrid, adaptive or file`,
	"file_fallback":                       `file: fallback: "file" is not streaming, short_lived, polling, hybrid or adaptive`,
	"file_root":                           `file: root: "docker" is not an absolute path; it is where the engine's data root, such as /var/lib/docker, is seen from here`,
	"override_without_match":              `overrides[0]: match: is empty; it needs name, image or labels`,
	"override_invalid_match":              `overrides[0]: match: image: "[a" is not a glob: a [ is not closed`,
	"unknown_key_in_strategy":             `'polling' has invalid keys: jitter`,
	"retry_invalid":                       `retry_on_failure: 'multiplier' must be non-negative`,
	"container_label_empty":               `container_labels_to_resource_attributes: has an empty key`,
	"container_label_glob":                `container_labels_to_resource_attributes: "com.acme.{a,b" is not a glob: a { is not closed`,
	"container_label_glob_with_attribute": `container_labels_to_resource_attributes: "com.acme.*" is a glob, whose labels cannot all become the attribute "team"; leave that empty, for container.label.<label>`,
	"backfill_max_age":                    `backfill: max_age: must be 0, which is no bound, or at least 1s, is -1h0m0s; write it with a unit, like 24h`,
	"backfill_max_age_without_unit":       `backfill: max_age: must be 0, which is no bound, or at least 1s, is 24ns; write it with a unit, like 24h`,
	"backfill_max_records":                `backfill: max_records: must be from 0, which is no bound, to 1000000000, is -1`,
	"env_var_empty":                       `env_vars_to_resource_attributes: has an empty key`,
	"env_var_without_attribute":           `env_vars_to_resource_attributes: "APP_VERSION" needs the name of an attribute`,
	"status_endpoint":                     `status: endpoint: "13135" is not a host and a port; write it like localhost:13135, or leave it empty for no status page`,
	"status_port":                         `status: endpoint: "localhost:http" is not a host and a port; write it like localhost:13135, or leave it empty for no status page`,
	"unknown_key_in_status":               `'status' has invalid keys: port`,
	"two_mistakes":                        "timeout: must be at least 100ms, is 0s; write it with a unit, like 5s\nstart_at: \"middle\" is neither end nor beginning",
	"override_of_nothing":                 `overrides[0]: sets nothing; give it a strategy, a rate_limit or multiline`,
	"multiline":                           "multiline: line_start_pattern: \"(\" is not a regular expression",
	"multiline_two":                       "multiline: has more than one of preset, line_start_pattern and line_end_pattern; remove all but one",
	"override_multiline":                  `overrides[0]: multiline: preset: "cobol" is not dotnet, go, java, node, python, ruby, auto or none`,
	"override_rate_limit":                 `overrides[0]: rate_limit: on_excess: "block" is neither delay nor drop`,
	"rate_limit":                          `rate_limit: records_per_second: must be 0, for no limit, or from 0.001 to 1000000000, is -1`,
	"rate_limit_burst":                    `rate_limit: burst: must not be negative, is -1; 0 is the records of a second`,
}

func TestRefusedConfig(t *testing.T) {
	cases := configCases(t)
	for name, want := range refused {
		id := component.NewIDWithName(metadata.Type, name).String()
		t.Run(id, func(t *testing.T) {
			conf := cases[id]
			require.NotNil(t, conf)
			cfg := createDefaultConfig()
			err := conf.Unmarshal(cfg)
			if err == nil {
				err = confmap.Validate(cfg)
			}
			assert.ErrorContains(t, err, want)
		})
		delete(cases, id)
	}
	assert.ElementsMatch(t, slices.Collect(maps.Keys(cases)), []string{
		"docker_logs", "docker_logs/all_settings", "docker_logs/retry_off", "docker_logs/rate_limit_off",
		"docker_logs/streaming", "docker_logs/short_lived", "docker_logs/polling", "docker_logs/hybrid", "docker_logs/adaptive", "docker_logs/file",
		"docker_logs/size_with_unit", "docker_logs/size_in_bytes", "docker_logs/size_in_quotes",
	}, "cases of testdata/config.yaml without a test")
}

func TestSize(t *testing.T) {
	for text, want := range map[string]Size{
		"1MiB": 1 << 20, "1mib": 1 << 20, "1M": 1 << 20, "1MB": 1 << 20, "1.5 KiB": 1536,
		"1024": 1024, "1024B": 1024, "1GiB": 1 << 30,
	} {
		var size Size
		require.NoError(t, size.UnmarshalText([]byte(text)), text)
		assert.Equal(t, want, size, text)
	}
	for _, text := range []string{"", "MiB", "1XB", "one", "-1", "1MiBytes"} {
		var size Size
		assert.EqualError(t, size.UnmarshalText([]byte(text)), `"`+text+`" is not a size; write it like 1MiB or 1048576`)
	}
}

func TestEndpoints(t *testing.T) {
	for endpoint, ok := range map[string]bool{
		"unix:///var/run/docker.sock":          true,
		"npipe:////./pipe/docker_engine":       true,
		"tcp://127.0.0.1:2375":                 true,
		"tcp://engine.example.com:2375/prefix": true,
		"http://[::1]:2375":                    true,
		"https://engine.example.com:2376":      true,
		"https://engine.example.com:2376/":     true,
		"https://engine.example.com:2376/path": false,
		"http://127.0.0.1:2375/path":           false,
		"unix://":                              false,
		"tcp://":                               false,
		"fd://3":                               false,
		"engine.example.com:2375":              false,
	} {
		cfg := createDefaultConfig().(*Config)
		cfg.Endpoint = endpoint
		if ok {
			assert.NoError(t, cfg.Validate(), endpoint)
		} else {
			assert.ErrorContains(t, cfg.Validate(), "endpoint: ", endpoint)
		}
	}
}

// TestConfigTLSAtStart holds that TLS and an endpoint that has none do not go together,
// also where the endpoint is that of the environment or the default.
func TestConfigTLSAtStart(t *testing.T) {
	for host, want := range map[string]string{
		"unix:///run/other.sock": "endpoint: unix:///run/other.sock is not for TLS; leave tls out or name a tcp endpoint",
		"":                       "endpoint: unix:///var/run/docker.sock is not for TLS; leave tls out or name a tcp endpoint",
	} {
		t.Setenv("DOCKER_HOST", host)
		cfg := createDefaultConfig().(*Config)
		cfg.TLS = configoptional.Some(configtls.ClientConfig{})
		require.NoError(t, confmap.Validate(cfg))
		r, err := NewFactory().CreateLogs(t.Context(), receivertest.NewNopSettings(metadata.Type), cfg, consumertest.NewNop())
		require.NoError(t, err)
		assert.EqualError(t, r.Start(t.Context(), componenttest.NewNopHost()), want)
		assert.NoError(t, r.Shutdown(t.Context()))
	}
}

// TestREADME loads every configuration that the READMEs and the distribution have.
func TestREADME(t *testing.T) {
	var examples [][]byte
	for _, name := range []string{
		"README.md", filepath.Join("..", "..", "README.md"), filepath.Join("..", "..", "docs", "guarantees.md"),
		filepath.Join("..", "..", "deploy", "README.md"),
		filepath.Join("..", "..", "docs", "operations.md"), filepath.Join("..", "..", "docs", "status.md"),
	} {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(text, -1)
		require.NotEmpty(t, blocks, name)
		for _, block := range blocks {
			examples = append(examples, block[1])
		}
	}
	distribution, err := os.ReadFile(filepath.Join("..", "..", "otelcol-config.yaml"))
	require.NoError(t, err)
	for _, example := range append(examples, distribution) {
		retrieved, err := confmap.NewRetrievedFromYAML(example)
		require.NoError(t, err, "%s", example)
		conf, err := retrieved.AsConf()
		require.NoError(t, err, "%s", example)
		require.True(t, conf.IsSet("receivers::docker_logs"), "%s", example)
		sub, err := conf.Sub("receivers::docker_logs")
		require.NoError(t, err)
		cfg := createDefaultConfig()
		require.NoError(t, sub.Unmarshal(cfg), "%s", example)
		require.NoError(t, confmap.Validate(cfg), "%s", example)
	}
}

// TestREADMEOptions holds that the README and the schema name the keys of Config,
// all of them and no other, also within the blocks, the README in the order of the code.
func TestREADMEOptions(t *testing.T) {
	keys := keysOf(reflect.TypeFor[Config]())
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	_, options, _ := strings.Cut(string(text), "\n## Configuration\n")
	options, _, _ = strings.Cut(options, "\n#")
	var documented []string
	nested := make(map[string][]string)
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_]+)(?:\\.([a-z_]+))?` +\\|").FindAllStringSubmatch(options, -1) {
		if row[2] == "" {
			documented = append(documented, row[1])
		} else {
			nested[row[1]] = append(nested[row[1]], row[2])
		}
	}
	assert.Equal(t, keys, documented)
	_, first, _ := strings.Cut(string(text), "\n### The twelve options that matter\n")
	first, _, _ = strings.Cut(first, "\n#")
	rows := regexp.MustCompile("(?m)^\\| (`[a-z_.]+`) ").FindAllStringSubmatch(first, -1)
	assert.Len(t, rows, 12)
	for _, row := range rows {
		assert.Contains(t, options, "\n| "+row[1]+" |", "the reference has it too")
	}

	schema, err := confmaptest.LoadConf("config.schema.yaml")
	require.NoError(t, err)
	properties := func(of string) []string {
		have, ok := schema.Get(of).(map[string]any)
		require.True(t, ok, of)
		return slices.Collect(maps.Keys(have))
	}
	assert.ElementsMatch(t, keys, properties("properties"))
	for key, block := range map[string]reflect.Type{
		"backfill":    reflect.TypeFor[BackfillConfig](),
		"short_lived": reflect.TypeFor[ShortLivedConfig](),
		"polling":     reflect.TypeFor[PollingConfig](),
		"hybrid":      reflect.TypeFor[HybridConfig](),
		"adaptive":    reflect.TypeFor[AdaptiveConfig](),
		"rate_limit":  reflect.TypeFor[RateLimitConfig](),
		"multiline":   reflect.TypeFor[MultilineConfig](),
		"events":      reflect.TypeFor[EventsConfig](),
		"batch":       reflect.TypeFor[BatchConfig](),
	} {
		assert.Equal(t, keysOf(block), nested[key])
		assert.ElementsMatch(t, keysOf(block), properties("$defs::"+key+"_config::properties"))
	}
	assert.Equal(t, keysOf(reflect.TypeFor[configretry.BackOffConfig]()), nested["retry_on_failure"])
	assert.Equal(t, []string{"endpoint"}, nested["status"], "the others are described where they come from")
	assert.ElementsMatch(t, keysOf(reflect.TypeFor[Match]()), properties("$defs::match::properties"))
	assert.ElementsMatch(t, keysOf(reflect.TypeFor[Override]()), properties("$defs::override::properties"))
	assert.ElementsMatch(t, keysOf(reflect.TypeFor[metadata.ResourceAttributesConfig]()),
		properties("$defs::resource_attributes_config::properties"))
	assert.ElementsMatch(t, allStrategies, []Strategy{
		StrategyStreaming, StrategyShortLived, StrategyPolling, StrategyHybrid, StrategyAdaptive, StrategyFile,
	}, "logstest.Strategies are out of date")
	assert.ElementsMatch(t, logstest.Strategies, schema.Get("$defs::strategy::enum"))
}

// keysOf gives the keys of a configuration's struct.
func keysOf(config reflect.Type) (keys []string) {
	for _, field := range reflect.VisibleFields(config) {
		if key := field.Tag.Get("mapstructure"); key != "" {
			keys = append(keys, key)
		}
	}
	return keys
}
