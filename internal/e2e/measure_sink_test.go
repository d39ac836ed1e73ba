// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
)

// countingSink is an OTLP/HTTP server on the loopback. It checks and counts every record
// before it accepts the request that brought it. It works in the test's process, so that
// its processor time is not the collector's.
type countingSink struct {
	server  *httptest.Server
	delay   time.Duration // before each answer, as of a busy backend
	checker loggen.Checker

	mu       sync.Mutex
	began    time.Time // of the window; what was written earlier has no latency
	requests int       // in the window
	received int       // distinct intact lines, ever
	last     time.Time // arrival of the last of them
	ages     []time.Duration
	failure  error // of the first request that could not be read
}

func startSink(t testing.TB, delay time.Duration, lines []loggen.Options) *countingSink {
	t.Helper()
	s := &countingSink{delay: delay}
	for _, o := range lines {
		s.checker.Expect(o)
	}
	s.server = httptest.NewServer(s)
	t.Cleanup(s.server.Close)
	return s
}

// ServeHTTP records an export request, and only then accepts it.
func (s *countingSink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	data, err := decode(r)
	if err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.failure == nil {
			s.failure = err
		}
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.record(data, time.Now())
	time.Sleep(s.delay)
	accept(w) // a collector that does not get it sends again, which the checker sees
}

// accept answers an OTLP request, all of which is taken.
func accept(w http.ResponseWriter) {
	answer, err := plogotlp.NewExportResponse().MarshalProto()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	_, _ = w.Write(answer)
}

func decode(r *http.Request) (plog.Logs, error) {
	var content io.Reader = r.Body
	var err error
	switch r.Header.Get("Content-Encoding") {
	case "gzip":
		content, err = gzip.NewReader(r.Body)
	case "zstd":
		var decoder *zstd.Decoder
		if decoder, err = zstd.NewReader(r.Body, zstd.WithDecoderConcurrency(1)); err == nil {
			defer decoder.Close()
		}
		content = decoder
	}
	if err != nil {
		return plog.Logs{}, fmt.Errorf("decompress a request: %w", err)
	}
	text, err := io.ReadAll(content)
	if err != nil {
		return plog.Logs{}, fmt.Errorf("read a request: %w", err)
	}
	request := plogotlp.NewExportRequest()
	if err := request.UnmarshalProto(text); err != nil {
		return plog.Logs{}, fmt.Errorf("decode a request: %w", err)
	}
	return request.Logs(), nil
}

func (s *countingSink) record(data plog.Logs, arrived time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	for _, from := range data.ResourceLogs().All() {
		for _, scope := range from.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				stream, _ := record.Attributes().Get("log.iostream")
				line := bytes.TrimSuffix(logstest.Body(record), []byte{'\n'}) // file_log leaves it
				if s.checker.Add(line, stream.Str() == "stderr") != loggen.Intact {
					continue
				}
				s.received++
				s.last = arrived
				if stamp := record.Timestamp().AsTime(); !s.began.IsZero() && stamp.After(s.began) {
					s.ages = append(s.ages, arrived.Sub(stamp))
				}
			}
		}
	}
}

// begin opens the window: requests and latencies count from here.
func (s *countingSink) begin(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.began, s.requests, s.ages = now, 0, nil
}

// progress returns how many distinct lines and requests came, and when the last line did.
func (s *countingSink) progress() (received, requests int, last time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.received, s.requests, s.last
}

// describe adds to a row what became of the lines, and their latencies. The collector has
// ended by then.
func (s *countingSink) describe(t testing.TB, row *liveRow) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	require.NoError(t, s.failure)
	for _, tally := range s.checker.Tallies() {
		row.Lost += tally.Lost
		row.Repeated += tally.Repeated
		row.Damaged += tally.Damaged
	}
	if len(s.ages) == 0 {
		return
	}
	slices.Sort(s.ages)
	at := func(share float64) float64 {
		return milliseconds(s.ages[int(share*float64(len(s.ages)-1))])
	}
	row.P50, row.P99 = at(0.50), at(0.99)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// TestCountingSink shows that what TestMeasureLive asserts can fail.
func TestCountingSink(t *testing.T) {
	for encoding, compress := range map[string]func(io.Writer) io.WriteCloser{
		"gzip": func(to io.Writer) io.WriteCloser { return gzip.NewWriter(to) },
		"zstd": func(to io.Writer) io.WriteCloser {
			w, err := zstd.NewWriter(to)
			require.NoError(t, err)
			return w
		},
	} {
		t.Run(encoding, func(t *testing.T) { testCountingSink(t, encoding, compress) })
	}
}

func testCountingSink(t *testing.T, encoding string, compress func(io.Writer) io.WriteCloser) {
	t.Helper()
	o := loggen.Options{Source: "writer", Lines: 3}
	sink := startSink(t, 0, []loggen.Options{o})
	began := time.Now()
	sink.begin(began)
	data := plog.NewLogs()
	records := data.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	add := func(line string) {
		record := records.AppendEmpty()
		record.Body().SetStr(line)
		record.SetTimestamp(pcommon.NewTimestampFromTime(began.Add(1)))
	}
	add(string(o.Line(1).Body))
	add(string(o.Line(1).Body) + "\n")
	add(string(o.Line(2).Body) + "?")
	add(string(o.Line(3).Body))
	message, err := plogotlp.NewExportRequestFromLogs(data).MarshalProto()
	require.NoError(t, err)
	var compressed bytes.Buffer
	w := compress(&compressed)
	_, err = w.Write(message)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, sink.server.URL+"/v1/logs", &compressed)
	require.NoError(t, err)
	request.Header.Set("Content-Encoding", encoding)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode)

	received, requests, last := sink.progress()
	require.Equal(t, 2, received)
	require.Equal(t, 1, requests)
	require.True(t, last.After(began))
	var row liveRow
	sink.describe(t, &row)
	require.Positive(t, row.P99)
	row.P50, row.P99 = 0, 0
	require.Equal(t, liveRow{Lost: 1, Repeated: 1, Damaged: 1}, row)
}
