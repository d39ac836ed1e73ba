// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"golang.org/x/sync/semaphore"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/batch"
)

// parcel is a batch in the outbox.
type parcel struct {
	*batch.Batch
	from  committer
	room  *room
	taken int64 // bytes of room
}

func newParcel(b *batch.Batch, from committer, r *room) *parcel {
	return &parcel{Batch: b, from: from, room: r, taken: min(r.size, int64(b.Size()))}
}

// room bounds what has been read and not been accepted.
type room struct {
	*semaphore.Weighted
	size int64 // bytes
}

func newRoom(size int64) *room { return &room{semaphore.NewWeighted(size), size} }
