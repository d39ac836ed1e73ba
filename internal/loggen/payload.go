// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package loggen

import (
	"math/rand/v2"
	"slices"
)

// Both alphabets have 64 letters, so that six bits of a random number choose one.
const alphabet = `abcdefghijklmnopqrstuvwxyzABCDEFGH0123456789 "'\/<>&{}[]$%#=:;,.`

var runes = [64]string{
	"a", "b", "c", "d", "e", "f", "g", "h", "0", "1", "2", "3", "\"", "\\", "<", "&",
	"ä", "é", "ñ", "ß", "ç", "ø", "Ж", "ш", "λ", "Ω", "ع", "ש", "\u00a0", "\u0301", "\u07ff", "\u0080",
	"中", "文", "日", "本", "한", "글", "€", "₩", "ह", "ก", "\u200d", "\u2028", "\u2029", "\ufeff", "\ufffd", "\uffff",
	"😀", "🚀", "🐳", "𝄞", "𠜎", "🇧", "🇷", "👩", "🏽", "\U0001f9ea", "\U00010000", "\U0010ffff", "😎", "🔥", "🧵", "🦫",
}

// longest is the number of bytes of the longest rune.
const longest = 4

// appendPayload appends n bytes that hold no newline and do not end in a carriage return: a reader may take the last one for a part
// of the line end.
func appendPayload(dst []byte, kind Payload, n int, rng *rand.PCG) []byte {
	dst = slices.Grow(dst, n)
	start, end := len(dst), len(dst)+n
	switch kind {
	case UTF8:
		for end-len(dst) >= longest {
			dst = append(dst, runes[rng.Uint64()>>58]...)
		}
		return appendASCII(dst, end, rng)
	case Binary:
		dst = appendBinary(dst, end, rng)
		if n >= 2 {
			dst[start], dst[start+1] = 0xff, 0
		}
		return dst
	default:
		return appendASCII(dst, end, rng)
	}
}

func appendASCII(dst []byte, end int, rng *rand.PCG) []byte {
	for len(dst) < end {
		word := rng.Uint64()
		for range min(8, end-len(dst)) {
			dst = append(dst, alphabet[word&63])
			word >>= 8
		}
	}
	return dst
}

func appendBinary(dst []byte, end int, rng *rand.PCG) []byte {
	for len(dst) < end {
		word := rng.Uint64()
		for range min(8, end-len(dst)) {
			b := byte(word)
			if b == '\n' || b == '\r' && len(dst) == end-1 {
				b = 0xfe
			}
			dst = append(dst, b)
			word >>= 8
		}
	}
	return dst
}
