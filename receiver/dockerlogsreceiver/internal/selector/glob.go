// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package selector

import (
	"errors"
	"regexp"
	"strings"
)

// IsGlob reports whether a text has anything in it that makes it a glob, and no literal.
func IsGlob(text string) bool { return strings.ContainsAny(text, `*?[{\`) }

// CompileGlob translates a glob into a regular expression that matches the whole of a
// text: * is any text, ? any character, [a-z] or [!a-z] one of a class, {a,b} one
// of several globs, and \ takes the special meaning of what follows.
func CompileGlob(glob string) (*regexp.Regexp, error) {
	var re strings.Builder
	re.WriteString(`(?s)^`)
	braces := 0
	for i := 0; i < len(glob); i++ {
		switch c := glob[i]; c {
		case '*':
			re.WriteString(`.*`)
		case '?':
			re.WriteByte('.')
		case '\\':
			if i++; i == len(glob) {
				return nil, errors.New(`there is nothing behind the last \`)
			}
			re.WriteString(regexp.QuoteMeta(glob[i : i+1]))
		case '[':
			end := strings.IndexByte(glob[i+1:], ']')
			if end < 0 {
				return nil, errors.New("a [ is not closed")
			}
			class := strings.ReplaceAll(glob[i+1:i+1+end], `\`, `\\`)
			if inverse, ok := strings.CutPrefix(class, "!"); ok {
				class = "^" + inverse
			}
			re.WriteString("[" + class + "]")
			i += 1 + end
		case '{':
			braces++
			re.WriteString("(?:")
		case '}':
			if braces--; braces < 0 {
				return nil, errors.New("a } was not opened")
			}
			re.WriteByte(')')
		case ',':
			if braces > 0 {
				re.WriteByte('|')
			} else {
				re.WriteByte(',')
			}
		default:
			if c < 0x80 {
				re.WriteString(regexp.QuoteMeta(glob[i : i+1]))
			} else {
				re.WriteByte(c) // a part of a character
			}
		}
	}
	if braces > 0 {
		return nil, errors.New("a { is not closed")
	}
	re.WriteByte('$')
	return regexp.Compile(re.String())
}
