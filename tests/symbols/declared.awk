# SPDX-License-Identifier: MIT
#
# Prints the names that a header declares VMRES_API: functions, and objects too.

FNR == 1 { strip_reset() }

{
    line = strip($0)
    if (line ~ /^[ \t]*#/)
        next
    if (!open && line !~ /(^|[^A-Z_a-z0-9])VMRES_API([^A-Z_a-z0-9]|$)/)
        next
    open = 1
    text = text " " line
    if (line !~ /;/)
        next
    if (match(text, /[a-z_][a-z_0-9]*[ \t]*\(/))
        name = substr(text, RSTART, RLENGTH - 1)
    else {
        sub(/[ \t]*(\[[^]]*\])*[ \t]*;.*/, "", text)
        match(text, /[a-z_][a-z_0-9]*$/)
        name = substr(text, RSTART, RLENGTH)
    }
    gsub(/[ \t]/, "", name)
    print name
    open = 0
    text = ""
}
