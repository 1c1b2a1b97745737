# SPDX-License-Identifier: MIT
#
# For scripts that hold a program to what it says: sourced, with $program set. Leaves the streams of
# the last run in $work, which goes with the script, and the script's exit status in $failed.

failed=0
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

fail()
{
    echo "$(basename "$0"): $1"
    failed=1
}

# expect STATUS ARGUMENT...: runs it, streams in $work/out and $work/err.
expect()
{
    wanted=$1
    shift
    "$program" "$@" >"$work/out" 2>"$work/err"
    got=$?
    [ $got = "$wanted" ] || fail "status $got, not $wanted: $*"
}

# complains LINE ARGUMENT...: refused with this one line, and nothing on standard output.
complains()
{
    line=$1
    shift
    expect 2 "$@"
    [ -s "$work/out" ] && fail "something on standard output: $*"
    [ "$(cat "$work/err")" = "$line" ] || fail "not '$line' but '$(cat "$work/err")'"
}

# needs_output ARGUMENT...: says something, and when nobody can have it, that.
needs_output()
{
    expect 0 "$@"
    [ -s "$work/out" ] || fail "nothing on standard output: $*"
    "$program" "$@" >/dev/full 2>"$work/err"
    [ $? = 2 ] || fail "a full disk behind standard output is no error: $*"
    case $(cat "$work/err") in
    *": standard output could not be written to the end; make room for it") ;;
    *) fail "a full disk behind standard output is not told: $*" ;;
    esac
    [ "$(wc -l <"$work/err")" = 1 ] || fail "a full disk is not told in one line: $*"
}
