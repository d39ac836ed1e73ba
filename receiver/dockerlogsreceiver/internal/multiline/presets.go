// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package multiline

import (
	"maps"
	"regexp"
	"slices"
)

// Preset names the rules for the stack traces of a language, or of all.
type Preset string

const (
	// None joins nothing; an override or a label switches multiline off with it.
	None Preset = "none"
	// Auto joins the traces of every language that has a preset.
	Auto Preset = "auto"
)

// Languages are the presets of one language each, in order.
func Languages() []Preset { return slices.Sorted(maps.Keys(presets)) }

// A state of each kind of trace that has several; those of one preset do not overlap with
// those of another, so that auto can have all of them.
const (
	javaTrace state = 1 << iota
	pythonTrace
	pythonRaised // the line with the exception has been read
	pythonGroup
	pythonSyntax
	goPanic
	goFrames
	dotnetTrace
	dotnetLog
	nodeSource // of "file:line", above the line of source text that it shows
	nodeCaret
	nodeTrace
	nodeFields
	rubyTrace
)

// presets are, for each language, the lines that a trace begins with (those from none) and
// those that go on with it. Patterns are of what the runtimes print themselves; what a
// logger puts before a trace, on a line of its own, is another record.
var presets = map[Preset]rules{
	"java": {
		// A class of an exception: by its package and name at the beginning of a line, or by
		// its usual end anywhere.
		begins(javaTrace, `^Exception in thread "`, "Exception in thread"),
		begins(javaTrace, `^(?:[\w$]+\.)+[A-Z][\w$]*(?::|$)`, "."),
		begins(javaTrace, `(?:^|[\s(])(?:[a-z_][\w$]*\.)+[A-Z][\w$]*(?:Exception|Error|Throwable)(?::|\s*$)`, "Exception", "Error", "Throwable"),
		goesOn(javaTrace, javaTrace, `^\s+(?:eval )?at \S`),
		goesOn(javaTrace, javaTrace, `^\s+\.\.\. \d+ (?:more|common frames omitted)`),
		goesOn(javaTrace, javaTrace, `^\s*(?:Wrapped by|Caused by|Suppressed): `),
		goesOn(javaTrace, javaTrace, `^\s*\[CIRCULAR REFERENCE`),
		goesOn(javaTrace, javaTrace, `^\s*(?:nested exception is|- locked <|- waiting )`),
	},
	"python": {
		begins(pythonTrace, `^Traceback \(most recent call last\):$`, "Traceback"),
		begins(pythonGroup, `^\s*\+ Exception Group Traceback \(most recent call last\):$`, "Exception Group"),
		begins(pythonSyntax, `^  File ".*", line \d+$`, "  File "),
		goesOn(pythonTrace, pythonTrace, `^\s+\S`),
		goesOn(pythonTrace, pythonRaised, `^[\w.]+(?::|$)`),
		goesOn(pythonSyntax, pythonSyntax, `^\s+\S`),
		goesOn(pythonSyntax, pythonRaised, `^(?:Syntax|Indentation|Tab)Error: `),
		goesOn(pythonGroup, pythonGroup, `^\s+[|+]`),
		// A trace may be the cause of another, or have been handled when that was raised.
		goesOn(pythonRaised, pythonRaised, `^$`),
		goesOn(pythonRaised|pythonGroup, pythonRaised, `^(?:The above exception was the direct cause of|During handling of the above exception, another)`),
		goesOn(pythonRaised, pythonTrace, `^Traceback \(most recent call last\):$`),
		goesOn(pythonRaised, pythonGroup, `^\s*\+ Exception Group Traceback`),
	},
	"go": {
		begins(goPanic, `^(?:panic|fatal error|runtime): `, "panic: ", "fatal error: ", "runtime: "),
		begins(goPanic, `^(?:unexpected fault address|SIG[A-Z]+: )`, "unexpected fault address", "SIG"),
		begins(goFrames, `^.*http: panic serving .*$`, "http: panic serving"),
		goesOn(goPanic, goPanic, `^\s*(?:panic: |\[recovered|\[signal |fatal error: |PC=)`),
		goesOn(goPanic|goFrames, goPanic|goFrames, `^$`),
		goesOn(goPanic|goFrames, goFrames, `^(?:goroutine \d+ |runtime stack:|\s*goroutine running on other thread)`),
		goesOn(goFrames, goFrames, `^(?:\S+\(.*\)|created by \S+.*|\.\.\..*frames elided\.\.\.)$`),
		goesOn(goFrames, goFrames, `^\t\S`),
		goesOn(goFrames, goFrames, `^(?:\w{2,6}\s+0x[0-9a-f]+|exit status \d+)$`),
	},
	"dotnet": {
		begins(dotnetTrace, `(?:^|\s)Unhandled [Ee]xception[.:]`, "Unhandled "),
		begins(dotnetTrace, `(?:^|\s)(?:[A-Za-z_]\w*\.)+[A-Z]\w*(?:Exception|Error)(?:\s\(0x[0-9A-Fa-f]+\))?(?:: |$)`, "Exception", "Error"),
		begins(dotnetLog, `^(?:trce|dbug|info|warn|fail|crit): \S.*\[\d+\]$`, ": "),
		goesOn(dotnetTrace, dotnetTrace, `^\s+(?:at \S|---> |--- End of inner exception stack trace ---)`),
		goesOn(dotnetTrace, dotnetTrace, `^(?: ?---> |--- End of stack trace from previous location)`),
		// The console logger of Microsoft.Extensions.Logging indents all but the first line.
		goesOn(dotnetLog, dotnetLog, `^ {6}`),
	},
	"node": {
		begins(nodeTrace, `^(?:Uncaught )?[A-Z]?[\w$]*Error(?: \[\w+\])?(?:: |$)`, "Error"),
		begins(nodeTrace, `(?:^|\s)(?:Uncaught|Unhandled)[\w ]*(?:[Ee]xception|[Rr]ejection)`, "Uncaught", "Unhandled"),
		begins(nodeSource, `^(?:/|file:///|node:|[A-Za-z]:\\)\S*:\d+$`, ":"),
		goesOn(nodeSource, nodeCaret, ``),
		goesOn(nodeCaret, nodeTrace, `^\s*\^+\s*$`),
		goesOn(nodeTrace, nodeTrace, `^$`),
		goesOn(nodeTrace, nodeTrace, `^(?:Uncaught )?[A-Z]?[\w$]*Error(?: \[\w+\])?(?:: |$)`),
		goesOn(nodeTrace|nodeFields, nodeTrace, `^\s+at \S`),
		goesOn(nodeTrace, nodeFields, `^\s+at .*\{$`),
		goesOn(nodeTrace|nodeFields, nodeFields, `^\s+(?:\[?[\w$]+\]?: |\[errors\]|[\]}],?)`),
		goesOn(nodeFields, nodeTrace, `^[\]}]+$`),
		goesOn(nodeTrace, nodeTrace, `^(?:Node\.js v|\(Use .node --trace|Thrown at:)`),
	},
	"ruby": {
		begins(rubyTrace, `^\S+\.rb:\d+:in ['`+"`"+`]`, ".rb:"),
		begins(rubyTrace, `^(?:[A-Z]\w*::)*[A-Z]\w*(?:Error|Exception|NotFound|Invalid)\b.*[:)]$`, "Error", "Exception", "NotFound", "Invalid"),
		begins(rubyTrace, `^(?:\S+\.rb: )?Traceback \(most recent call last\):$`, "Traceback"),
		goesOn(rubyTrace, rubyTrace, `^\s+(?:\d+: )?from \S+:\d+`),
		goesOn(rubyTrace, rubyTrace, `^\s*\S+:\d+:in ['`+"`"+`]`),
		goesOn(rubyTrace, rubyTrace, `^$`),
	},
}

func begins(to state, pattern string, has ...string) rule {
	r := goesOn(none, to, pattern)
	for _, text := range has {
		r.has = append(r.has, []byte(text))
	}
	return r
}

func goesOn(from, to state, pattern string) rule {
	return rule{from: from, to: to, pattern: regexp.MustCompile(pattern)}
}

// grammar returns the rules of a preset, and whether there is one of that name.
func (p Preset) grammar() (Grammar, bool) {
	switch p {
	case None:
		return nil, true
	case Auto:
		var all rules
		for _, language := range Languages() {
			all = append(all, presets[language]...)
		}
		return &all, true
	}
	g, ok := presets[p]
	return &g, ok
}
