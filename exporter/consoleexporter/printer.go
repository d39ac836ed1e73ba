// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	conventions "go.opentelemetry.io/otel/semconv/v1.38.0"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/terminal"
)

const (
	timeLayout = "15:04:05.000"
	// maxWidth is the number of characters up to which a name widens the column of names.
	maxWidth = 32
	// maxName is the number of characters of a name that are shown.
	maxName = 128
	// maxText is the number of bytes from which on a text is written before its batch ends.
	maxText = 1 << 20
)

// Colours, as sequences of ECMA-48.
const (
	dim   = "\x1b[2m"
	red   = "\x1b[31m"
	reset = "\x1b[0m"
)

// nameColours are without red, which is for stderr.
var nameColours = []string{
	"\x1b[32m", "\x1b[33m", "\x1b[34m", "\x1b[35m", "\x1b[36m",
	"\x1b[92m", "\x1b[93m", "\x1b[94m", "\x1b[95m", "\x1b[96m",
}

// printer writes records, each batch with one Write, or with several if it is large.
type printer struct {
	colours  bool
	location *time.Location

	out   *writer
	turn  chan struct{} // has an element while a batch is printed: unlike a mutex, who waits can give up
	width int           // of the column of names, in characters
}

func newPrinter(out io.Writer, colours bool) *printer {
	return &printer{colours: colours, location: time.Local, out: newWriter(out), turn: make(chan struct{}, 1)}
}

// print returns the error of the Write, or that of ctx. It is never permanent, as it is no
// fault of the records: whoever sent them keeps them, and some may be written again.
func (p *printer) print(ctx context.Context, logs plog.Logs) error {
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return notWritten(ctx)
	}
	for _, from := range logs.ResourceLogs().All() {
		p.width = max(p.width, min(utf8.RuneCountInString(nameOf(from.Resource().Attributes())), maxWidth))
	}
	var text []byte
	var err error
	for _, from := range logs.ResourceLogs().All() {
		name := nameOf(from.Resource().Attributes())
		for _, scope := range from.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				if text, err = p.append(ctx, text, name, record); err != nil {
					return err
				}
			}
		}
	}
	return p.out.write(ctx, text)
}

// append adds a record to text. Further lines of its body are indented below the first, so
// that none looks like a record of its own. The indent does not grow with the name, and a
// large text is written: what a record takes in memory does not grow with its lines.
func (p *printer) append(ctx context.Context, text []byte, name string, record plog.LogRecord) ([]byte, error) {
	colour := colourOf(name)
	mark := p.in(colour, "|")
	if record.EventName() != "" {
		mark = p.in(colour, "*")
	} else if stream, ok := record.Attributes().Get(string(conventions.LogIostreamKey)); ok && stream.AsString() == "stderr" {
		mark = p.in(red, "!")
	}
	start := fmt.Sprintf("%s %s %s ", p.in(dim, p.timeOf(record)), p.in(colour, fmt.Sprintf("%-*s", p.width, name)), mark)
	further := fmt.Sprintf("%*s %s ", len(timeLayout)+len(" ")+p.width, "", mark)
	for line := range strings.SplitSeq(bodyOf(record), "\n") {
		text = append(text, start...)
		text = append(terminal.Append(text, strings.TrimSuffix(line, "\r"), "\t"), '\n')
		start = further
		if len(text) >= maxText {
			if err := p.out.write(ctx, text); err != nil {
				return nil, err
			}
			text = text[:0]
		}
	}
	return text, nil
}

func (p *printer) in(colour, text string) string {
	if !p.colours {
		return text
	}
	return colour + text + reset
}

// timeOf returns the local time of a record, or a dash as wide.
func (p *printer) timeOf(record plog.LogRecord) string {
	at := cmp.Or(record.Timestamp(), record.ObservedTimestamp())
	if at == 0 {
		return fmt.Sprintf("%-*s", len(timeLayout), "-")
	}
	return at.AsTime().In(p.location).Format(timeLayout)
}

// nameOf returns the name of the container or, where there is none, of the service, which
// may be of any length.
func nameOf(resource pcommon.Map) string {
	for _, key := range []string{string(conventions.ContainerNameKey), string(conventions.ServiceNameKey)} {
		if value, ok := resource.Get(key); ok && value.AsString() != "" {
			name := []rune(terminal.Text(value.AsString(), ""))
			if len(name) > maxName {
				name = append(name[:maxName-1], '…')
			}
			return string(name)
		}
	}
	return "-"
}

// bodyOf returns bytes as they are, where AsString would encode them.
func bodyOf(record plog.LogRecord) string {
	if body := record.Body(); body.Type() == pcommon.ValueTypeBytes {
		return string(body.Bytes().AsRaw())
	}
	return cmp.Or(record.Body().AsString(), record.EventName())
}

// colourOf gives a name the same colour in each run.
func colourOf(name string) string {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(name))
	return nameColours[hash.Sum32()%uint32(len(nameColours))]
}
