// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package position

import (
	"encoding/hex"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/stream"
)

// admitted returns a position that has admitted n records, and those.
func admitted(n int) (p *Position, list []Delivered) {
	p = blank()
	for _, rec := range lines(n, time.Millisecond) {
		id := IDOf(rec)
		list = append(list, Delivered{Seq: p.Admit(id), ID: id})
	}
	return p, list
}

// stored are the identities that a restart would know.
func stored(t *testing.T, p *Position) []ID {
	t.Helper()
	value, changed := p.frontier.Take()
	require.True(t, changed)
	f, err := Decode(value)
	require.NoError(t, err)
	return f.ids
}

// TestFrontierStaysBeforeWhatIsNotAccepted: a record that is accepted before an older one
// is known in this process, and not after a restart.
func TestFrontierStaysBeforeWhatIsNotAccepted(t *testing.T) {
	p, list := admitted(10)
	p.frontier.Commit(list[:3])
	p.frontier.Commit(list[5:8])
	p.frontier.Commit(list[9:])
	ids := make([]ID, len(list))
	for i, d := range list {
		ids[i] = d.ID
	}
	assert.Equal(t, ids[:3], stored(t, p))
	got, _, end := readLog(p, lines(10, time.Millisecond), 0, false)
	assert.Empty(t, got, "nothing repeats")
	assert.Equal(t, Complete, end)

	p.frontier.Commit(list[4:5])
	assert.Equal(t, ids[:3], stored(t, p))
	p.frontier.Commit(list[3:4])
	assert.Equal(t, ids[:8], stored(t, p))
	p.frontier.Commit(list[8:9])
	assert.Equal(t, ids, stored(t, p))
	assert.Nil(t, p.frontier.ahead)
	_, changed := p.frontier.Take()
	assert.False(t, changed)
	p.frontier.Restore()
	assert.Equal(t, ids, stored(t, p))
}

func TestFrontierIsBounded(t *testing.T) {
	p, list := admitted(10_000)
	for len(list) > 0 {
		p.frontier.Commit(list[:100])
		list = list[100:]
		assert.LessOrEqual(t, len(p.frontier.ids), 4*MinRecords)
	}
	assert.Len(t, stored(t, p), MinRecords)
}

// What is not accepted is kept, however much is.
func TestTrimKeepsWhatIsNotAccepted(t *testing.T) {
	p, list := admitted(3 * MaxRecords)
	p.frontier.Commit(list[:10])
	p.Trim()
	assert.GreaterOrEqual(t, len(p.ids), 3*MaxRecords-10)
	p.frontier.Commit(list[10:])
	p.Trim()
	assert.LessOrEqual(t, len(p.ids), MaxRecords)
}

// After a gap the sequence goes on, and what was on its way then is still counted.
func TestForgetKeepsTheSequence(t *testing.T) {
	p, list := admitted(10)
	p.Forget()
	assert.True(t, p.Blank())
	rec := IDOf(out(time.Hour, "after the gap"))
	later := Delivered{Seq: p.Admit(rec), ID: rec}
	assert.EqualValues(t, 10, later.Seq)
	p.frontier.Commit([]Delivered{later})
	assert.Empty(t, stored(t, p))
	p.frontier.Commit(list)
	assert.Len(t, stored(t, p), 11)
}

// While the floor is still to be found nothing is stored.
func TestUndecidedFloorIsNotStored(t *testing.T) {
	f := Start(5)
	f.Undecided(true)
	_, changed := f.Take()
	require.False(t, changed)
	New(f).RaiseFloor(10)
	f.Undecided(false)
	value, changed := f.Take()
	require.True(t, changed)
	again, err := Decode(value)
	require.NoError(t, err)
	assert.Equal(t, Start(10), again)
}

// A floor that is raised is stored before anything is accepted, and does not sink.
func TestRaisedFloorIsStored(t *testing.T) {
	f := Start(5)
	_, changed := f.Take()
	require.True(t, changed)
	p := New(f)
	for _, floor := range []int64{10, 7} {
		p.RaiseFloor(floor)
		value, changed := f.Take()
		require.True(t, changed)
		again, err := Decode(value)
		require.NoError(t, err)
		assert.Equal(t, Start(10), again)
	}
}

// What is hashed is a promise too: else a new version would repeat what an old one read.
func TestIDsArePinned(t *testing.T) {
	for want, rec := range map[ID]stream.Record{
		{0x17979cfe3d85cd15, 0x578c4945a4bbdbaf}: {Time: 1700000000123456789, Kind: stream.Stdout, Body: []byte("hello")},
		{0x17979cfe3d85cd16, 0x1eefa64e78a73fa2}: {Time: 1700000000123456790, Kind: stream.Stderr, Body: []byte("hello"), Dropped: 3},
	} {
		assert.Equal(t, want, IDOf(rec))
	}
}

// The encoding is a promise.
func TestEncoding(t *testing.T) {
	ids := []ID{{1, 2}, {0x1797a1e5c4a56315, 0xfedcba9876543210}}
	const plain = "011797a1e5c4a5631400000002" + "00000000000000010000000000000002" + "1797a1e5c4a56315fedcba9876543210"
	const sections = "7f00000003616263" + "8000000000"
	assert.Equal(t, plain, hex.EncodeToString(encode(0x1797a1e5c4a56314, ids, nil)))

	value, err := hex.DecodeString(plain)
	require.NoError(t, err)
	f, err := Decode(value)
	require.NoError(t, err)
	assert.Equal(t, ids, f.ids)
	assert.EqualValues(t, 0x1797a1e5c4a56314, f.floor)
	assert.EqualValues(t, 2, f.next)

	// Sections that this version does not know are stored again as they are.
	value, err = hex.DecodeString("02" + plain[2:] + sections)
	require.NoError(t, err)
	f, err = Decode(value)
	require.NoError(t, err)
	assert.Equal(t, ids, f.ids)
	p := New(f)
	rec := ID{Time: 3, Hash: 4}
	f.Commit([]Delivered{{Seq: p.Admit(rec), ID: rec}})
	again, changed := f.Take()
	require.True(t, changed)
	assert.Equal(t, "02", hex.EncodeToString(again[:1]))
	assert.Equal(t, sections, hex.EncodeToString(again[len(again)-13:]))
	f, err = Decode(again)
	require.NoError(t, err)
	assert.Equal(t, append(ids, rec), f.ids)
}

func TestDecodeRefusesWhatIsDamaged(t *testing.T) {
	one := encode(1, []ID{{1, 2}}, nil)
	for name, value := range map[string][]byte{
		"empty":                 {},
		"foreign":               []byte(`{"offset": 17}`),
		"header only":           {1},
		"cut":                   one[:20],
		"too many":              append(encode(1, nil, nil)[:9], 0xff, 0xff, 0xff, 0xff),
		"newer":                 append([]byte{3}, one[1:]...),
		"more than it says":     append(encode(1, nil, nil), 1),
		"half a section header": append([]byte{2}, append(one[1:], 1, 0)...),
		"section cut off":       append([]byte{2}, append(one[1:], 1, 0, 0, 0, 2, 'x')...),
		"sections without end":  append([]byte{2}, append(one[1:], make([]byte, maxSections+5)...)...),
	} {
		_, err := Decode(value)
		assert.Error(t, err, name)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(encode(1, []ID{{1, 2}}, nil))
	f.Add(encode(0, []ID{{1, 2}, {3, 4}}, []byte{9, 0, 0, 0, 1, 'x'}))
	f.Fuzz(func(t *testing.T, value []byte) {
		frontier, err := Decode(value)
		if err != nil {
			return
		}
		// What is stored again is what was read, but for the oldest records.
		again := encode(frontier.floor, frontier.ids, frontier.sections)
		if len(frontier.sections) > 0 || value[0] == versionPlain {
			assert.Equal(t, value, again)
		}
	})
}

// TestWhatIsAheadIsKnownAfterARestart: a record that was accepted before an older one does not
// come again in the next process, and the older one does. It proves nothing: a read has to
// reach what was accepted without a hole.
func TestWhatIsAheadIsKnownAfterARestart(t *testing.T) {
	p, list := admitted(10)
	p.frontier.Commit(list[:4])
	p.frontier.Commit(list[6:8])
	p.frontier.Commit(list[9:])
	restart := func() *Position {
		value, changed := p.frontier.Take()
		require.True(t, changed)
		f, err := Decode(value)
		require.NoError(t, err)
		return New(f)
	}
	p = restart()
	log := lines(10, time.Millisecond)
	var fresh []int
	met := func(p *Position, judge *Reading, from, to int) {
		fresh = nil
		for i := from; i < to; i++ {
			switch id := IDOf(log[i]); judge.Judge(log[i], id) {
			case Fresh:
				fresh = append(fresh, i)
				p.Admit(id)
			case Ahead:
				p.Meet(id)
			}
		}
	}
	short := p.Begin(5, false)
	met(p, short, 5, 10)
	assert.False(t, short.Proven())
	assert.Equal(t, Short, short.End(5))

	judge := p.Begin(0, false)
	met(p, judge, 0, 7) // and ends there, once more: what has not been met is stored again
	assert.Equal(t, []int{4, 5}, fresh)
	p = restart()
	judge = p.Begin(0, false)
	met(p, judge, 0, 10)
	assert.Equal(t, []int{4, 5, 8}, fresh)
	assert.Equal(t, Complete, judge.End(10))
	judge = p.Begin(0, false)
	met(p, judge, 0, 10)
	assert.Empty(t, fresh)

	// What an older version has carried along is of another place.
	f, err := Decode(encode(0, []ID{IDOf(log[5])}, appendSections(nil, encodeAhead(IDOf(log[3]), []ID{IDOf(log[7])}), nil)))
	require.NoError(t, err)
	assert.Empty(t, f.restored)
}

// TestWhatIsAheadIsBounded: however much is accepted before an older record, the position can
// be read again.
func TestWhatIsAheadIsBounded(t *testing.T) {
	p, list := admitted(3 * maxAhead)
	p.frontier.Commit(list[:10])
	p.frontier.Commit(list[11:])
	value, changed := p.frontier.Take()
	require.True(t, changed)
	f, err := Decode(value)
	require.NoError(t, err)
	assert.Len(t, f.restored, maxAhead)
	assert.Equal(t, list[11].ID, f.restored[0])
}

// TestRenewedRecordIsAcceptedWithTheFormer: a record that is remembered again is on its way to the
// pipeline once.
func TestRenewedRecordIsAcceptedWithTheFormer(t *testing.T) {
	f := Start(0)
	p := New(f)
	a, b := ID{Time: 1, Hash: 1}, ID{Time: 2, Hash: 2}
	first := p.Admit(b)
	between := p.Admit(a) // which the log has before b
	p.Renew(first, b)
	p.Renew(first+2, b) // and once more
	assert.EqualValues(t, first, f.accepted())
	f.Commit([]Delivered{{Seq: between, ID: a}})
	assert.EqualValues(t, first, f.accepted())
	f.Commit([]Delivered{{Seq: first, ID: b}})
	assert.EqualValues(t, p.End(), f.accepted(), "under all its numbers")
	p.Renew(first+3, b)
	assert.EqualValues(t, p.End(), f.accepted(), "at once")
	assert.Empty(t, f.renewed)
}
