// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestText(t *testing.T) {
	f := func(text, keep, want string) {
		t.Helper()
		assert.Equal(t, want, Text(text, keep))
	}
	f("", "", "")
	f("plain, größer, 日本, 🙂, C:\\x", "", "plain, größer, 日本, 🙂, C:\\x")
	f("\x1b[2Jgone", "", `\x1b[2Jgone`)
	f("\u009b2J \u0085", "", `\u009b2J \u0085`)
	f("\x9b2J \xff", "", `\x9b2J \xff`)
	f("a\rb\tc\nd\x00\x7f\a", "", `a\rb\tc\nd\x00\x7f\a`)
	f("a\tb\nc\x1b", "\n\t", "a\tb\nc\\x1b")
	f("abc\u202edef", "", `abc\u202edef`)
	f("\ufffd is a character", "", "\ufffd is a character")
}

func TestColours(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0) // a character device, as a terminal is
	require.NoError(t, err)
	defer null.Close()
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	require.NoError(t, err)
	defer file.Close()

	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "")
	assert.True(t, Colours(null))
	assert.False(t, Colours(file))
	t.Setenv("TERM", "dumb")
	assert.False(t, Colours(null))
	t.Setenv("TERM", "")
	assert.False(t, Colours(null))
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "1")
	assert.False(t, Colours(null))
}
