// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
)

// secrets are in the lines of the recipes that are to mask them, by title.
var secrets = map[string][]string{
	"Secrets masked":  {"hunter2", "s3cr3t-pw", "c2VjcmV0LXRva2Vu", "4111"},
	"Several at once": {"hunter2", "4111"},
}

// TestRecipes runs each recipe of docs/recipes.md as a person would, with engines and backends that are fakes, and compares
// what arrives with what the page says.
func TestRecipes(t *testing.T) {
	base, recipes := readRecipes(t)
	common := recipe{title: "the top", config: base}
	var before []string // the recipes in front, which the ones that are not alone put in order
	for _, r := range recipes {
		configs := []string{base}
		if !r.alone(t) {
			configs = append(configs, before...)
		}
		configs = append(configs, r.config)
		before = append(before, r.config)
		t.Run(r.title, func(t *testing.T) {
			t.Parallel()
			k := kitchen{recipe: r, base: common}
			k.compare(t, k.run(t, configs))
			if k.proxy != nil {
				assert.Empty(t, k.proxy.refused(), "all that the receiver asks for is let through")
			}
		})
	}
	for title := range secrets {
		assert.True(t, slices.ContainsFunc(recipes, func(r recipe) bool { return r.title == title }), title)
	}
}

// kitchen is what a recipe is tried in.
type kitchen struct {
	recipe
	base recipe

	engines  map[string]*enginetest.Engine // by name
	backend  *backend
	proxy    *socketProxy // in front of the engine; nil if there is none
	settings []string     // what differs from the page
}

// written is when the first line of a recipe was written, the others a millisecond after each other: log.record.uid, and so
// what is drawn by it, is always the same.
var written = time.Date(2025, 6, 1, 10, 0, 0, 0, time.UTC)

// run starts a collector with the configurations, and returns all that has arrived when it has ended.
func (k *kitchen) run(t *testing.T, configs []string) []record {
	t.Helper()
	k.backend = startBackend(t)
	ends := k.write()
	k.receivers(t)
	k.exporters(t)
	k.set("service::telemetry::metrics::level: none")

	var args []string
	for _, config := range configs {
		args = append(args, "--config="+writeFile(t, "recipe.yaml", config))
	}
	for _, setting := range k.settings {
		args = append(args, "--config=yaml:"+setting)
	}
	c := launch(t, exec.Command(binary(t), args...))
	require.Eventually(t, func() bool {
		records, failure := k.backend.arrived()
		left := make(map[any]bool)
		for _, end := range ends {
			left[end] = true
		}
		for _, r := range records {
			delete(left, r["body"])
		}
		return len(left) == 0 || failure != nil
	}, patience, 20*time.Millisecond, "a container has not been read to its end")
	c.terminate(t)

	records, failure := k.backend.arrived()
	require.NoError(t, failure)
	for _, secret := range secrets[k.title] {
		assert.NotContains(t, c.output.String(), secret, "the collector's own log")
	}
	for _, level := range []string{"warn", "error"} {
		assert.NotContains(t, c.output.String(), "\t"+level+"\t")
	}
	return slices.DeleteFunc(records, func(r record) bool { return slices.Contains(ends, r["body"].(string)) })
}

// write has containers write the lines, and each a last one, which is returned: when that has arrived, all have been read.
func (k *kitchen) write() (ends []string) {
	k.engines = map[string]*enginetest.Engine{}
	containers := make(map[string]*enginetest.Container)
	at := written
	for _, line := range k.lines {
		engine := k.engines[line.engine]
		if engine == nil {
			engine = enginetest.New(enginetest.HostName(line.engine))
			k.engines[line.engine] = engine
		}
		c := containers[line.container+line.engine]
		if c == nil {
			c = engine.Add(composeContainer(line.container))
			containers[line.container+line.engine] = c
		}
		stream := enginetest.Stdout
		if line.stderr {
			stream = enginetest.Stderr
		}
		c.WriteAt(at, stream, line.text+"\n")
		at = at.Add(time.Millisecond)
	}
	for name, c := range containers {
		end := "the end of " + name
		c.WriteAt(at, enginetest.Stdout, end+"\n")
		ends = append(ends, end)
	}
	return ends
}

// composeContainer is a container that Compose has named: project, service and number.
func composeContainer(name string) enginetest.ContainerSpec {
	id := sha256.Sum256([]byte(name))
	parts := strings.Split(name, "-")
	return enginetest.ContainerSpec{
		ID: hex.EncodeToString(id[:]), Name: name, Running: true,
		Labels: map[string]string{"com.docker.compose.project": parts[0], "com.docker.compose.service": parts[1]},
	}
}

func (k *kitchen) set(setting string) { k.settings = append(k.settings, setting) }

// receivers leads each receiver to its engine: docker_logs/edge to edge, if there is one of that name.
func (k *kitchen) receivers(t *testing.T) {
	for id, config := range both(k.base.components(t, "receivers"), k.components(t, "receivers")) {
		_, name, _ := strings.Cut(id, "/")
		engine := k.engines[name]
		if engine == nil && len(k.engines) == 1 {
			engine = slices.Collect(maps.Values(k.engines))[0]
		}
		if engine == nil {
			engine = k.engines["here"]
		}
		key := "receivers::" + id + "::"
		k.set(key + "start_at: beginning")
		endpoint, _ := config["endpoint"].(string)
		switch {
		case config["tls"] != nil:
			tls := startTLS(t, engine.Listen(t))
			k.set(key + "endpoint: " + tls.endpoint)
			for file, path := range tls.files {
				assert.Contains(t, config["tls"], file)
				k.set(key + "tls::" + file + ": " + path)
			}
		case strings.HasPrefix(endpoint, "tcp://socket-proxy:"):
			k.proxy = startSocketProxy(t, engine.Listen(t))
			k.set(key + "endpoint: " + k.proxy.endpoint)
		default:
			k.set(key + "endpoint: " + engine.Listen(t))
		}
	}
}

// exporters leads each exporter to the backend, on the path that it has.
func (k *kitchen) exporters(t *testing.T) {
	for id, config := range both(k.base.components(t, "exporters"), k.components(t, "exporters")) {
		kind, _, _ := strings.Cut(id, "/")
		key := "exporters::" + id + "::"
		switch kind {
		case "otlp_http":
			endpoint, err := url.Parse(config["endpoint"].(string))
			require.NoError(t, err)
			k.set(key + "endpoint: " + k.backend.server.URL + endpoint.Path)
		case "kafka":
			topic := config["logs"].(map[string]any)["topic"].(string)
			k.set(key + "brokers: [" + startKafka(t, topic, k.backend) + "]")
		default:
			t.Fatalf("no backend for %s", id)
		}
	}
}

// both merges the components of two configurations, as the Collector does with whole ones.
func both(base, more map[string]map[string]any) map[string]map[string]any {
	merged := make(map[string]map[string]any)
	for _, from := range []map[string]map[string]any{base, more} {
		for id, config := range from {
			if merged[id] == nil {
				merged[id] = make(map[string]any)
			}
			maps.Copy(merged[id], config)
		}
	}
	return merged
}

// compare holds what has arrived against the page.
func (k *kitchen) compare(t *testing.T, records []record) {
	t.Helper()
	resource := make(map[string]bool)
	var want, got []string
	for _, r := range k.want {
		of, _ := r["resource"].(map[string]any)
		for key := range of {
			resource[key] = true
		}
		text, err := json.Marshal(r)
		require.NoError(t, err)
		want = append(want, string(text))
	}
	for _, r := range records {
		got = append(got, r.shown(t, resource))
	}
	slices.Sort(want)
	slices.Sort(got)
	assert.Equal(t, strings.Join(want, "\n"), strings.Join(got, "\n"))
	all, err := json.Marshal(records)
	require.NoError(t, err)
	for _, secret := range secrets[k.title] {
		assert.True(t, slices.ContainsFunc(k.lines, func(line recipeLine) bool { return strings.Contains(line.text, secret) }), secret)
		assert.NotContains(t, string(all), secret)
	}
}
