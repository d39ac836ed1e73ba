// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
)

func TestConfig(t *testing.T) {
	for _, tt := range []struct{ color, message string }{
		{"auto", ""},
		{"always", ""},
		{"never", ""},
		{"", `color: "" is none of auto, always and never`},
		{"yes", `color: "yes" is none of auto, always and never`},
	} {
		cfg := createDefaultConfig()
		require.NoError(t, confmap.NewFromStringMap(map[string]any{"color": tt.color}).Unmarshal(cfg))
		err := confmap.Validate(cfg)
		if tt.message == "" {
			assert.NoError(t, err)
			assert.Equal(t, &Config{Color: Color(tt.color)}, cfg)
		} else {
			assert.ErrorContains(t, err, tt.message)
		}
	}
}

// TestREADME holds that the README and the schema have the option with its default, and
// loads what the README configures.
func TestREADME(t *testing.T) {
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	_, options, _ := strings.Cut(string(text), "\n## Configuration\n")
	var documented []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| `([a-z]+)` \\|").FindAllStringSubmatch(options, -1) {
		documented = append(documented, row[1:]...)
	}
	assert.Equal(t, []string{"color", string(createDefaultConfig().(*Config).Color)}, documented)
	schema, err := confmaptest.LoadConf("config.schema.yaml")
	require.NoError(t, err)
	assert.Equal(t, []any{"auto", "always", "never"}, schema.Get("properties::color::enum"))

	_, example, _ := strings.Cut(string(text), "\n```yaml\n")
	example, _, _ = strings.Cut(example, "\n```\n")
	retrieved, err := confmap.NewRetrievedFromYAML([]byte(example))
	require.NoError(t, err)
	conf, err := retrieved.AsConf()
	require.NoError(t, err)
	assert.Equal(t, []any{"console"}, conf.Get("service::pipelines::logs::exporters"))
	assert.True(t, conf.IsSet("exporters::console"))
}
