// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package enginetest

import (
	"bytes"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPipeHoldsWhatFitsAndThenBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pipe(100)
		n, err := a.Write(make([]byte, 100)) // nobody reads yet
		require.NoError(t, err)
		require.Equal(t, 100, n)

		done := false
		go func() {
			_, err := a.Write([]byte("one more"))
			assert.NoError(t, err)
			done = true
		}()
		synctest.Wait()
		require.False(t, done, "the buffer is full")
		_, err = io.ReadFull(b, make([]byte, 50))
		require.NoError(t, err)
		synctest.Wait()
		require.True(t, done)
	})
}

func TestPipeDeliversEverythingInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		want := make([]byte, 10_000)
		for i := range want {
			want[i] = byte(i % 251)
		}
		a, b := pipe(37)
		go func() {
			_, err := io.Copy(a, bytes.NewReader(want))
			assert.NoError(t, err)
			assert.NoError(t, a.Close())
		}()
		got, err := io.ReadAll(b)
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}

func TestPipeClose(t *testing.T) {
	a, b := pipe(100)
	_, err := a.Write([]byte("left"))
	require.NoError(t, err)
	require.NoError(t, a.Close())
	require.NoError(t, a.Close())

	_, err = a.Write([]byte("x"))
	require.ErrorIs(t, err, net.ErrClosed)
	_, err = a.Read(make([]byte, 1))
	require.ErrorIs(t, err, net.ErrClosed)
	_, err = b.Write([]byte("x"))
	require.ErrorIs(t, err, io.ErrClosedPipe)
	got, err := io.ReadAll(b)
	require.NoError(t, err)
	require.Equal(t, "left", string(got))
}

func TestPipeDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := pipe(1)
		start := time.Now()
		require.NoError(t, a.SetDeadline(start.Add(time.Minute)))
		_, err := a.Read(make([]byte, 1))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Equal(t, time.Minute, time.Since(start))
		n, err := a.Write([]byte("xy"))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Zero(t, n)

		require.NoError(t, a.SetDeadline(time.Time{}))
		n, err = a.Write([]byte("x"))
		require.NoError(t, err)
		require.Equal(t, 1, n)

		go func() { // a deadline in the past wakes a reader that waits, which is how net/http stops its own
			time.Sleep(time.Minute)
			assert.NoError(t, a.SetReadDeadline(time.Unix(1, 0)))
		}()
		_, err = a.Read(make([]byte, 1))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	})
}
