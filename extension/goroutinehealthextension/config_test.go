// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package goroutinehealthextension

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
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.yaml.in/yaml/v3"
)

func load(t *testing.T, conf *confmap.Conf) *Config {
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, conf.Unmarshal(cfg))
	require.NoError(t, confmap.Validate(cfg))
	return cfg
}

func TestConfig(t *testing.T) {
	all, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	for id, change := range map[string]func(*Config){
		"goroutine_health": func(*Config) {},
		"goroutine_health/restart": func(cfg *Config) {
			cfg.ServerConfig.NetAddr.Endpoint = "0.0.0.0:13134"
			cfg.OnCritical, cfg.MaxRestarts, cfg.RestartWindow = ActionRestart, 5, 30*time.Minute
			cfg.DumpDirectory, cfg.MaxDumps = "/var/lib/otelcol/dumps", 10
		},
		"goroutine_health/every_second": func(cfg *Config) {
			cfg.CollectionInterval, cfg.Window = time.Second, 4*time.Minute
		},
		"goroutine_health/every_two_minutes": func(cfg *Config) {
			cfg.CollectionInterval, cfg.CensusInterval, cfg.Window = 2*time.Minute, 2*time.Minute, 40*time.Minute
		},
		"goroutine_health/every_ten_minutes": func(cfg *Config) {
			cfg.CollectionInterval, cfg.CensusInterval, cfg.LeakInterval = 10*time.Minute, 10*time.Minute, 10*time.Minute
			cfg.Window, cfg.RestartWindow = 200*time.Minute, 160*time.Minute
		},
		"goroutine_health/own_window": func(cfg *Config) {
			cfg.CollectionInterval, cfg.Window = time.Second, 30*time.Second
		},
		"goroutine_health/fast": func(cfg *Config) {
			cfg.ServerConfig.NetAddr.Endpoint = ""
			cfg.CollectionInterval, cfg.CensusInterval, cfg.LeakInterval = time.Second, time.Second, 0
			cfg.Warning, cfg.Critical, cfg.GrowthPerMinute = 50, 100, 1.5
			cfg.Window, cfg.For, cfg.OnCritical = time.Minute, 0, ActionShutdown
		},
	} {
		t.Run(id, func(t *testing.T) {
			conf, err := all.Sub(id)
			require.NoError(t, err)
			want := createDefaultConfig().(*Config)
			change(want)
			assert.Equal(t, want, load(t, conf))
		})
	}
}

// TestAnyCollectionIntervalIsAccepted sets nothing else.
func TestAnyCollectionIntervalIsAccepted(t *testing.T) {
	for interval := minInterval; interval < 100*time.Hour; interval += interval/3 + 1 {
		cfg := load(t, confmap.NewFromStringMap(map[string]any{"collection_interval": interval.String()}))
		assert.Equal(t, interval, cfg.CollectionInterval)
	}
}

// TestREADME holds that README and schema name the keys of Config in its order, and loads
// what the README configures.
func TestREADME(t *testing.T) {
	keys := []string{"endpoint"} // of confighttp's, the only one with a row
	for field := range reflect.TypeFor[Config]().Fields() {
		if key, _, _ := strings.Cut(field.Tag.Get("mapstructure"), ","); key != "" {
			keys = append(keys, key)
		}
	}
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	_, options, _ := strings.Cut(string(text), "\n## Configuration\n")
	options, _, _ = strings.Cut(options, "\n#")
	var documented []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|").FindAllStringSubmatch(options, -1) {
		documented = append(documented, row[1])
	}
	assert.Equal(t, keys, documented)
	schema, err := confmaptest.LoadConf("config.schema.yaml")
	require.NoError(t, err)
	assert.ElementsMatch(t, keys[1:], slices.Collect(maps.Keys(schema.Get("properties").(map[string]any))))

	_, example, _ := strings.Cut(string(text), "\n```yaml\n")
	example, _, _ = strings.Cut(example, "\n```\n")
	retrieved, err := confmap.NewRetrievedFromYAML([]byte(example))
	require.NoError(t, err)
	conf, err := retrieved.AsConf()
	require.NoError(t, err)
	conf, err = conf.Sub("extensions::goroutine_health")
	require.NoError(t, err)
	assert.Equal(t, ActionRestart, load(t, conf).OnCritical)
}

func TestInvalidConfig(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("testdata", "invalid.yaml"))
	require.NoError(t, err)
	var cases []struct {
		Config  map[string]any
		Message string
	}
	require.NoError(t, yaml.Unmarshal(raw, &cases))
	require.NotEmpty(t, cases)
	for _, tt := range cases {
		t.Run(tt.Message, func(t *testing.T) {
			cfg := createDefaultConfig().(*Config)
			err := confmap.NewFromStringMap(tt.Config).Unmarshal(cfg)
			if err == nil {
				err = confmap.Validate(cfg)
			}
			require.ErrorContains(t, err, tt.Message)
		})
	}
}
