// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package selector

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestGlob(t *testing.T) {
	for glob, test := range map[string]struct{ matches, not []string }{
		"":    {matches: []string{""}, not: []string{"a"}},
		"*":   {matches: []string{"", "web", "a/b:c", "two\nlines"}},
		"**":  {matches: []string{"", "web"}},
		"a*b": {matches: []string{"ab", "a/b", "axxb"}, not: []string{"ab/", "cab"}},
		"*a*": {matches: []string{"a", "bab"}, not: []string{"", "b"}},
		"?":   {matches: []string{"a", "/", "é", "日", "\n"}, not: []string{"", "ab"}},
		"??":  {matches: []string{"ab", "éé"}, not: []string{"a", "é", "abc"}},
		"a?":  {matches: []string{"ab"}, not: []string{"a", "abc"}},
		"?*":  {matches: []string{"a", "ab"}, not: []string{""}},

		// An alternative may be empty, and may have wildcards of its own.
		"web{-*,}":        {matches: []string{"web", "web-", "web-1"}, not: []string{"web1", "webs", "my-web"}},
		"web{,-*}":        {matches: []string{"web", "web-1"}, not: []string{"web1"}},
		"web{,s}*":        {matches: []string{"web", "webs", "web-1", "webs-1"}, not: []string{"we", "my-web"}},
		"web{,s}":         {matches: []string{"web", "webs"}, not: []string{"webss", "web,s"}},
		"{,a}":            {matches: []string{"", "a"}, not: []string{"b"}},
		"{}":              {matches: []string{""}, not: []string{"{}"}},
		"{web}":           {matches: []string{"web"}, not: []string{"{web}"}},
		"{web,db}-?":      {matches: []string{"web-1", "db-2"}, not: []string{"web-", "cache-1", "web"}},
		"{*.io,docker}/*": {matches: []string{"ghcr.io/a", "docker/b"}, not: []string{"ghcrio/a"}},
		"{a,b{c,d}}e":     {matches: []string{"ae", "bce", "bde"}, not: []string{"be", "ce", "abce"}},
		"{a,b}{c,d}":      {matches: []string{"ac", "bd"}, not: []string{"ab", "a", "acbd"}},
		"a,b*":            {matches: []string{"a,b", "a,bc"}, not: []string{"a", "b"}},

		"web-[0-3]":   {matches: []string{"web-0", "web-3"}, not: []string{"web-4", "web-", "web-00"}},
		"web-[!0-3]":  {matches: []string{"web-4", "web-x", "web-/"}, not: []string{"web-1", "web-"}},
		"[abc]*":      {matches: []string{"a", "bx"}, not: []string{"", "d"}},
		"[a-]":        {matches: []string{"a", "-"}, not: []string{"b"}},
		"[.*?{},$(]":  {matches: []string{".", "*", "?", "{", "}", ",", "$", "("}, not: []string{"a", ""}},
		`[\]`:         {matches: []string{`\`}, not: []string{"a", "]"}},
		`[\d]`:        {matches: []string{`\`, "d"}, not: []string{"1"}},
		"[éü]":        {matches: []string{"é", "ü"}, not: []string{"e", "éü"}},
		"{web,[0-9]}": {matches: []string{"web", "7"}, not: []string{"77"}},

		`web\*`:      {matches: []string{"web*"}, not: []string{"web", "web1", `web\*`}},
		`a\?`:        {matches: []string{"a?"}, not: []string{"ab"}},
		`\{a,b\}`:    {matches: []string{"{a,b}"}, not: []string{"a", "b"}},
		`{a\,b,c}`:   {matches: []string{"a,b", "c"}, not: []string{"a", "b"}},
		`\[a]`:       {matches: []string{"[a]"}, not: []string{"a"}},
		`\\`:         {matches: []string{`\`}, not: []string{`\\`, ""}},
		`\a\d`:       {matches: []string{"ad"}, not: []string{"a1"}},
		`\é*`:        {matches: []string{"é", "é1"}, not: []string{"e"}},
		"a.b*":       {matches: []string{"a.b", "a.bc"}, not: []string{"axb"}},
		"a+(b)|^c$*": {matches: []string{"a+(b)|^c$", "a+(b)|^c$d"}, not: []string{"aab", "c"}},
		"日本*":        {matches: []string{"日本", "日本語"}, not: []string{"日"}},
	} {
		t.Run(glob, func(t *testing.T) {
			compiled, err := CompileGlob(glob)
			require.NoError(t, err)
			for _, value := range test.matches {
				assert.True(t, compiled.MatchString(value), "%q", value)
			}
			for _, value := range test.not {
				assert.False(t, compiled.MatchString(value), "%q", value)
			}
		})
	}
}

func TestGlobRefused(t *testing.T) {
	for glob, want := range map[string]string{
		"{web,db":   "a { is not closed",
		"{a,{b,c}":  "a { is not closed",
		"web-{":     "a { is not closed",
		"*}":        "a } was not opened",
		"{a}}":      "a } was not opened",
		"[a":        "a [ is not closed",
		"web-[":     "a [ is not closed",
		"{a,[b}":    "a [ is not closed",
		`web\`:      `there is nothing behind the last \`,
		"[]*":       "missing closing ]",
		"[!]*":      "missing closing ]",
		"[z-a]":     "invalid character class range",
		"*\xff":     "invalid UTF-8",
		"[[:word:]": "missing closing ]",
	} {
		_, err := CompileGlob(glob)
		assert.ErrorContains(t, err, want, "%q", glob)
	}
}
