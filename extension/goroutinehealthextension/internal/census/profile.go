// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package census

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// sample is goroutines that have the same stack and the same labels.
type sample struct {
	n         int
	functions []string // the goroutine's innermost one first
	component, kind,
	containerID, containerName,
	role string
}

func (s *sample) setLabel(key, value string) {
	switch key {
	case LabelComponent:
		s.component = value
	case LabelKind:
		s.kind = value
	case LabelContainerID:
		s.containerID = value
	case LabelContainerName:
		s.containerName = value
	case LabelRole:
		s.role = value
	}
}

// The fields of pprof's profile.proto that are read.
const (
	profileSample   = 2
	profileLocation = 4
	profileFunction = 5
	profileString   = 6

	sampleLocation = 1
	sampleValue    = 2
	sampleLabel    = 3

	labelKey = 1
	labelStr = 2

	locationID   = 1
	locationLine = 4

	lineFunction = 1

	functionID   = 1
	functionName = 2
)

var errMalformed = errors.New("malformed profile")

// eachSample calls f with the samples of a profile in the form that runtime/pprof
// writes. f must not keep them.
func eachSample(compressed []byte, f func(*sample)) error {
	unzip, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return err
	}
	raw, err := io.ReadAll(unzip)
	if err != nil {
		return err
	}
	var (
		d         decoder
		samples   [][]byte
		table     []string                    // of strings, which comes last
		functions = make(map[uint64]uint64)   // id to the place of the name in the table
		locations = make(map[uint64][]uint64) // id to those of its functions
	)
	for top := range d.fields(raw) {
		switch top.number {
		case profileSample:
			samples = append(samples, top.bytes)
		case profileLocation:
			id := d.number(top.bytes, locationID)
			locations[id] = nil
			for line := range d.fields(top.bytes) {
				if line.number == locationLine {
					locations[id] = append(locations[id], d.number(line.bytes, lineFunction))
				}
			}
		case profileFunction:
			functions[d.number(top.bytes, functionID)] = d.number(top.bytes, functionName)
		case profileString:
			table = append(table, string(top.bytes))
		}
	}
	text := func(i uint64) string {
		if i < uint64(len(table)) {
			return table[i]
		}
		return ""
	}
	names := make(map[uint64][]string, len(locations))
	for id, ids := range locations {
		for _, function := range ids {
			names[id] = append(names[id], shorten(text(functions[function])))
		}
	}

	var s sample
	for _, message := range samples {
		s = sample{functions: s.functions[:0]}
		for part := range d.fields(message) {
			switch part.number {
			case sampleLocation:
				for id := range d.numbers(part) {
					s.functions = append(s.functions, names[id]...)
				}
			case sampleValue:
				for n := range d.numbers(part) {
					s.n = int(n)
				}
			case sampleLabel:
				s.setLabel(text(d.number(part.bytes, labelKey)), text(d.number(part.bytes, labelStr)))
			}
		}
		if d.err != nil {
			break
		}
		f(&s)
	}
	return d.err
}

// shorten leaves out the type arguments of a function, as traces do.
func shorten(function string) string {
	open := strings.IndexByte(function, '[')
	end := strings.LastIndexByte(function, ']')
	if open < 0 || end < open {
		return function
	}
	return function[:open] + "[...]" + function[end+1:]
}

// decoder reads protobuf messages. Its first error stays, and ends all loops.
type decoder struct{ err error }

// field is a field of a message: a value, or the bytes of what has a length.
type field struct {
	number protowire.Number
	value  uint64
	bytes  []byte
}

func (d *decoder) fields(message []byte) iter.Seq[field] {
	return func(yield func(field) bool) {
		for len(message) > 0 && d.err == nil {
			number, kind, n := protowire.ConsumeTag(message)
			message = d.skip(message, n)
			f := field{number: number}
			switch kind {
			case protowire.VarintType:
				f.value, n = protowire.ConsumeVarint(message)
			case protowire.BytesType:
				f.bytes, n = protowire.ConsumeBytes(message)
			default:
				n = protowire.ConsumeFieldValue(number, kind, message)
			}
			if message = d.skip(message, n); d.err != nil || !yield(f) {
				return
			}
		}
	}
}

// skip returns what follows the first n bytes. A negative n is an error of protowire's.
func (d *decoder) skip(message []byte, n int) []byte {
	if n < 0 {
		d.err = cmp.Or(d.err, fmt.Errorf("%w: %w", errMalformed, protowire.ParseError(n)))
		return nil
	}
	return message[n:]
}

// number returns the value of one field of a message, 0 if it is not there.
func (d *decoder) number(message []byte, number protowire.Number) (value uint64) {
	for f := range d.fields(message) {
		if f.number == number {
			value = f.value
		}
	}
	return value
}

// numbers returns the values of a repeated field, which may be packed.
func (d *decoder) numbers(f field) iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		if f.bytes == nil {
			yield(f.value)
			return
		}
		for packed := f.bytes; len(packed) > 0; {
			value, n := protowire.ConsumeVarint(packed)
			if packed = d.skip(packed, n); d.err != nil || !yield(value) {
				return
			}
		}
	}
}
