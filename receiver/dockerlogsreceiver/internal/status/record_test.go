// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// inBubble calls test with a container that is registered at a virtual time which begins a slot.
func inBubble(t *testing.T, test func(b *Board, r *Record, look func() Container)) {
	t.Helper()
	synctest.Test(t, func(*testing.T) {
		b := New(func(*Now) {})
		r := b.Register(idWeb)
		test(b, r, func() Container { return b.List(Query{}).Containers[0] })
	})
}

func write(r *Record, records int) {
	now := time.Now().UnixNano()
	r.Handing(Batch{Records: records, Bytes: 10 * records, Oldest: now, Newest: now})
	r.Handed()
}

func TestPlotAndRates(t *testing.T) {
	inBubble(t, func(_ *Board, r *Record, look func() Container) {
		assert.Nil(t, look().Plot)
		r.Set(Following, false)
		write(r, 20)
		time.Sleep(5 * time.Second)
		c := look()
		assert.Equal(t, uint32(20), c.Plot[plotSlots-1], "the slot that goes on")
		assert.InDelta(t, 4, c.RecordsPerSecond, 0.001, "since the capture began, 5 s ago")
		assert.InDelta(t, 40, c.BytesPerSecond, 0.001)

		time.Sleep(40 * time.Second)
		write(r, 10)
		c = look()
		assert.Equal(t, []uint32{20, 0, 0, 0, 10}, c.Plot[plotSlots-5:])
		assert.Len(t, c.Plot, plotSlots)
		assert.InDelta(t, 30.0/45, c.RecordsPerSecond, 0.001)

		time.Sleep(10*time.Minute - 46*time.Second)
		assert.Equal(t, uint32(20), look().Plot[0])
		time.Sleep(time.Second)
		c = look()
		assert.Equal(t, uint32(0), c.Plot[0])
		assert.Zero(t, c.RecordsPerSecond)
		time.Sleep(40 * time.Second)
		assert.Nil(t, look().Plot)
		assert.Nil(t, r.plot, "it takes no memory any more")
		assert.Equal(t, int64(30), look().Records)

		write(r, 1)
		time.Sleep(time.Hour)
		write(r, 2)
		assert.Equal(t, []uint32{0, 2}, look().Plot[plotSlots-2:])
	})
}

func TestBehind(t *testing.T) {
	synctest.Test(t, func(*testing.T) {
		oldest := make(map[string]time.Time)
		refusing := false
		b := New(func(now *Now) {
			now.Oldest = oldest
			if refusing {
				now.Pipeline.State = Refusing
			}
		})
		r := b.Register(idWeb)
		look := func() Container { return b.List(Query{}).Containers[0] }
		behind := func() float64 { return look().BehindSeconds }

		// A backlog of an hour.
		r.Set(Reading, false)
		assert.Zero(t, behind())
		at := time.Now().Add(-time.Hour)
		r.Handing(Batch{Records: 1, Oldest: at.UnixNano(), Newest: at.UnixNano(), More: true})
		r.Handed()
		assert.InDelta(t, 3600, behind(), 0)
		r.Read(false, false, 0)
		assert.InDelta(t, 3600, behind(), 0, "the read was cut: what it left is still there")
		r.Read(true, false, 0)
		assert.Zero(t, behind(), "all has been read, and accepted")
		r.Read(false, true, 0)
		assert.NotZero(t, behind(), "the pipeline held up the follow")
		r.Read(true, false, 0)

		// What waits for the pipeline: a moment is nothing to wait for.
		r.Set(Following, false)
		oldest[idWeb] = time.Now()
		time.Sleep(time.Second)
		assert.InDelta(t, 1, behind(), 0)
		assert.Equal(t, NeedLines, look().WaitsFor.What)
		refusing = true
		assert.Equal(t, NeedPipeline, look().WaitsFor.What)
		refusing = false
		time.Sleep(10 * time.Second)
		assert.Equal(t, NeedPipeline, look().WaitsFor.What, "it holds what it has been given")
		assert.Equal(t, 1, b.List(Query{}).Totals.Behind)
		delete(oldest, idWeb)
		assert.Equal(t, NeedLines, look().WaitsFor.What)

		now := time.Now().UnixNano()
		r.Handing(Batch{Records: 1, Oldest: now, Newest: now})
		time.Sleep(2 * time.Second)
		assert.Equal(t, NeedPipeline, look().WaitsFor.What, "there is no room for it")
		assert.InDelta(t, 2, behind(), 0)
		r.Handed()
		assert.Zero(t, behind())

		r.Set(Reading, false)
		assert.Nil(t, look().WaitsFor)
		r.WaitForSlot(true)
		assert.Equal(t, NeedSlot, look().WaitsFor.What)
		r.WaitForSlot(false)
		r.Set(Waiting, false)
		r.Wait(NeedEngine, time.Now().Add(time.Minute))
		assert.Equal(t, &Waits{What: NeedEngine, Until: time.Now().Add(time.Minute).UTC(), Text: needTexts[NeedEngine]}, look().WaitsFor)
		r.End()
		assert.Nil(t, look().WaitsFor)
	})
}

func TestHistoryIsBounded(t *testing.T) {
	inBubble(t, func(b *Board, r *Record, look func() Container) {
		for i := range 100 {
			r.Gap("rotated", fmt.Sprint("gap ", i), "raise max-size")
		}
		c := look()
		assert.Equal(t, 100, c.GapCount)
		assert.Len(t, c.Gaps, maxGaps)
		assert.Equal(t, "gap 99", c.Gaps[maxGaps-1].Text)
		one, err := b.One(idWeb)
		assert.NoError(t, err)
		assert.Len(t, one.Container.History, maxEvents)
		assert.Equal(t, "gap 99", one.Container.History[maxEvents-1].Text)

		for range 40 {
			time.Sleep(time.Second)
			r.Reopened("cut")
		}
		one, err = b.One(idWeb)
		assert.NoError(t, err)
		last := one.Container.History[maxEvents-1]
		assert.Equal(t, Event{Time: time.Now().UTC(), Kind: KindCut, Text: "cut", Times: 40}, last, "one entry for all of the same")
		assert.Equal(t, "gap 99", one.Container.History[maxEvents-2].Text)
	})
}

func TestStates(t *testing.T) {
	inBubble(t, func(_ *Board, r *Record, look func() Container) {
		began := time.Now().UTC()
		reason := Reason{Code: "label", By: "label", Text: "its own label says so"}
		r.LeaveOut(reason)
		assert.Equal(t, &reason, look().Reason)
		assert.Zero(t, look().Since)
		assert.Empty(t, look().Source)
		time.Sleep(time.Minute)
		r.LeaveOut(reason)
		assert.Equal(t, began, look().StateSince)
		r.End()
		assert.Equal(t, LeftOut, look().State, "that is why its capture has ended")

		r.Set(Opening, false)
		r.Set(Following, true)
		assert.Nil(t, look().Reason)
		assert.Equal(t, "file", look().Source)
		assert.Equal(t, began.Add(time.Minute), look().Since)
		time.Sleep(time.Minute)
		r.End()
		assert.Equal(t, Ended, look().State)
		r.Set(Opening, false)
		assert.Equal(t, began.Add(time.Minute), look().Since, "it began with the first")
		r.Unreadable(Reason{Code: "driver"})
		assert.Equal(t, Unreadable, look().State)
	})
}

func TestWhatTheEngineSays(t *testing.T) {
	inBubble(t, func(b *Board, r *Record, look func() Container) {
		r.Listed("web", "nginx", true)
		r.Listed("web", "sha256:0123", true)
		r.Inspected("web-old", "nginx", "local")
		r.Told("web-old", "nginx", false, true)
		assert.False(t, look().Running)
		r.Listed("web-old", "nginx", false)
		r.Listed("web-old", "nginx", true)
		c := look()
		assert.Equal(t, "nginx", c.Image, "a list may have only its digest")
		assert.True(t, c.Running)
		one, err := b.One("web-old")
		assert.NoError(t, err)
		var kinds []string
		for _, event := range one.Container.History {
			kinds = append(kinds, event.Kind)
		}
		assert.Equal(t, []string{KindRenamed, KindEnded, KindStarted}, kinds)
	})
}
