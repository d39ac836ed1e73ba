// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package loggen

import "unicode/utf8"

// jsonFileChunk is where the engine cuts a line, in bytes from its beginning.
const jsonFileChunk = 16 << 10

// AppendJSONFile appends what the engine's json-file driver leaves of a body: each byte that is not valid UTF-8 within its chunk of
// 16 KiB becomes U+FFFD, which befalls a rune that a chunk's end cuts in two as well. Other drivers keep every byte.
func AppendJSONFile(dst, body []byte) []byte {
	for len(body) > 0 {
		chunk := body[:min(len(body), jsonFileChunk)]
		body = body[len(chunk):]
		for len(chunk) > 0 {
			r, size := utf8.DecodeRune(chunk)
			dst = utf8.AppendRune(dst, r)
			chunk = chunk[size:]
		}
	}
	return dst
}
