// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, name))
	require.NoError(t, err)
	return string(text)
}

// TestWorkflows checks what cannot run here: the syntax, and that what the workflows call is there.
func TestWorkflows(t *testing.T) {
	linter, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{})
	require.NoError(t, err)
	files, err := filepath.Glob(filepath.Join(repository, ".github/workflows/*.yml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	found, err := linter.LintFiles(files, nil)
	require.NoError(t, err)
	for _, problem := range found {
		t.Error(problem)
	}

	known := make(map[string]bool)
	for _, target := range targetsOf(t) {
		known[target] = true
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, call := range regexp.MustCompile(`\bmake ([a-z-]+)`).FindAllStringSubmatch(string(text), -1) {
			assert.True(t, known[call[1]], "%s calls make %s", file, call[1])
		}
	}
}

// TestDependabot has it know every module of the repository.
func TestDependabot(t *testing.T) {
	var config struct {
		Updates []struct {
			Ecosystem   string `yaml:"package-ecosystem"`
			Directories []string
		}
	}
	require.NoError(t, yaml.Unmarshal([]byte(read(t, ".github/dependabot.yml")), &config))
	output, err := exec.Command("git", "-C", repository, "ls-files", "go.mod", "*/go.mod").Output()
	require.NoError(t, err)
	var want []string
	for file := range strings.Lines(string(output)) {
		want = append(want, filepath.Join("/", filepath.Dir(strings.TrimSpace(file))))
	}
	assert.Equal(t, "gomod", config.Updates[0].Ecosystem)
	assert.ElementsMatch(t, want, config.Updates[0].Directories)
}

func targetsOf(t *testing.T) []string {
	t.Helper()
	phony := regexp.MustCompile(`(?m)^\.PHONY: (all .*)$`).FindStringSubmatch(read(t, "Makefile"))
	require.NotNil(t, phony)
	return strings.Fields(phony[1])
}

// TestHelp has make help tell every target.
func TestHelp(t *testing.T) {
	output, err := exec.Command("make", "-C", repository, "--no-print-directory", "help").Output()
	require.NoError(t, err)
	var told []string
	for _, row := range regexp.MustCompile(`(?m)^  ([a-z-]+) `).FindAllStringSubmatch(string(output), -1) {
		told = append(told, row[1])
	}
	want := slices.DeleteFunc(targetsOf(t), func(name string) bool { return name == "all" })
	assert.ElementsMatch(t, want, told)
}
