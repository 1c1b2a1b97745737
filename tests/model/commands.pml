/* SPDX-License-Identifier: MIT */
/*
 * Commands and what their answers mean (command.c, vm.c, grant.c, removal.c, pin.c). Promela has
 * no functions: what ends a command, a transfer or a VM's business is noted where it is found, and
 * done in one place at the end of the step, in clear_up().
 */

/* --- command.c: sending and closing; settle.c's send() --- */

inline command_send(c, action_, target_, amount_, bound_)
{
    telling = action_;
    printf("engine tells %d: %e, command %d, target %d, amount %d, of charge %d\n", OWNER(c),
           telling, c, target_, amount_, charge[OWNER(c)]);
    assert(cmd_state[c] == COMMAND_FREE);
    /* I1: no command asks for more than what is charged. */
    assert(target_ <= charge[OWNER(c)]);
    cmd_state[c] = COMMAND_OPEN;
    cmd_pin[c] = (action_ == PIN);
    cmd_target[c] = target_;
    cmd_amount[c] = amount_;
    cmd_bound[c] = bound_;
    assert(nfull(to_vm[OWNER(c)]));
    to_vm[OWNER(c)]!action_, c, incarnation[OWNER(c)], target_, amount_
}

inline command_close(c)
{
    assert(cmd_state[c] != COMMAND_FREE); /* an end comes once */
    if
    :: shrink[OWNER(c)] == c ->
        shrink[OWNER(c)] = (c < C_PIN && cmd_state[TWIN(c)] != COMMAND_FREE -> TWIN(c) : NONE)
    :: else
    fi;
    if
    :: reassign == c -> reassign = NONE
    :: else
    fi;
    if
    :: notify == c -> notify = (cmd_state[TWIN(c)] != COMMAND_FREE -> TWIN(c) : NONE)
    :: else
    fi;
    if
    :: echoing && echo_command == c && echo != GONE -> echo_dead = true
    :: else
    fi;
    cmd_state[c] = COMMAND_FREE;
    cmd_pin[c] = false;
    cmd_cancel[c] = false;
    cmd_target[c] = 0;
    cmd_amount[c] = 0;
    cmd_bound[c] = 0;
    cmd_claimed[c] = 0;
    cmd_inherited[c] = 0;
    cmd_credited[c] = 0
}

inline call_off(c)
{
    if
    :: c != NONE ->
        if
        :: cmd_state[c] == COMMAND_OPEN && cmd_cancel[c] ->
            printf("engine cancels %d\n", c);
            cmd_state[c] = COMMAND_CANCELLING;
            assert(nfull(to_vm[OWNER(c)]));
            to_vm[OWNER(c)]!CANCEL, c, incarnation[OWNER(c)], 0, 0
        :: else
        fi
    :: else
    fi
}

/* --- vm.c --- */

inline vm_become(v, to)
{
    if
    :: state[v] != to ->
        assert(VM_EDGE(state[v], to));
        state[v] = to
    :: else
    fi
}

/* drop_business(): nothing that was open goes on. */
inline drop_business(v)
{
    stop_out = v;
    if
    :: v == R ->
        stop_in = true;
        untold = 0;
        unincorporated = 0;
        want_notify = false
    :: else
    fi;
    want_pin[v] = false;
    if
    :: pins[v] > 0 -> adopting--
    :: else
    fi;
    pins[v] = 0
}

inline vm_adopt(v)
{
    if
    :: frozen[v] -> vm_become(v, VM_FROZEN)
    :: else ->
        vm_become(v, VM_ADOPTING);
        pins[v] = 2;
        want_pin[v] = true;
        adopting++
    fi
}

#define MAY_FREEZE(v) (state[v] == VM_LIVE || state[v] == VM_ADOPTING)

/* An operator's wish, which counts as a fault. */
inline vm_freeze(v)
{
    printf("engine freezes %d\n", v);
    faults--;
    drop_business(v);
    if
    :: shrink[v] != NONE -> cmd_cancel[shrink[v]] = true
    :: else
    fi;
    if
    :: v == R && reassign != NONE -> cmd_cancel[reassign] = true
    :: else
    fi;
    if
    :: v == R && notify != NONE -> cmd_cancel[notify] = true
    :: else
    fi;
    frozen[v] = true;
    vm_become(v, VM_FROZEN)
}

inline vm_thaw(v)
{
    frozen[v] = false;
    if
    :: state[v] == VM_FROZEN -> vm_adopt(v)
    :: else
    fi
}

inline vm_speaks(v)
{
    if
    :: v != R && cmd_state[v * 2] == COMMAND_FREE && cmd_state[v * 2 + 1] == COMMAND_FREE ->
        vm_adopt(v)
    :: v == R && cmd_state[4] == COMMAND_FREE && cmd_state[5] == COMMAND_FREE &&
        cmd_state[6] == COMMAND_FREE && cmd_state[7] == COMMAND_FREE -> vm_adopt(v)
    :: else
    fi
}

inline vm_reborn(v)
{
    incarnation[v] = e_incarnation;
    disputed[v] = 0;
    witness[v] = NONE;
    if
    :: charge[v] < CEILING(v) ->
        seize(v, CEILING(v) - charge[v])
    :: else
    fi;
    vm_become(v, VM_BOOTING)
}

inline vm_gone(v)
{
    shed(v, charge[v]);
    disputed[v] = 0;
    held[v] = 0;
    target[v] = 0;
    witness[v] = NONE;
    frozen[v] = false;
    incarnation[v] = e_incarnation;
    vm_become(v, VM_VACANT)
}

/* --- grant.c --- */

#ifdef DEFICIT_DOES_NOT_BLOCK
#define OBSTACLE (adopting > 0 || state[R] != VM_LIVE)
#else
#define OBSTACLE (deficit > 0 || adopting > 0 || state[R] != VM_LIVE)
#endif

inline grant_place(t, amount)
{
    placed = (OBSTACLE -> 0 : MIN(amount, LESS(CEILING(R), charge[R])));
    if
    :: placed < amount ->
        park(amount - placed)
    :: else
    fi;
    if
    :: placed > 0 ->
        assert(deficit == 0); /* I2: nothing is granted while there is a deficit */
        transit = transit - placed;
        charge[R] = charge[R] + placed;
        x_placed[t] = x_placed[t] + placed;
        untold = untold + placed;
        unincorporated = unincorporated + placed
    :: else
    fi
}

inline grant_fail()
{
    untold = 0;
    unincorporated = 0;
    want_notify = false;
    want_pin[R] = true;
    stop_in = true
}

inline grant_reassigned()
{
    if
    :: e_result == DONE ->
        target[R] = cmd_target[e_command];
        want_notify = want_notify || unincorporated > 0
    :: e_result != DONE && e_result != PROGRESS -> grant_fail()
    :: else
    fi
}

inline grant_told()
{
    n = unincorporated - untold;
    n = (reassign == NONE -> n : LESS(n, cmd_amount[reassign]))
}

/* credit(): in the order of the transfers; the code shares in proportion. */
inline grant_credit(amount)
{
    unincorporated = unincorporated - (amount);
    rest = amount;
    x = 0;
    do
    :: x < VMS ->
        if
        :: x_state[x] != TRANSFER_NONE && !x_to_pool[x] && rest > 0 ->
            n = MIN(rest, WAITING(x));
            x_incorporated[x] = x_incorporated[x] + n;
            rest = rest - n
        :: else
        fi;
        x++
    :: else -> break
    od;
    assert(rest == 0)
}

inline grant_incorporated()
{
    cmd_claimed[e_command] = e_amount;
    if
    :: e_result == DONE -> cmd_claimed[e_command] = MAX(e_amount, cmd_amount[e_command])
    :: else
    fi;
    piece = LESS(cmd_claimed[e_command], cmd_credited[e_command]);
    grant_told();
    piece = MIN(piece, n);
    cmd_credited[e_command] = cmd_credited[e_command] + piece;
    if
    :: piece > 0 -> grant_credit(piece)
    :: else
    fi;
    if
    :: e_result != PROGRESS && e_result != DONE && cmd_state[e_command] != COMMAND_SUPERSEDED ->
        grant_fail()
    :: else
    fi
}

/* --- removal.c --- */

/* One verified piece to the transfer that waits for it, or to the pool: pass_on(), deliver(). */
inline pass_on(v, amount)
{
    rest = MIN(amount, OUTGOING(v));
    if
    :: amount > rest ->
        park(amount - rest)
    :: else
    fi;
    if
    :: rest > 0 ->
        x_released[v] = x_released[v] + rest;
        if
        :: x_to_pool[v] ->
            park(rest);
            x_placed[v] = x_placed[v] + rest;
            x_incorporated[v] = x_incorporated[v] + rest
        :: else -> grant_place(v, rest)
        fi
    :: else
    fi
}

#ifdef CREDIT_BEFORE_VERIFY
#define BELIEVABLE(v) charge[v]
#else
#define BELIEVABLE(v) LESS(charge[v], e_witness)
#endif

/* vmres__removal_contested(): what the open request claims in vain, for which transfers wait. */
inline contest(v)
{
    contested_ = 0;
    if
    :: shrink[v] != NONE ->
        if
        :: !cmd_pin[shrink[v]] && cmd_state[shrink[v]] == COMMAND_OPEN && !cmd_cancel[shrink[v]] ->
            contested_ = CONTESTED(shrink[v]) + CONTESTED(TWIN(shrink[v]));
            contested_ = MIN(contested_, disputed[v])
        :: else
        fi
    :: else
    fi
}

inline removal_credit(v, claim)
{
    contested_ = CONTESTED(e_command);
    /* claimable(): what was told to go and is not said to be gone */
    bound = MAX(cmd_target[e_command], cmd_target[shrink[v]]);
    n = LESS(charge[v], bound + disputed[v]);
    n = MIN(claim - cmd_claimed[e_command], n);
    cmd_claimed[e_command] = cmd_claimed[e_command] + n;
    piece = MIN(CONTESTED(e_command), BELIEVABLE(v));
    cmd_credited[e_command] = cmd_credited[e_command] + piece;
    disputed[v] = LESS(disputed[v], contested_) + CONTESTED(e_command);
    if
    :: piece > 0 ->
        charge[v] = charge[v] - piece;
        transit = transit + piece;
        pass_on(v, piece)
    :: else
    fi;
#ifndef DISPUTE_KEPT
    /* Of a removal that was called off: what was planned since had counted on it. */
    if
    :: CONTESTED(e_command) > contested_ ->
        contest(v);
        stop_out = (contested_ == 0 -> v : stop_out)
    :: else
    fi
#endif
}

inline removal_answered(v)
{
    if
    :: e_result == DONE && cmd_state[e_command] != COMMAND_SUPERSEDED ->
        e_amount = MAX(e_amount, cmd_amount[e_command])
    :: else
    fi;
    removal_credit(v, e_amount);
    if
    :: cmd_state[e_command] == COMMAND_SUPERSEDED ->
        if
        :: e_result != PROGRESS && shrink[v] == TWIN(e_command) ->
            cmd_inherited[shrink[v]] = cmd_inherited[shrink[v]] + CONTESTED(e_command)
        :: else
        fi
    :: cmd_state[e_command] != COMMAND_SUPERSEDED && e_result == DONE ->
#ifndef STALE_TARGET
        target[v] = cmd_target[e_command];
#endif
        contest(v);
        stop_out = (contested_ > 0 -> v : stop_out)
    :: cmd_state[e_command] != COMMAND_SUPERSEDED && e_result == CANCELLED -> want_pin[v] = true
    :: cmd_state[e_command] != COMMAND_SUPERSEDED &&
        (e_result == PARTIAL || e_result == SUPERSEDED) ->
        want_pin[v] = true;
        stop_out = v
    :: else
    fi
}

/* --- pin.c --- */

inline pin_answered(v)
{
    target[v] = (e_result == DONE -> cmd_target[e_command] : target[v]);
    shrink[v] = NONE;
    if
    :: pins[v] > 0 && e_result == DONE && held[v] == cmd_target[e_command] -> pins[v]--
    :: pins[v] > 0 && e_result != DONE -> pins[v] = 0
    :: else
    fi;
    if
    :: pins[v] > 0 -> want_pin[v] = true
    :: pins[v] == 0 && state[v] == VM_ADOPTING ->
        adopting--;
        vm_become(v, VM_LIVE)
    :: else
    fi;
    looks = pins[v] == 0 && e_result == DONE
}

/* --- command.c: answers and deadlines --- */

/* What was observed of a device's target may be older than the request that is answered. */
#ifdef STALE_TARGET
#define TOLD_BY_ANSWER(v) target[v]
#else
#define TOLD_BY_ANSWER(v) 0
#endif

inline command_answer(v)
{
    accepted = cmd_state[e_command] != COMMAND_FREE && !(is_echo && was_dead);
#ifdef FINAL_NOT_GUARDED
    accepted = true;
#endif
    if
    :: (e == REMOVED || e == INCORPORATED) &&
        (e_amount < cmd_claimed[e_command] || e_amount > cmd_bound[e_command]) -> accepted = false
    :: else
    fi;
    if
    :: accepted ->
        again = state[v] == VM_SILENT;
#ifdef SPEAKS_ONLY_IF_LOST
        again = again && cmd_state[e_command] == COMMAND_LOST;
#endif
        observe_held(v, e_held);
        witness[v] = e_witness;
        if
        :: e == REMOVED -> removal_answered(v)
        :: e == REASSIGNED -> grant_reassigned()
        :: e == INCORPORATED -> grant_incorporated()
        :: else -> pin_answered(v)
        fi;
#ifndef ANSWER_DOES_NOT_SEIZE
        was_charged = charge[v];
        observe_raised(v, TOLD_BY_ANSWER(v));
        /* I6: it took back, or was it believed before the host saw it? */
        assert(charge[v] == was_charged || is_news || is_echo);
#endif
        ending = (e_result == PROGRESS -> NONE : e_command);
        speaker = (again && e_result != PROGRESS -> v : NONE)
    :: else
    fi
}

/* give_up() */
inline command_give_up(c)
{
    printf("deadline of %d\n", c);
    if
    :: cmd_state[c] != COMMAND_OPEN ->
        cmd_state[c] = COMMAND_LOST;
        if
        :: state[OWNER(c)] != VM_SILENT ->
            drop_business(OWNER(c));
            vm_become(OWNER(c), VM_SILENT)
        :: else
        fi
    :: else ->
        cmd_cancel[c] = true;
        if
        :: c < C_PIN && !cmd_pin[c] -> stop_out = OWNER(c)
        :: c > C_PIN -> grant_fail()
        :: else
        fi
    fi
}

#ifdef SILENT_NOT_CALLED_OFF
#define SILENT_EXPIRES(c) (cmd_state[c] != COMMAND_OPEN || state[OWNER(c)] != VM_SILENT)
#else
#define SILENT_EXPIRES(c) true
#endif
/* Time passes only where somebody lets it: a guest that does not answer or does not work. */
#define MAY_EXPIRE(c)                                                                              \
    (cmd_state[c] != COMMAND_FREE && cmd_state[c] != COMMAND_LOST && SILENT_EXPIRES(c) &&          \
     (t_mute[OWNER(c)] || (t_lazy[OWNER(c)] && t_command[OWNER(c)] == c)))

/* The rest of a step: what stopped, what ended, and what became of transfers by it. */
inline clear_up()
{
    if
    :: stop_out != NONE -> break_out(stop_out)
    :: else
    fi;
    i = 0;
    do
    :: i < COMMANDS ->
        if
        :: cmd_state[i] != COMMAND_FREE && leaver != NONE && leaver == OWNER(i) -> ending = i
        :: else
        fi;
        if
        :: ending == i ->
            command_close(i);
            ending = NONE
        :: else
        fi;
        i++
    :: else -> break
    od;
    if
    :: speaker != NONE -> vm_speaks(speaker)
    :: else
    fi;
    i = 0;
    do
    :: i < VMS ->
        if
        :: stop_in -> break_in(i)
        :: else
        fi;
        if
        :: x_state[i] != TRANSFER_NONE -> transfer_review(i)
        :: else
        fi;
        i++
    :: else -> break
    od;
    stop_out = NONE;
    stop_in = false;
    leaver = NONE;
    speaker = NONE;
    looks = false
}
