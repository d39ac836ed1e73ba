// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package enginetest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
)

// requireShape requires that every field of an answer is one that the real engine sends, and of the same type.
func requireShape(t *testing.T, real, fake any, path string) {
	t.Helper()
	switch f := fake.(type) {
	case nil:
	case map[string]any:
		r, ok := real.(map[string]any)
		require.True(t, ok, "%s is %T", path, real)
		for key, v := range f {
			require.Contains(t, r, key, path)
			requireShape(t, r[key], v, path+"."+key)
		}
	case []any:
		if real == nil {
			return
		}
		r, ok := real.([]any)
		require.True(t, ok, "%s is %T", path, real)
		if len(r) > 0 && len(f) > 0 {
			requireShape(t, r[0], f[0], path+"[0]")
		}
	default:
		require.IsType(t, real, fake, path)
	}
}

func TestAnswersHaveTheShapeOfTheRealOnes(t *testing.T) {
	inBubble(t, func(t *testing.T, e *enginetest.Engine, c *client) {
		e.Add(enginetest.ContainerSpec{
			Name: "etA", Running: true, Env: []string{"FOO=bar"}, Labels: map[string]string{"com.acme": "1"},
			DriverOpts: map[string]string{"max-size": "10m", "max-file": "3"},
		})
		for path, file := range map[string]string{
			"/v1.41/containers/json":     "list.json",
			"/v1.41/containers/etA/json": "inspect.json",
			"/v1.41/info":                "info.json",
			"/v1.41/version":             "version.json",
		} {
			requireShape(t, fromJSON(t, captured(t, file)), c.decode(t, path), file)
		}
	})
}

func TestInspect(t *testing.T) {
	inBubble(t, func(t *testing.T, e *enginetest.Engine, c *client) {
		created := time.Now()
		web := e.Add(enginetest.ContainerSpec{
			Name: "web", Image: "acme/web:1", TTY: true, AutoRemove: true,
			Labels: map[string]string{"a": "b"}, Env: []string{"FOO=bar"}, Driver: "local", DriverOpts: map[string]string{"max-size": "1m"},
		})
		inspect := func() map[string]any { return c.decode(t, "/v1.41/containers/"+web.ID()[:7]+"/json").(map[string]any) }
		state := func() map[string]any { return inspect()["State"].(map[string]any) }

		all := inspect()
		assert.Equal(t, web.ID(), all["Id"])
		assert.Len(t, web.ID(), 64)
		assert.Equal(t, "/web", all["Name"])
		assert.Equal(t, created.UTC().Format(time.RFC3339Nano), all["Created"])
		assert.Regexp(t, "^sha256:[0-9a-f]{64}$", all["Image"])
		config := all["Config"].(map[string]any)
		assert.Equal(t, web.ID()[:12], config["Hostname"])
		assert.Equal(t, "acme/web:1", config["Image"])
		assert.Equal(t, true, config["Tty"])
		assert.Equal(t, []any{"FOO=bar"}, config["Env"])
		assert.Equal(t, map[string]any{"a": "b"}, config["Labels"])
		host := all["HostConfig"].(map[string]any)
		assert.Equal(t, true, host["AutoRemove"])
		assert.Equal(t, map[string]any{"Type": "local", "Config": map[string]any{"max-size": "1m"}}, host["LogConfig"])

		s := state()
		assert.Equal(t, "created", s["Status"])
		assert.Equal(t, false, s["Running"])
		assert.Equal(t, "0001-01-01T00:00:00Z", s["StartedAt"])
		time.Sleep(time.Second)
		web.Start()
		s = state()
		assert.Equal(t, "running", s["Status"])
		assert.NotZero(t, s["Pid"])
		assert.Equal(t, time.Now().UTC().Format(time.RFC3339Nano), s["StartedAt"])
		web.Pause()
		s = state()
		assert.Equal(t, []any{"paused", true, true}, []any{s["Status"], s["Running"], s["Paused"]})
		web.Unpause()
		web.Crash(3)
		s = state()
		assert.Equal(t, []any{"restarting", true, true, 0., 3.}, []any{s["Status"], s["Running"], s["Restarting"], s["Pid"], s["ExitCode"]})
		web.Start()
		require.Equal(t, "running", state()["Status"])
		web.Rename("other")
		require.Equal(t, "/other", inspect()["Name"])
		require.Equal(t, "other", web.Name())
		web.Stop(0)
		status, _ := c.get(t, "/containers/"+web.ID()+"/json")
		require.Equal(t, 404, status, "AutoRemove")
	})
}

func TestList(t *testing.T) {
	inBubble(t, func(t *testing.T, e *enginetest.Engine, c *client) {
		web := e.Add(enginetest.ContainerSpec{Name: "web", Running: true, Labels: map[string]string{"tier": "front", "x": "1"}})
		db := e.Add(enginetest.ContainerSpec{Name: "db", Running: true, Labels: map[string]string{"tier": "back"}})
		old := e.Add(enginetest.ContainerSpec{Name: "old"})
		db.Pause()
		names := func(query string) string {
			var all []any
			for _, one := range c.decode(t, "/containers/json?"+query).([]any) {
				all = append(all, one.(map[string]any)["Names"].([]any)[0])
			}
			return fmt.Sprint(all)
		}
		assert.Equal(t, "[/db /web]", names(""), "running ones, the newest first")
		assert.Equal(t, "[/old /db /web]", names("all=1"))
		assert.Equal(t, "[/old /db]", names("all=1&limit=2"))
		assert.Equal(t, "[/web]", names(`all=1&filters={"id":["`+web.ID()+`"]}`))
		assert.Equal(t, "[/old]", names(`all=1&filters={"id":{"`+old.ID()[:6]+`":true}}`), "a prefix, in the old form")
		assert.Equal(t, "[/old /web]", names(`all=1&filters={"id":["`+web.ID()+`","`+old.ID()+`"]}`))
		assert.Equal(t, "[]", names(`all=1&filters={"id":["`+web.ID()[3:9]+`"]}`), "not from the middle")
		assert.Equal(t, "[/old]", names(`filters={"status":["created"]}`), "status implies all")
		assert.Equal(t, "[/db]", names(`filters={"name":["^/db$"]}`))
		assert.Equal(t, "[/web]", names(`filters={"label":["tier=front","x"]}`))
		assert.Equal(t, "[]", names(`filters={"label":["tier=front","y"]}`))

		db.Unpause()
		time.Sleep(5 * time.Second)
		web.Exit(3)
		texts := map[any]any{}
		for _, one := range c.decode(t, "/containers/json?all=1").([]any) {
			texts[one.(map[string]any)["Names"].([]any)[0]] = one.(map[string]any)["Status"]
		}
		assert.Equal(t, map[any]any{"/web": "Exited (3) Less than a second ago", "/db": "Up 5 seconds", "/old": "Created"}, texts)
	})
}

func TestLookUp(t *testing.T) {
	inBubble(t, func(t *testing.T, e *enginetest.Engine, c *client) {
		e.Add(enginetest.ContainerSpec{ID: "abc123", Name: "one"})
		e.Add(enginetest.ContainerSpec{ID: "abd456", Name: "ab"}) // a name comes before a prefix
		for asked, want := range map[string]string{"abc123": "/one", "abc": "/one", "one": "/one", "%2Fone": "/one", "ab": "/ab", "abd": "/ab"} {
			require.Equal(t, want, c.decode(t, "/containers/"+asked+"/json").(map[string]any)["Name"], asked)
		}
	})
	inBubble(t, func(t *testing.T, e *enginetest.Engine, c *client) {
		e.Add(enginetest.ContainerSpec{ID: "abc123"})
		e.Add(enginetest.ContainerSpec{ID: "abd456"})
		status, body := c.get(t, "/containers/ab/json")
		require.Equal(t, 400, status)
		require.Contains(t, body, "multiple IDs found with provided prefix: ab")
		require.Panics(t, func() { e.Add(enginetest.ContainerSpec{ID: "abc123"}) })
	}, enginetest.Docker29())
}

func TestInfoCountsWhatIsOpen(t *testing.T) {
	inBubble(t, func(t *testing.T, e *enginetest.Engine, c *client) {
		web := e.Add(enginetest.ContainerSpec{Running: true})
		info := func() map[string]any { return c.decode(t, "/info").(map[string]any) }
		before := info()
		resp := c.open(t, logsPath(web, "follow", "1"))
		during := info()
		require.Greater(t, during["NGoroutines"], before["NGoroutines"])
		require.Greater(t, during["NFd"], before["NFd"])
		require.NoError(t, resp.Body.Close())
		require.NoError(t, e.WaitConns(t.Context(), 1))
		after := info()
		require.Equal(t, before["NGoroutines"], after["NGoroutines"])
		require.Equal(t, before["NFd"], after["NFd"])
		require.Equal(t, time.Now().UTC().Format(time.RFC3339Nano), after["SystemTime"])
	})
}
