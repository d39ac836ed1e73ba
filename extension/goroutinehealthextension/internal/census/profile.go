// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package census

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
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

var errProfile = errors.New("malformed profile")

// profile is a profile in the form that runtime/pprof writes. Reading just what is
// needed takes a third of the time that github.com/google/pprof takes, and a census is
// to be cheap.
type profile struct {
	samples   [][]byte
	strings   []string
	functions map[uint64]uint64   // id to index of the name
	lines     map[uint64][]uint64 // id of a location to those of its functions
	names     map[uint64][]string // the same, by name
}

func parse(compressed []byte) (*profile, error) {
	unzip, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil, err
	}
	raw := bytes.NewBuffer(make([]byte, 0, 8*len(compressed)))
	if _, err := io.Copy(raw, unzip); err != nil {
		return nil, err
	}
	p := &profile{functions: make(map[uint64]uint64), lines: make(map[uint64][]uint64), names: make(map[uint64][]string)}
	err = fields(raw.Bytes(), func(field protowire.Number, _ uint64, message []byte) error {
		switch field {
		case profileSample:
			p.samples = append(p.samples, message)
		case profileLocation:
			return p.location(message)
		case profileFunction:
			return p.function(message)
		case profileString:
			p.strings = append(p.strings, string(message))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for id, functions := range p.lines {
		names := make([]string, len(functions))
		for i, f := range functions {
			names[i] = shorten(p.text(p.functions[f]))
		}
		p.names[id] = names
	}
	return p, nil
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

func (p *profile) text(i uint64) string {
	if i < uint64(len(p.strings)) {
		return p.strings[i]
	}
	return ""
}

func (p *profile) location(message []byte) error {
	var id uint64
	var functions []uint64
	err := fields(message, func(field protowire.Number, n uint64, line []byte) error {
		switch field {
		case locationID:
			id = n
		case locationLine:
			return fields(line, func(field protowire.Number, n uint64, _ []byte) error {
				if field == lineFunction {
					functions = append(functions, n)
				}
				return nil
			})
		}
		return nil
	})
	p.lines[id] = functions
	return err
}

func (p *profile) function(message []byte) error {
	var id, name uint64
	err := fields(message, func(field protowire.Number, n uint64, _ []byte) error {
		switch field {
		case functionID:
			id = n
		case functionName:
			name = n
		}
		return nil
	})
	p.functions[id] = name
	return err
}

// each calls f with all samples, which it must not keep.
func (p *profile) each(f func(*sample)) error {
	var s sample
	for _, message := range p.samples {
		s = sample{functions: s.functions[:0]}
		err := fields(message, func(field protowire.Number, n uint64, packed []byte) error {
			switch field {
			case sampleLocation:
				return numbers(n, packed, func(id uint64) { s.functions = append(s.functions, p.names[id]...) })
			case sampleValue:
				return numbers(n, packed, func(n uint64) { s.n = int(n) })
			case sampleLabel:
				return p.label(&s, packed)
			}
			return nil
		})
		if err != nil {
			return err
		}
		f(&s)
	}
	return nil
}

func (p *profile) label(s *sample, message []byte) error {
	var key, value uint64
	err := fields(message, func(field protowire.Number, n uint64, _ []byte) error {
		switch field {
		case labelKey:
			key = n
		case labelStr:
			value = n
		}
		return nil
	})
	switch p.text(key) {
	case LabelComponent:
		s.component = p.text(value)
	case LabelKind:
		s.kind = p.text(value)
	case LabelContainerID:
		s.containerID = p.text(value)
	case LabelContainerName:
		s.containerName = p.text(value)
	case LabelRole:
		s.role = p.text(value)
	}
	return err
}

// fields calls f with each field of a message: a number, or the bytes of what has a
// length.
func fields(message []byte, f func(field protowire.Number, n uint64, b []byte) error) error {
	for len(message) > 0 {
		field, kind, length := protowire.ConsumeTag(message)
		if length < 0 {
			return fmt.Errorf("%w: %w", errProfile, protowire.ParseError(length))
		}
		message = message[length:]
		var n uint64
		var b []byte
		switch kind {
		case protowire.VarintType:
			n, length = protowire.ConsumeVarint(message)
		case protowire.BytesType:
			b, length = protowire.ConsumeBytes(message)
		default:
			length = protowire.ConsumeFieldValue(field, kind, message)
		}
		if length < 0 {
			return fmt.Errorf("%w: %w", errProfile, protowire.ParseError(length))
		}
		message = message[length:]
		if err := f(field, n, b); err != nil {
			return err
		}
	}
	return nil
}

// numbers calls f with the numbers of a repeated field, which may be packed.
func numbers(n uint64, packed []byte, f func(uint64)) error {
	if packed == nil {
		f(n)
		return nil
	}
	for len(packed) > 0 {
		n, length := protowire.ConsumeVarint(packed)
		if length < 0 {
			return fmt.Errorf("%w: %w", errProfile, protowire.ParseError(length))
		}
		packed = packed[length:]
		f(n)
	}
	return nil
}
