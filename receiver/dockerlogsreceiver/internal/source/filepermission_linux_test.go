// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
)

// TestFileMayNotBeRead: a file that is there and may not be opened is not taken for an empty
// one, and is read once it may be.
func TestFileMayNotBeRead(t *testing.T) {
	withFiles(t, enginetest.ContainerSpec{}, func(f *fixture) {
		f.number(10)
		f.complete(file)
		f.accept()
		f.source.CloseFiles()
		root := filepath.Dir(f.shared.Files.DataRoot()) // of all that the test keeps
		require.NoError(f.t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.IsDir() {
				return err
			}
			return os.Chmod(path, 0o755)
		}))
		require.NoError(f.t, os.Chmod(f.path(), 0))
		asNobody(f.t, func() {
			result := f.read(file)
			assert.Equal(f.t, NoFile, result.End)
			assert.ErrorIs(f.t, result.Err, fs.ErrPermission)
			assert.False(f.t, f.source.FilesOpen())
		})
		require.NoError(f.t, os.Chmod(f.path(), 0o644))
		asNobody(f.t, func() {
			f.complete(file)
		})
		assert.Equal(f.t, lineNumbers(0, 10), f.taken)
	})
}

// asNobody does something with the rights to files of a user who has none.
func asNobody(t *testing.T, act func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		act() // the file's owner may not read it either
		return
	}
	const nobody = 65534
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	require.NoError(t, syscall.Setfsuid(nobody))
	defer func() { require.NoError(t, syscall.Setfsuid(0)) }()
	act()
}
