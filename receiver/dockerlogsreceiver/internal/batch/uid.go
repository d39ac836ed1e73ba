// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"encoding/binary"
	"encoding/hex"

	"github.com/cespare/xxhash/v2"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/position"
)

const uidSize = 32

// UID is a log.record.uid: the time and a hash, in hex.
type UID [uidSize]byte

// UIDOf returns a record's log.record.uid. It is the same whenever the record is read, and
// sorts by time. ordinal tells records that are equal in all else apart.
func UIDOf(container string, id position.ID, ordinal int) (uid UID) {
	var h xxhash.Digest
	var tail [16]byte
	binary.BigEndian.PutUint64(tail[:8], id.Hash)
	binary.BigEndian.PutUint64(tail[8:], uint64(ordinal))
	h.ResetWithSeed(0)
	_, _ = h.WriteString(container)
	_, _ = h.Write(tail[:])
	binary.BigEndian.PutUint64(tail[:8], uint64(id.Time))
	binary.BigEndian.PutUint64(tail[8:], h.Sum64())
	hex.Encode(uid[:], tail[:])
	return uid
}
