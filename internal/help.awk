# make help: what a Makefile says of itself. Targets have a comment "## name: text" and are under headings, "##@ text"; variables
# that a person may set have a comment of one line above "NAME ?= default".

# row prints the text in lines, beside the name.
function row(name, text,    words, n, i, line) {
	n = split(text, words, " ")
	line = words[1]
	for (i = 2; i <= n; i++) {
		if (length(line) + length(words[i]) < 80) {
			line = line " " words[i]
			continue
		}
		printf "  %s%-17s%s%s\n", color, name, plain, line
		name = ""
		line = words[i]
	}
	printf "  %s%-17s%s%s\n", color, name, plain, line
}

BEGIN {
	if (system("test -t 1") == 0) {
		color = "\033[36m"
		plain = "\033[0m"
	}
	print title "\n\nusage: make [TARGET...] [NAME=VALUE...]"
}
/^##@ / { print "\n" substr($0, 5) }
/^## [a-z-]+: / {
	target = substr($2, 1, length($2) - 1)
	row(target, substr($0, length(target) + 6))
}
/^[A-Z_]+ +\?= / && comment != "" { variable[++variables] = $1; about[variables] = comment; value[variables] = substr($0, index($0, "?= ") + 3) }
{ comment = /^# .*\.$/ ? substr($0, 3) : "" }
END {
	print "\nVariables"
	for (i = 1; i <= variables; i++)
		row(variable[i], about[i] " Default: " value[i])
}
