// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go test -run ^TestGrafanaAlerts$ -count=1 . -update

// Package monitoring reads the files of deploy/ that are for Prometheus and Grafana. Its tests
// check whatever can be checked without a collector, and write Grafana's alerts, which are
// those of Prometheus.
package monitoring
