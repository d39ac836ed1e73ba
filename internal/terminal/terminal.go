// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Package terminal shows text of others on a terminal: in colour where that is wanted, and
// so that the text cannot drive the terminal.
package terminal

import (
	"cmp"
	"os"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Is tells whether f is a terminal, as near as the standard library can.
func Is(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// Colours tells whether what is written to f may have colours: on a terminal that has some,
// for a user who has not set NO_COLOR (https://no-color.org).
func Colours(f *os.File) bool {
	return os.Getenv("NO_COLOR") == "" && cmp.Or(os.Getenv("TERM"), "dumb") != "dumb" && Is(f)
}

// Append appends text to dst. Control characters, those that change the direction of text,
// and bytes that are not UTF-8 become visible, as \x1b for example; those in keep stay.
func Append(dst []byte, text, keep string) []byte {
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && size == 1:
			dst = strconv.AppendUint(append(dst, `\x`...), uint64(text[0]), 16)
		case drives(r) && !strings.ContainsRune(keep, r):
			dst = append(dst, strings.Trim(strconv.QuoteRuneToASCII(r), "'")...)
		default:
			dst = append(dst, text[:size]...)
		}
		text = text[size:]
	}
	return dst
}

// Text is [Append] for a string.
func Text(text, keep string) string { return string(Append(nil, text, keep)) }

func drives(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }
