# SPDX-License-Identifier: MIT
#
# Prints what VMs held on real guests beside what they held in the simulator, both ten times a
# second, and the largest difference; and how much of that is left when the simulator's course is
# moved in time, which tells lateness from another course. Exits with 1 where a bound is passed:
# at the end more than two regions of 32 MiB apart, or half of the movement five seconds apart.

BEGIN {
    FS = ","
    vms = 3
    region = 32
    apart = 50 # ticks
}

FNR == 1 {
    file++
    for (i = 1; i <= NF; i++)
        column[$i] = i
    next
}

{
    for (vm = 1; vm <= vms; vm++)
        held[file, vm, FNR - 2] = $column["VM" vm ".memory.held"]
    ticks[file] = FNR - 1
}

function distance(a, b) { return a > b ? a - b : b - a }

# The simulator's, so many ticks later; before its beginning and after its end it stays.
function simulated(vm, tick, later,    at)
{
    at = tick - later
    return held[2, vm, at < 0 ? 0 : at >= ticks[2] ? ticks[2] - 1 : at]
}

function largest(later,    vm, tick, most, now)
{
    most = 0
    for (tick = 0; tick < ticks[1]; tick++)
        for (vm = 1; vm <= vms; vm++) {
            now = distance(held[1, vm, tick], simulated(vm, tick, later))
            if (now > most) {
                most = now
                worst_vm = vm
                worst_tick = tick
            }
        }
    return most
}

# When VM1 had got half of what it got.
function half_time(file,    tick, half)
{
    half = (held[file, 1, 0] + held[file, 1, ticks[file] - 1]) / 2
    for (tick = 0; tick < ticks[file] && held[file, 1, tick] < half; tick++)
        ;
    return tick
}

END {
    print "what they hold [MiB]:  guests  simulator (VM by VM)"
    for (tick = 0; tick < ticks[1]; tick += 5) {
        printf "  %5.1f s", tick / 10
        for (vm = 1; vm <= vms; vm++)
            printf "   VM%d %3d %3d", vm, held[1, vm, tick], simulated(vm, tick, 0)
        printf "\n"
    }
    plain = largest(0)
    printf "largest difference: %d MiB, VM%d at %.1f s\n", plain, worst_vm, worst_tick / 10
    best = plain
    moved = 0
    for (later = -apart; later <= apart; later++)
        if (largest(later) < best) {
            best = largest(later)
            moved = later
        }
    if (moved != 0)
        printf "with the simulator %.1f s %s: %d MiB\n", distance(moved, 0) / 10,
            (moved > 0 ? "later" : "earlier"), best
    print "why: rounds come once a second, but not at the same moments in both; a real guest"
    print "gives notice as soon as it stalls, and what it wanted is seen a little later; and a real"
    print "device gives and takes as fast as the load of the host lets it"
    last = ticks[1] - 1
    for (vm = 1; vm <= vms; vm++)
        if (distance(held[1, vm, last], simulated(vm, last, 0)) > 2 * region) {
            print "reality: VM" vm " ended more than two regions apart"
            bad = 1
        }
    if (distance(half_time(1), half_time(2)) > apart) {
        print "reality: half of it had moved more than five seconds apart"
        bad = 1
    }
    if (held[1, 1, last] <= held[1, 1, 0]) {
        print "reality: nothing moved"
        bad = 1
    }
    exit bad
}
