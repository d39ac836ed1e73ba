// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go run ./grafanarules ../../deploy/prometheus/rules/otelcol-dockerlogs.yml ../../deploy/grafana/provisioning/alerting/otelcol-dockerlogs.yaml

// Package monitoring knows the files of deploy/ that are for Prometheus and Grafana: it makes Grafana's alerts from the
// rules of Prometheus, reads both and the dashboard for the tests, and its own tests check all that can be checked
// without a collector.
package monitoring
