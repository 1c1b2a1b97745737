# SPDX-License-Identifier: MIT
#
# One result of what `optimum` stored: NAME J_star J_static U_lb lp_step_s.
#
#   awk -v trace=NAME -f result.awk FILE

index($0, "\"" trace "\": {") { inside = 1 }
inside && match($0, /"[A-Za-z_]+": [0-9.]+/) {
    split(substr($0, RSTART, RLENGTH), pair, /[": ]+/)
    value[pair[2]] = pair[3]
}
inside && /}/ {
    print trace, value["J_star"], value["J_static"], value["U_lb"], value["lp_step_s"]
    exit
}
