# SPDX-License-Identifier: MIT
#
# The rules for scripts and build files: a licence line, 100 columns, nothing left to do.
# Prints "RULE PATH NUMBER LINE".

function report_last()
{
    if (previous != "" && !licensed)
        print "spdx-line-missing", previous, 1, 1
}

FNR == 1 { report_last(); previous = FILENAME; licensed = 0 }
FNR <= 2 && /SPDX-License-Identifier: MIT/ { licensed = 1 }
FILENAME ~ /\/(allowed|exceptions)$/ { licensed = 1 }
length($0) > 100 { print "line-length", FILENAME, length($0), FNR }
/[ \t]$/ { print "trailing-blank", FILENAME, 1, FNR }
/(^|[^A-Z])(TO[D]O|FIX[M]E)/ { print "unfinished", FILENAME, 1, FNR }
END { report_last() }
