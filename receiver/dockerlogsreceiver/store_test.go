// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/position"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/stream"
)

// eachStrategy runs a test with storage for every strategy.
func eachStrategy(t *testing.T, test func(*trial, *memory), options ...enginetest.Option) {
	t.Helper()
	for _, strategy := range allStrategies {
		t.Run(string(strategy), func(t *testing.T) {
			inBubble(t, func(f *fixture) {
				f.cfg.Strategy = strategy
				tr := &trial{fixture: f, want: make(map[string]map[string][]string)}
				test(tr, f.stored())
			}, options...)
		})
	}
}

// away is a container's life while the collector is down, in ways that must not lose
// or repeat a line.
var away = map[string]func(*trial, *enginetest.Container){
	"nothing": func(*trial, *enginetest.Container) {},
	"written": func(tr *trial, c *enginetest.Container) { tr.writing(20, time.Second, c, 20) },
	"restarted in mid-line": func(tr *trial, c *enginetest.Container) {
		c.Write(stdout, "half a li")
		tr.expectLine(c, stdout, "half a li")
		c.Restart()
		tr.pass(5 * time.Second)
		tr.write(c, stdout, 3)
	},
	"engine restarted": func(tr *trial, c *enginetest.Container) {
		tr.write(c, stderr, 3)
		c.Kill()
		tr.engine.Down()
		tr.pass(time.Minute)
		tr.engine.Up()
		c.Start()
		tr.write(c, stdout, 3)
	},
	"stopped": func(tr *trial, c *enginetest.Container) {
		tr.write(c, stdout, 3)
		c.Stop(0)
	},
	"rotated": func(tr *trial, c *enginetest.Container) {
		tr.write(c, stdout, 300)
		c.Rotate(310)
	},
	"came and stopped": func(tr *trial, _ *enginetest.Container) {
		other := tr.container("other")
		tr.write(other, stdout, 3)
		other.Exit(0)
	},
	"created anew": func(tr *trial, c *enginetest.Container) {
		c.Remove()
		tr.web = tr.container("web")
		tr.write(tr.web, stdout, 3)
	},
}

func TestCleanRestart(t *testing.T) {
	for name, live := range away {
		t.Run(name, func(t *testing.T) {
			eachStrategy(t, func(tr *trial, m *memory) {
				c := tr.begin()
				tr.halt()
				assert.Zero(tr.t, m.clients)
				tr.pass(time.Hour)
				live(tr, c)
				tr.start()
				tr.complete()
				tr.ended = name == "stopped"
				tr.conclude()
				assert.Zero(tr.t, m.clients)
			})
		})
	}
}

// A container that has been seen and not read a line of is at its beginning, or at the
// end that it was found at.
func TestRestartOfTheSilent(t *testing.T) {
	eachStrategy(t, func(tr *trial, _ *memory) {
		old := tr.container("old")
		old.Write(stdout, "before our time\n")
		tr.start()
		fresh := tr.container("fresh")
		tr.pass(time.Minute)
		for range 3 {
			tr.halt()
			tr.write(old, stdout, 3)
			tr.write(fresh, stdout, 3)
			tr.start()
			tr.complete()
		}
		tr.conclude()
	})
}

func TestKill(t *testing.T) {
	for name, live := range away {
		t.Run(name, func(t *testing.T) {
			eachStrategy(t, func(tr *trial, m *memory) {
				pipeline := &mortal{Logs: tr.sink}
				tr.renew(pipeline)
				c := tr.begin()
				tr.writing(20, 330*time.Millisecond, c, 3)
				tr.complete()
				tr.pass(2 * tickInterval)
				tr.write(c, stdout, 5) // which may not be stored in time
				if name == "written" {
					tr.pass(10 * time.Minute)
				}
				tr.settle()
				delivered := tr.kill(m, pipeline)
				live(tr, c)
				tr.start()

				uids, bodies := make(map[string]string), make(map[string]bool)
				for _, rec := range delivered {
					uids[rec.Body], bodies[rec.Body] = rec.UID, true
				}
				tr.await("all", func() bool {
					all := len(delivered)
					for _, rec := range tr.sink.All() {
						if !bodies[rec.Body] {
							all++
						}
					}
					return all >= tr.wanted || name == "created anew"
				})
				tr.pass(5 * time.Minute)
				again := 0
				for _, rec := range tr.sink.All() {
					if uid, ok := uids[rec.Body]; ok {
						again++
						assert.Equal(tr.t, uid, rec.UID, rec.Body)
					}
				}
				assert.LessOrEqual(tr.t, again, 5, "what came after the last write is repeated, no more")
				assert.Zero(tr.t, tr.metric("gaps"))
			})
		})
	}
}

// The stored position does not move before the pipeline has accepted.
func TestNothingIsStoredBeforeItIsAccepted(t *testing.T) {
	eachStrategy(t, func(tr *trial, m *memory) {
		c := tr.begin()
		tr.pass(5 * time.Second)
		key := keyPosition + c.ID()
		before := m.get(key)
		require.NotEmpty(tr.t, before)
		tr.sink.Refuse(errors.New("full"))
		tr.writing(60, time.Second, c, 50)
		assert.Equal(tr.t, before, m.get(key))
		writes := m.writes
		tr.pass(time.Minute)
		assert.Equal(tr.t, writes, m.writes, "nothing changes, nothing is written")
		tr.sink.Refuse(nil)
		tr.complete()
		tr.pass(2 * tickInterval)
		assert.NotEqual(tr.t, before, m.get(key))
		tr.conclude()
	})
}

// TestDamagedStorage damages what is stored of one of two containers, or of all. It is
// warned of once, and put right.
func TestDamagedStorage(t *testing.T) {
	fromEnd := slices.Concat(numbered(1, 3), numbered(7, 9)) // as at a first start
	const position, index = "the stored position of a container cannot be read", "the list of stored positions is damaged"
	for name, tt := range map[string]struct {
		index   bool // is damaged, not the position
		value   []byte
		warning string
		bad     []string // lines that are delivered of the container whose position is damaged
		good    []string // and of the other one
	}{
		"position empty":       {false, []byte{}, position, fromEnd, numbered(1, 6)},
		"position foreign":     {false, []byte(`{"offset": 17}`), position, fromEnd, numbered(1, 6)},
		"position cut":         {false, append(make([]byte, 12), 1, 0, 0, 0), position, fromEnd, numbered(1, 6)},
		"position newer":       {false, append([]byte{3}, make([]byte, 12)...), position, fromEnd, numbered(1, 6)},
		"position header only": {false, []byte{1}, position, fromEnd, numbered(1, 6)},
		"position gone":        {false, nil, position, fromEnd, numbered(1, 6)},
		"index":                {true, []byte("nonsense"), index, fromEnd, numbered(1, 3)},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(f *fixture) {
				m := f.stored()
				bad, good := f.container("bad"), f.container("good")
				f.start()
				write(bad, 1, 3)
				write(good, 1, 3)
				f.pass(time.Minute)
				f.halt()
				if tt.index {
					m.set(keyIndex, tt.value)
				} else {
					m.set(keyPosition+bad.ID(), tt.value)
				}
				write(bad, 4, 6)
				write(good, 4, 6)
				f.start()
				write(bad, 7, 9)
				f.pass(5 * time.Minute)
				assert.Equal(t, tt.good, f.sink.Of("good"))
				assert.Equal(t, tt.bad, f.sink.Of("bad"))
				assert.Equal(t, 1, f.logged(zap.WarnLevel, tt.warning))
				assert.Len(t, f.logs.FilterLevelExact(zap.WarnLevel).All(), 1)
				f.halt()
				write(bad, 10, 12)
				f.start()
				f.pass(time.Minute)
				assert.Equal(t, slices.Concat(tt.bad, numbered(10, 12)), f.sink.Of("bad"))
				assert.Len(t, f.logs.FilterLevelExact(zap.WarnLevel).All(), 1, "it has been put right")
			})
		})
	}
}

func TestPositionIsDroppedWithItsContainer(t *testing.T) {
	eachStrategy(t, func(tr *trial, m *memory) {
		c := tr.begin()
		tr.pass(time.Minute)
		assert.NotEmpty(tr.t, m.get(keyPosition+c.ID()))
		m.fail(errors.New("disk full"))
		c.Stop(0)
		tr.pass(time.Minute)
		c.Remove()
		tr.pass(time.Minute)
		m.fail(nil)
		tr.pass(time.Minute)
		assert.Empty(tr.t, m.get(keyPosition+c.ID()))
		assert.Equal(tr.t, "{}", string(m.get(keyIndex)))
	})
}

// A container whose removal no event has told may be on another engine that is behind the
// endpoint later.
func TestPositionsOfContainersThatAreNotListedAreDroppedLater(t *testing.T) {
	inBubble(t, func(f *fixture) {
		m := f.stored()
		gone, stays := f.container("gone"), f.container("stays")
		f.start()
		write(gone, 1, 3)
		write(stays, 1, 3)
		f.pass(time.Minute)
		f.engine.DropEvents(true)
		gone.Remove()
		f.engine.DropEvents(false)
		f.pass(keepRemoved - time.Minute)
		assert.NotEmpty(t, m.get(keyPosition+gone.ID()))
		f.halt()
		f.start()
		f.pass(5 * time.Minute)
		assert.Empty(t, m.get(keyPosition+gone.ID()))
		assert.NotEmpty(t, m.get(keyPosition+stays.ID()))
		index := make(map[string]int64)
		require.NoError(t, json.Unmarshal(m.get(keyIndex), &index))
		assert.Equal(t, map[string]int64{stays.ID(): 0}, index)
		assert.NotEmpty(t, m.get(keyListed))
		assert.Len(t, m.data, 3)
	})
}

func TestFailingStorage(t *testing.T) {
	inBubble(t, func(f *fixture) {
		m := f.stored()
		c := f.followed()
		write(c, 1, 3)
		f.pass(time.Minute)
		m.fail(errors.New("disk full"))
		for i := range 60 {
			write(c, 4+i, 4+i)
			f.pass(time.Second)
		}
		f.expectLines(1, 63)
		assert.Equal(t, 1, f.logged(zap.WarnLevel, "positions cannot be stored"))
		m.fail(nil)
		f.pass(time.Minute)
		assert.Equal(t, 1, f.logged(zap.InfoLevel, "positions are stored again"))
		f.halt()
		f.start()
		f.pass(time.Minute)
		f.expectLines(1, 63)
	})
}

// A storage that cannot be read for a while is not a first start: nothing is read before it
// answers, and what is stored is not overwritten.
func TestStorageThatCannotBeReadYet(t *testing.T) {
	inBubble(t, func(f *fixture) {
		m := f.stored()
		c, gone := f.container("web"), f.container("gone")
		f.start()
		write(c, 1, 3)
		write(gone, 1, 3)
		f.pass(time.Minute)
		f.halt()
		gone.Remove()
		write(c, 4, 6)
		m.fail(errors.New("locked"))
		f.start()
		f.pass(10 * time.Minute)
		assert.Equal(t, 6, len(f.sink.All()), "nothing is read")
		assert.Equal(t, 1, f.logged(zap.WarnLevel, "stored positions cannot be read yet"))
		m.fail(nil)
		f.eventually("the lines of the time between", func() bool { return len(f.sink.Of("web")) == 6 })
		assert.Equal(t, numbered(1, 6), f.sink.Of("web"))
		assert.Equal(t, 1, f.logged(zap.InfoLevel, "stored positions are read"))
		assert.NotEmpty(t, m.get(keyPosition+gone.ID()), "kept for a day")
	})
}

// A receiver that ends before it could read its storage leaves it as it is.
func TestStorageThatIsNeverRead(t *testing.T) {
	inBubble(t, func(f *fixture) {
		m := f.stored()
		c := f.followed()
		write(c, 1, 3)
		f.pass(time.Minute)
		f.halt()
		index, position := m.get(keyIndex), m.get(keyPosition+c.ID())
		m.fail(errors.New("locked"))
		f.start()
		f.pass(time.Minute)
		m.fail(nil) // too late
		f.halt()
		assert.Equal(t, index, m.get(keyIndex))
		assert.Equal(t, position, m.get(keyPosition+c.ID()))
	})
}

// Positions of the first edition, version 1, are read.
func TestVersion1OfAPosition(t *testing.T) {
	inBubble(t, func(f *fixture) {
		m := f.stored()
		c := f.container("web")
		write(c, 1, 3)
		m.set(keyIndex, []byte(`{"`+c.ID()+`":0}`))
		id := position.IDOf(stream.Record{Time: c.Records()[1].Time.UnixNano(), Kind: stream.Stdout, Body: []byte("line 2")})
		value, err := hex.DecodeString("01" + "0000000000000000" + "00000001" + fmt.Sprintf("%016x%016x", id.Time, id.Hash))
		require.NoError(t, err)
		m.set(keyPosition+c.ID(), value)
		f.start()
		f.expectLines(3, 3)
		assert.Empty(t, f.messages())
	})
}

// What is stored is a promise to later versions; see also position.TestEncoding.
func TestKeysArePinned(t *testing.T) {
	assert.Equal(t, "containers.v1", keyIndex)
	assert.Equal(t, "listed.v1", keyListed)
	assert.Equal(t, "position/", keyPosition)
}

func TestStorageExtensionMustBeOne(t *testing.T) {
	f := newFixture(t)
	f.cfg.Storage = &storageID
	require.ErrorContains(t, f.r.Start(t.Context(), f.host), "storage: there is no extension memory")
	f.withExtensions(map[component.ID]component.Component{storageID: &alarm{}})
	require.ErrorContains(t, f.r.Start(t.Context(), f.host), "storage: the extension memory is not a storage")
}

// TestWhatIsRefusedIsNotStoredAsDelivered: a follow has left lines out, and those behind them wait
// for the pipeline when a later read finds the others. None of them is accepted when the receiver
// stops, or is killed.
func TestWhatIsRefusedIsNotStoredAsDelivered(t *testing.T) {
	for _, killed := range []bool{false, true} {
		for _, strategy := range apiStrategies {
			t.Run(fmt.Sprint(strategy, ", killed=", killed), func(t *testing.T) {
				inBubble(t, func(f *fixture) {
					f.cfg.Strategy = strategy
					m := f.stored()
					pipeline := &mortal{Logs: f.sink}
					f.renew(pipeline)
					c := f.container("web")
					f.start()
					f.pass(5 * time.Second)
					write(c, 1, 10)
					f.expectLines(1, 10)
					f.pass(5 * time.Second)
					f.sink.Refuse(errRefused)
					c.SetFaults(enginetest.Faults{LoseWrites: true})
					write(c, 11, 13)
					c.SetFaults(enginetest.Faults{})
					write(c, 14, 23)
					f.pass(5 * time.Second)
					f.engine.CutFollows()
					f.pass(10 * time.Second)
					var got []string
					if killed {
						for _, record := range f.kill(m, pipeline) {
							got = append(got, record.Body)
						}
					} else {
						f.stop()
						f.sink.Refuse(nil)
						f.renew(f.sink)
					}
					f.start()
					f.pass(5 * time.Minute)
					assert.ElementsMatch(t, numbered(1, 23), append(got, f.sink.Bodies()...))
				})
			})
		}
	}
}
