// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// The ids by which dashboard and alerts name the data sources, and the folder that holds both.
const (
	PrometheusUID = "prometheus"
	LokiUID       = "loki"
	Folder        = "otelcol-dockerlogs"
)

// Dashboard is what the tests look at in a dashboard of Grafana.
type Dashboard struct {
	UID           string
	Title         string
	SchemaVersion int
	Panels        []Panel
	Templating    struct{ List []Variable }
}

// Variable is what a reader of the dashboard chooses.
type Variable struct {
	Name       string
	Type       string
	Datasource Datasource
	Query      any // of a query: a string or an object; else the value
}

// Panel is one panel of it, or a row.
type Panel struct {
	ID          int
	Type        string
	Title       string
	Description string
	GridPos     struct{ X, Y, W, H int }
	Datasource  Datasource
	Targets     []Target
	Panels      []Panel // of a row that is folded
}

// Target is a query of a panel.
type Target struct {
	RefID      string
	Expr       string
	Datasource Datasource
}

// Datasource names a data source.
type Datasource struct{ Type, UID string }

// ReadDashboard reads a dashboard.
func ReadDashboard(path string) (*Dashboard, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	d := new(Dashboard)
	if err := json.Unmarshal(text, d); err != nil {
		return nil, fmt.Errorf("read dashboard %s: %w", path, err)
	}
	return d, nil
}

// All gives the panels, those of folded rows too, and the rows.
func (d *Dashboard) All() []Panel {
	var all []Panel
	for _, panel := range d.Panels {
		all = append(append(all, panel), panel.Panels...)
	}
	return all
}

// Fill replaces the variables of a query, and Grafana's own: a scrape a second is supposed.
func Fill(expr string, variables map[string]string) string {
	pairs := []string{"$__rate_interval", "10s", "$__range", "5m"}
	for name, value := range variables {
		pairs = append(pairs, "$"+name, value)
	}
	return strings.NewReplacer(pairs...).Replace(expr)
}
