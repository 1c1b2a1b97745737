# SPDX-License-Identifier: MIT
#
# The norms for C. Prints "RULE PATH[:FUNCTION] NUMBER LINE" for whatever exceeds one. It relies on
# the formatting that tests/tidy/format enforces: a function opens and closes in the first column.

BEGIN {
    max["function-lines"] = 70
    max["parameters"] = 5
    max["nesting"] = 3
    max["source-lines"] = 600
    max["public-header-lines"] = 150
    max["line-length"] = 100
    banned = "strcpy|strcat|strncpy|strncat|strtok|sprintf|vsprintf|gets|scanf|sscanf|atoi|atol" \
        "|atoll|atof|rand|srand|random|exit|_exit|abort|system|printf|vprintf|puts|putchar" \
        "|perror|signal|setlocale|alloca|tmpnam|mktemp|ctime|asctime|localtime|gmtime|sleep|usleep"
}

function report(rule, where, number, line)
{
    if (!(rule in max) || number > max[rule])
        print rule, where, number, line
}

# Counted rules: one report a file, at the first line.
function note(rule)
{
    if (!(rule in noted))
        first[rule] = FNR
    noted[rule]++
}

function finish_file(    rule)
{
    if (file == "")
        return
    for (rule in noted)
        report(rule, file, noted[rule], first[rule])
    if (file ~ /^include\//)
        report("public-header-lines", file, lines, lines)
    else if (file !~ /^tests\//)
        report("source-lines", file, lines, lines)
    split("", noted)
}

function count_matches(text, pattern, rule)
{
    while (match(text, pattern)) {
        note(rule)
        text = substr(text, RSTART + RLENGTH - 1)
    }
}

# Name and number of parameters, from the text between the last declaration and the brace.
function begin_function(    rest, depth, i, c, commas)
{
    name = "?"
    rest = head
    gsub(/__attribute__[ ]*\(\([^)]*\)*\)\)/, "", rest)
    if (match(rest, /[a-z_A-Z][a-z_A-Z0-9]*\(/)) {
        name = substr(rest, RSTART, RLENGTH - 1)
        rest = substr(rest, RSTART + RLENGTH)
    }
    commas = 0
    depth = 1
    for (i = 1; i <= length(rest) && depth > 0; i++) {
        c = substr(rest, i, 1)
        if (c == "(")
            depth++
        else if (c == ")")
            depth--
        else if (c == "," && depth == 1)
            commas++
    }
    if (rest !~ /^void\)/)
        report("parameters", file ":" name, commas + 1, head_line)
    kinds = ""
    deepest = 0
    in_function = 1
}

# Follows the braces of a line inside a function; only those of statements nest.
function follow(text,    i, c, before, nesting)
{
    while (match(text, /[{}]/)) {
        c = substr(text, RSTART, 1)
        before = substr(text, 1, RSTART - 1)
        if (c == "}")
            kinds = substr(kinds, 1, length(kinds) - 1)
        else {
            kinds = kinds (before ~ /(\) |else |do )$/ ? "s" : "v")
            nesting = kinds
            gsub(/v/, "", nesting)
            if (length(nesting) > deepest)
                deepest = length(nesting)
        }
        text = substr(text, RSTART + 1)
    }
}

FNR == 1 {
    finish_file()
    file = FILENAME
    strip_reset()
    head = ""
    in_function = 0
    in_macro = 0
    ours = file ~ /^(lib|include|backends)\//
    if ($0 !~ /^\/\* SPDX-License-Identifier: MIT \*\/$/)
        note("spdx-line-missing")
}

{
    lines = FNR
    plain = $0
    gsub(/[\200-\277]/, "", plain)
    if (length(plain) > max["line-length"])
        note("line-too-long")
    if (/\t/)
        note("tab")
    if (/[ \t]$/)
        note("trailing-blank")
    if (/(^|[^A-Z_])(TO[D]O|FIX[M]E|XX[X])([^A-Z_]|$)/)
        note("unfinished")

    text = strip($0)
    if (text ~ /^[ \t]*typedef[ \t]+(struct|union|enum)/)
        note("typedef")
    if (ours) {
        count_matches(" " text, "[^a-z_A-Z0-9.>](" banned ")[ ]*\\(", "banned-call")
        count_matches(text, "(stdout|stderr)", "standard-stream")
    }

    macro = in_macro || text ~ /^[ \t]*#/
    in_macro = macro && /\\$/
    if (macro)
        next
    if (in_function) {
        if (text == "}") {
            in_function = 0
            head = ""
            report("function-lines", file ":" name, FNR - head_line + 1, head_line)
            report("nesting", file ":" name, deepest, head_line)
        } else
            follow(text)
        next
    }
    if (text == "{") {
        begin_function()
        next
    }
    if (text ~ /^[ \t]*$/ || text ~ /[;}]$/)
        head = ""
    else {
        if (head == "")
            head_line = FNR
        sub(/^[ \t]+/, "", text)
        head = head (head == "" || head ~ /\($/ ? "" : " ") text
    }
}

END { finish_file() }
