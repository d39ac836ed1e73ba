// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const columns = 24 // of Grafana's grid

var variable = regexp.MustCompile(`\$(\w+)`)

func TestDashboards(t *testing.T) {
	files, err := filepath.Glob(grafana + "/dashboards/*")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			d, err := ReadDashboard(file)
			require.NoError(t, err)
			assert.NotEmpty(t, d.UID)
			assert.NotEmpty(t, d.Title)
			assert.GreaterOrEqual(t, d.SchemaVersion, 36, "from which on data sources are named by uid")
			checkGrid(t, d.All())
			known := map[string]bool{"__rate_interval": true, "__range": true}
			for _, v := range d.Templating.List {
				known[v.Name] = true
				if v.Type == "query" {
					checkDatasource(t, v.Datasource)
					assert.NotEmpty(t, v.Query, v.Name)
				}
			}
			checkPanels(t, d.All(), known)
		})
	}
}

// checkGrid checks that no two panels have the same id or overlap.
func checkGrid(t *testing.T, panels []Panel) {
	ids := make(map[int]string)
	taken := make(map[[2]int]string)
	for _, panel := range panels {
		assert.Positive(t, panel.ID, panel.Title)
		assert.Empty(t, ids[panel.ID], "%s has its id %d", panel.Title, panel.ID)
		ids[panel.ID] = panel.Title
		at := panel.GridPos
		assert.Positive(t, at.W*at.H, panel.Title)
		assert.True(t, at.X >= 0 && at.Y >= 0 && at.X+at.W <= columns, "%s lies outside", panel.Title)
		for x := at.X; x < at.X+at.W; x++ {
			for y := at.Y; y < at.Y+at.H; y++ {
				require.Empty(t, taken[[2]int{x, y}], "%s lies there too", panel.Title)
				taken[[2]int{x, y}] = panel.Title
			}
		}
	}
}

func checkPanels(t *testing.T, panels []Panel, variables map[string]bool) {
	rows := 0
	for _, panel := range panels {
		assert.NotEmpty(t, panel.Title)
		if panel.Type == "row" {
			rows++
			continue
		}
		assert.NotEmpty(t, panel.Description, panel.Title)
		checkDatasource(t, panel.Datasource)
		assert.NotEmpty(t, panel.Targets, panel.Title)
		refs := make(map[string]bool)
		for _, target := range panel.Targets {
			assert.False(t, target.RefID == "" || refs[target.RefID], "%s: refId %q", panel.Title, target.RefID)
			refs[target.RefID] = true
			checkDatasource(t, target.Datasource)
			assert.Equal(t, panel.Datasource, target.Datasource, panel.Title)
			assert.NotEmpty(t, strings.TrimSpace(target.Expr), panel.Title)
			for _, name := range variable.FindAllStringSubmatch(target.Expr, -1) {
				assert.True(t, variables[name[1]], "%s: there is no variable %s", panel.Title, name[1])
			}
			if target.Datasource.UID == PrometheusUID {
				selectors := strings.Count(target.Expr, "{")
				assert.Positive(t, selectors, panel.Title)
				assert.Equal(t, selectors, strings.Count(target.Expr, `{job=~"$job", instance=~"$instance"`),
					"%s: every selector obeys the choice of job and instance", panel.Title)
			}
		}
	}
	assert.Positive(t, rows)
}

func checkDatasource(t *testing.T, source Datasource) {
	t.Helper()
	types := map[string]string{PrometheusUID: "prometheus", LokiUID: "loki"}
	assert.NotEmpty(t, types[source.UID], "data source %q", source.UID)
	assert.Equal(t, types[source.UID], source.Type)
}

func TestFill(t *testing.T) {
	assert.Equal(t, `rate(a{job=~".+"}[10s]) / increase(a[5m])`,
		Fill(`rate(a{job=~"$job"}[$__rate_interval]) / increase(a[$__range])`, map[string]string{"job": ".+"}))
}
