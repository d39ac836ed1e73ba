// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package enginetest

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// dataRoot is what an engine without files says of them. Nothing is there.
const dataRoot = "/nowhere/docker"

// Files makes the engine keep the logs in files too, as the engine's log drivers do, below that directory, which its info
// then names. They hold what was written, also where a fault makes the API show less; a record that is unreadable when it is
// written is torn.
func Files(dir string) Option {
	if err := os.MkdirAll(filepath.Join(dir, "containers"), 0o700); err != nil {
		panic("enginetest: " + err.Error())
	}
	return func(o *options) { o.dataRoot, o.files = dir, true }
}

// The names of a log's files.
func (c *Container) logDir() string {
	return filepath.Join(c.engine.dataRoot, "containers", c.spec.ID)
}

func (c *Container) logFile() string {
	switch c.spec.Driver {
	case "json-file":
		return filepath.Join(c.logDir(), c.spec.ID+"-json.log")
	case "local":
		return filepath.Join(c.logDir(), "local-logs", "container.log")
	default:
		return filepath.Join(c.logDir(), "container-cached.log")
	}
}

// writeFile appends a record to the log's file. mu is held.
func (c *Container) writeFile(r Record) {
	if !c.engine.files || c.spec.Driver == "none" {
		return
	}
	b := encodeRecord(c.spec.Driver, r)
	if u, ok := c.unstable[r.Number]; ok && !u.once {
		b = b[:len(b)/2]
	}
	if err := c.appendFile(b); err != nil {
		panic("enginetest: " + err.Error())
	}
}

func (c *Container) appendFile(b []byte) error {
	path := c.logFile()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Close())
}

// rotateFile leaves as many older files as hold the newest keep records: the one that was written, or none. mu is held.
func (c *Container) rotateFile(keep int) {
	if !c.engine.files {
		return
	}
	path := c.logFile()
	var err error
	if keep > 0 {
		err = os.Rename(path, path+".1")
	} else {
		err = errors.Join(os.Remove(path), ignoreMissing(os.Remove(path+".1")))
	}
	if err := errors.Join(ignoreMissing(err), c.appendFile(nil)); err != nil {
		panic("enginetest: " + err.Error())
	}
}

// truncateFile empties the file under its writer. mu is held.
func (c *Container) truncateFile() {
	if c.engine.files {
		_ = os.Truncate(c.logFile(), 0)
	}
}

// removeFiles removes the container's directory. mu is held.
func (c *Container) removeFiles() {
	if c.engine.files {
		_ = os.RemoveAll(c.logDir())
	}
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// encodeRecord returns a record as a log driver writes it.
func encodeRecord(driver string, r Record) []byte {
	name := map[Stream]string{Stdout: "stdout", Stderr: "stderr"}[r.Stream]
	if driver == "json-file" {
		b, _ := json.Marshal(struct {
			Log    string `json:"log"`
			Stream string `json:"stream"`
			Time   string `json:"time"`
		}{r.Text, name, r.Time.UTC().Format(time.RFC3339Nano)})
		return append(b, '\n')
	}
	text, ended := strings.CutSuffix(r.Text, "\n")
	b := append([]byte{1<<3 | 2, byte(len(name))}, name...)
	b = binary.AppendUvarint(append(b, 2<<3), uint64(r.Time.UnixNano()))
	b = binary.AppendUvarint(append(b, 3<<3|2), uint64(len(text)))
	b = append(b, text...)
	if !ended {
		b = append(b, 4<<3, 1)
	}
	framed := binary.BigEndian.AppendUint32(nil, uint32(len(b)))
	framed = append(framed, b...)
	return binary.BigEndian.AppendUint32(framed, uint32(len(b)))
}
