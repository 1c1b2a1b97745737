# SPDX-License-Identifier: MIT
#
# strip(line): the line of C without comments, and with its strings and characters emptied. Call
# it for each line of a file in turn, after strip_reset() at the first.

function strip_reset()
{
    strip_in_comment = 0
}

function strip(line,    out, at, token, quote)
{
    out = ""
    while (line != "") {
        if (strip_in_comment) {
            at = index(line, "*/")
            if (at == 0)
                return out
            line = substr(line, at + 2)
            strip_in_comment = 0
            continue
        }
        if (!match(line, /\/\*|\/\/|"|'/))
            return out line
        token = substr(line, RSTART, RLENGTH)
        out = out substr(line, 1, RSTART - 1)
        line = substr(line, RSTART + RLENGTH)
        if (token == "//")
            return out
        if (token == "/*") {
            strip_in_comment = 1
            continue
        }
        quote = token
        while (line != "" && substr(line, 1, 1) != quote)
            line = substr(line, substr(line, 1, 1) == "\\" ? 3 : 2)
        line = substr(line, 2)
        out = out quote quote
    }
    return out
}
