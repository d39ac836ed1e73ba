// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package enginefacts

// Facts are all that are measured, in the order of the document.
var Facts = []Fact{
	{
		ID: "since", Name: "`since`", Exact: true, figures: of(measureSince),
		Means: "A read can begin at a record that is known, to the nanosecond, and sees that record again.",
		How:   "a log of ten records a nanosecond apart, asked for since the sixth.",
	},
	{
		ID: "seek", Name: "`since`: a seek or a filter", Slow: true, figures: of(measureSeek),
		Means: "A filter makes the daemon decode the whole log each time, however little comes back. A read that asks by `tail` costs what it returns.",
		How:   "a log of 600,000 lines in one json-file, and the daemon's processor time for one request.",
	},
	{
		ID: "late", Name: "`since` and late records", Exact: true, figures: of(measureLate),
		Means: "A record may be written behind one with a later time. Whoever resumes by `since` may not get it.",
		How:   "a log of ten records, of which the seventh has the time of the third, asked for since the sixth.",
	},
	{
		ID: "tail", Name: "`tail`", Exact: true, figures: of(measureTail),
		Means: "Where `tail` comes first and fewer records come than were asked for, `tail` cut nothing off. Whoever reads one stream has to count on fewer.",
		How:   "a log of ten records, of stdout and stderr in turn, asked for since the sixth, and for one stream.",
	},
	{
		ID: "chunks", Name: "Long lines", Exact: true, figures: of(measureChunks),
		Means: "A line comes in chunks; nothing but the missing line end marks one. `tail` counts chunks, so a read may begin inside a line.",
		How:   "a line of 50,000 bytes.",
	},
	{
		ID: "tty", Name: "Containers with a terminal", Exact: true, figures: of(measureTTY),
		Means: "There are no frames: the time stamp of each chunk stands in the middle of the text.",
		How:   "a line of 40,000 bytes.",
	},
	{
		ID: "stamps", Name: "Time stamps", Exact: true, figures: of(measureStamps),
		Means: "A time stamp is to be parsed, not cut off at a width.",
		How:   "1,000 lines, on an engine whose zone is not UTC.",
	},
	{
		ID: "order", Name: "Order of time stamps", figures: of(measureOrder),
		Means: "stdout and stderr are stamped by two goroutines of the engine. No record is to be left out for being older than the one before.",
		How:   "100,000 lines flat out, on both streams in random turns.",
	},
	{
		ID: "rotation", Name: "A follow of a log that rotates", Slow: true, figures: of(measureRotation),
		Means: "A single follow may repeat records and leave others out. If at all, the daemon says so in its own log. How far back repeats reach is how much has to be remembered to recognise them.",
		How:   "one follow of a `json-file` with `max-file` x `max-size`, numbered lines of 120 bytes. A slow reader reads half of what is written. A repeat has the same time, stream and text.",
	},
	{
		ID: "headers", Name: "Headers of a silent follow", Exact: true, figures: of(measureHeaders),
		Means: "Where they come with the first record, a time-out for headers would end every follow of a silent container.",
		How:   "a follow of a container that has not written anything. What has not come after three seconds comes with the first record.",
	},
	{
		ID: "follows", Name: "What a follow holds in the daemon", figures: of(measureFollows),
		Means: "A follow that is cancelled leaks nothing, in whatever number.",
		How:   "what `/info` says of the daemon, with 50 follows of a silent container open, four times.",
	},
	{
		ID: "events", Name: "Events", Slow: true, figures: of(measureEvents),
		Means: "Events are lost without a word: to those who come back late, and to those who read slowly. The list of containers is the truth.",
		How:   "1,500 events of a container with labels of 8 KB.",
	},
	{
		ID: "cost", Name: "What serving costs", Slow: true, figures: of(measureCost),
		Means: "A follow makes the daemon flush each line by itself.",
		How:   "the daemon's processor time for lines of 120 bytes, counted for a million: 600,000 in one read, and 20,000 at 1,000 a second, with a follow and without.",
	},
	{
		ID: "damage", Name: "Records that cannot be read", Slow: true, figures: of(measureDamage),
		Means: "A record is torn where the engine, the machine or the disk failed, and a file that was truncated by hand has NULs. An answer may end there without an error: its end proves nothing.",
		How:   "json-files made by hand, of the records 1 to 5, the damage in place of 6, and 7 to 10; which records come: of all, with `tail=8`, and with `until` the last whole one but one before the damage, five times each.",
	},
}
