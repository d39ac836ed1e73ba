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

// Dashboard is the part of a Grafana dashboard that tests check.
type Dashboard struct {
	UID           string
	Title         string
	SchemaVersion int
	Panels        []Panel
	Templating    struct{ List []Variable }
}

// Variable is a choice that the dashboard offers.
type Variable struct {
	Name       string
	Type       string
	Datasource Datasource
	Query      any // a string or an object if Type is query, else the value
}

// Panel is a panel, or a row of them.
type Panel struct {
	ID          int
	Type        string
	Title       string
	Description string
	GridPos     struct{ X, Y, W, H int }
	Datasource  Datasource
	Targets     []Target
	Panels      []Panel // of a collapsed row
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

// All returns rows and panels, those of collapsed rows included.
func (d *Dashboard) All() []Panel {
	var all []Panel
	for _, panel := range d.Panels {
		all = append(append(all, panel), panel.Panels...)
	}
	return all
}

// Fill replaces the variables of a query, and Grafana's own, for a scrape interval of a second.
func Fill(expr string, variables map[string]string) string {
	pairs := []string{"$__rate_interval", "10s", "$__range", "5m"}
	for name, value := range variables {
		pairs = append(pairs, "$"+name, value)
	}
	return strings.NewReplacer(pairs...).Replace(expr)
}
