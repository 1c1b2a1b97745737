/* SPDX-License-Identifier: MIT */
/*
 * The engine as a process: of all that it could do next it does any one thing, to the end
 * (engine.c), then sends what follows from the books (settle.c). It judges as it likes, within the
 * rules that guard.c and plan.c keep to.
 */

/* --- settle.c --- */

inline settle_shrink(v)
{
    slot = shrink[v];
    contest(v);
    contested_ = MIN(contested_, OUTGOING(v));
    assert(charge[v] + contested_ >= disputed[v] + OUTGOING(v));
    wanted = charge[v] + contested_ - disputed[v] - OUTGOING(v);
    if
    :: slot == NONE && OUTGOING(v) > 0 ->
        shrink[v] = (cmd_state[v * 2] == COMMAND_FREE -> v * 2 : v * 2 + 1)
    :: slot != NONE ->
        if
        :: OUTGOING(v) == 0 ->
            cmd_cancel[slot] = cmd_cancel[slot] ||
                               (!cmd_pin[slot] && cmd_state[slot] == COMMAND_OPEN);
            call_off(slot)
        :: OUTGOING(v) > 0 && (cmd_pin[slot] || cmd_cancel[slot]) -> call_off(slot)
        :: OUTGOING(v) > 0 && !cmd_pin[slot] && !cmd_cancel[slot] &&
            cmd_state[slot] == COMMAND_OPEN && cmd_target[slot] != wanted &&
            cmd_state[TWIN(slot)] == COMMAND_FREE ->
            cmd_state[slot] = COMMAND_SUPERSEDED;
            shrink[v] = TWIN(slot)
        :: else
        fi
    :: else
    fi;
    if
    :: shrink[v] != slot ->
        assert(wanted >= FLOOR); /* I3 */
        target[v] = wanted;
        n = OUTGOING(v) - contested_;
        bound = MAX(n, LESS(held[v], wanted));
        command_send(shrink[v], REQUEST, wanted, n, bound)
    :: else
    fi
}

inline settle_pin(v)
{
    if
    :: want_pin[v] && shrink[v] == NONE && (v != R || (reassign == NONE && notify == NONE)) ->
        shrink[v] = (v == R -> C_PIN : (cmd_state[v * 2] == COMMAND_FREE -> v * 2 : v * 2 + 1));
        command_send(shrink[v], PIN, held[v], 0, 0);
        want_pin[v] = false
    :: else
    fi
}

inline settle_grow()
{
    if
    :: untold > 0 && reassign == NONE ->
        reassign = C_REASSIGN;
        command_send(C_REASSIGN, REASSIGN, charge[R] - disputed[R], untold, untold);
        untold = 0
    :: else
    fi;
    slot = (notify == NONE -> (cmd_state[C_NOTIFY] == COMMAND_FREE -> C_NOTIFY : TWIN(C_NOTIFY))
                           : TWIN(notify));
    if
    :: want_notify && cmd_state[slot] == COMMAND_FREE ->
        if
        :: notify == NONE || cmd_state[notify] == COMMAND_OPEN ->
            grant_told();
            bound = LESS(charge[R] - disputed[R], held[R]);
            bound = MAX(n, bound);
            if
            :: notify != NONE -> cmd_state[notify] = COMMAND_SUPERSEDED
            :: else
            fi;
            notify = slot;
            wanted = MIN(charge[R] - disputed[R], target[R]);
            command_send(slot, NOTIFY, wanted, n, bound);
            want_notify = false
        :: else
        fi
    :: else
    fi
}

#ifdef PIN_NOT_CALLED_OFF
#define CALLS_OFF(v) (state[v] == VM_LIVE)
#elif defined(SILENT_NOT_CALLED_OFF)
#define CALLS_OFF(v) (state[v] != VM_SILENT)
#else
#define CALLS_OFF(v) true
#endif

/* settle_account() */
inline settle(v)
{
    if
    :: state[v] != VM_VACANT && CALLS_OFF(v) ->
        if
        :: v == R ->
            call_off(reassign);
            call_off(notify)
        :: else
        fi;
        call_off(shrink[v])
    :: else
    fi;
    if
    :: state[v] == VM_BOOTING || state[v] == VM_ADOPTING || state[v] == VM_LIVE -> settle_pin(v)
    :: else
    fi;
    if
    :: state[v] == VM_LIVE && v != R -> settle_shrink(v)
    :: state[R] == VM_LIVE && v == R && shrink[R] == NONE -> settle_grow()
    :: else
    fi
}

/* --- engine.c --- */

/* check(), take(), dispatch() */
inline take_event(v)
{
    printf("engine hears of %d.%d: %e of %d, result %e, amount %d, held %d, witness %d\n", v,
           e_incarnation, e, e_command, e_result, e_amount, e_held, e_witness);
    accepted = state[v] != VM_VACANT;
#ifndef NO_INCARNATION_CHECK
    accepted = accepted && e_incarnation >= incarnation[v];
#endif
    /* tells_of_birth(): the first word of a new life is an observation, or its end. */
    accepted = accepted && (e_incarnation <= incarnation[v] || e == OBSERVED || e == GONE);
    if
    :: accepted && (e_incarnation > incarnation[v] || e == GONE) ->
        drop_business(v);
        leaver = v;
        if
        :: e == GONE -> vm_gone(v)
        :: else -> vm_reborn(v)
        fi
    :: else
    fi;
    if
    :: accepted && e == OBSERVED ->
        observe_held(v, e_held);
        target[v] = e_amount;
        witness[v] = e_witness;
        looks = true
    :: accepted && e == LIVE && state[v] == VM_BOOTING -> vm_adopt(v)
    :: accepted && e != OBSERVED && e != LIVE && e != GONE -> command_answer(v)
    :: else
    fi;
    if
    :: looks -> observe_seen(v)
    :: else
    fi
}

#define CAN_ECHO(v)                                                                                \
    (to_engine[v]?[REMOVED] || to_engine[v]?[INCORPORATED] || to_engine[v]?[REASSIGNED] ||         \
     to_engine[v]?[PINNED] || to_engine[v]?[GONE])

/* The next event; what it says may come again, later. */
inline listen()
{
    me = pick;
    to_engine[me]?e, e_incarnation, e_command, e_result, e_amount, e_held, e_witness;
    is_echo = false;
    is_news = e_result == NEWS;
    if
    :: is_news ->
        e_result = PROGRESS;
        t_unseen[me] = t_unseen[me] - (e_incarnation == t_incarnation[me])
    :: else
    fi;
    if
    :: size == 1 ->
        echoes--;
        echoing = true;
        echo = e;
        echo_result = e_result;
        echo_vm = me;
        echo_incarnation = e_incarnation;
        echo_command = e_command;
        echo_amount = e_amount;
        echo_held = e_held;
        echo_witness = e_witness
    :: else
    fi;
}

inline listen_again()
{
    e = echo;
    e_result = echo_result;
    me = echo_vm;
    e_incarnation = echo_incarnation;
    e_command = echo_command;
    e_amount = echo_amount;
    e_held = echo_held;
    e_witness = echo_witness;
    is_echo = true;
    is_news = false;
    was_dead = echo_dead;
    echoing = false;
    echo_dead = false;
    echo = 0;
    echo_result = 0;
    echo_vm = 0;
    echo_incarnation = 0;
    echo_command = 0;
    echo_amount = 0;
    echo_held = 0;
    echo_witness = 0
}

/* --- judge.c, plan.c: any plan within the rules --- */

/* What a donor can be asked for: its floor is kept, disputed granules are not counted on. */
#ifdef DISPUTED_COUNTS
#define GIVABLE(v) (state[v] == VM_LIVE -> LESS(charge[v], FLOOR) : 0)
#else
#define GIVABLE(v) (state[v] == VM_LIVE -> LESS(charge[v], FLOOR + disputed[v]) : 0)
#endif
#define ROOM_OF_R LESS(CEILING(R), charge[R] + INCOMING)

#define CAN_PLAN (plans > 0 && deficit == 0)

/* A mutation: the recipient is told what it will have, before the donor has let go. */
inline grant_early(v, amount)
{
#ifdef GRANT_BEFORE_CHARGE
    if
    :: reassign == NONE ->
        reassign = C_REASSIGN;
        cmd_state[C_REASSIGN] = COMMAND_OPEN;
        cmd_target[C_REASSIGN] = charge[R] + amount;
        to_vm[R]!REASSIGN, C_REASSIGN, incarnation[R], charge[R] + amount, amount
    :: else
    fi
#else
    skip
#endif
}

/* Who is being adopted is charged with the most it could hold: what that is too much comes back of
 * itself, and nobody pays for it. */
#ifdef ADOPTION_SQUEEZES
#define OWES (deficit > 0)
#else
#define OWES (deficit > 0 && adopting == 0)
#endif

#define TO_POOL(v) (x_to_pool[v] -> OUTGOING(v) : 0)
#define CAN_GIVE_TO_POOL(v)                                                                        \
    (OWES && state[v] == VM_LIVE && x_state[v] == TRANSFER_NONE && disputed[v] == 0 &&             \
     shrink[v] == NONE && !want_pin[v] && charge[v] > FLOOR &&                                     \
     deficit > TO_POOL(D0) + TO_POOL(D1))
/* A deficit is worked off first: what a donor was to give to somebody is called off, what the host
 * must have is asked for; and no longer than it must. */
#define MUST_WORK_OFF(v)                                                                           \
    ((OUTGOING(v) > 0 && (x_to_pool[v] -> !OWES : deficit > 0)) || CAN_GIVE_TO_POOL(v))

inline work_off(v)
{
    if
    :: OUTGOING(v) > 0 -> x_asked[v] = x_released[v]
    :: else ->
        assert(adopting == 0);
        n = deficit - TO_POOL(D0) - TO_POOL(D1);
        n = MIN(n, charge[v] - FLOOR);
        transfer_open(v, n, true)
    fi
}

#define TRANSFERABLE(v)                                                                            \
    (state[R] == VM_LIVE && x_state[v] == TRANSFER_NONE -> MIN(GIVABLE(v), ROOM_OF_R) : 0)
#define GRANTABLE                                                                                  \
    (adopting == 0 && state[R] == VM_LIVE && x_state[POOL] == TRANSFER_NONE                        \
         -> MIN(free_, ROOM_OF_R) : 0)

/* A transfer is opened, or wanted less. */
inline plan()
{
    plans--;
    if
    :: size > 0 && pick != POOL -> transfer_open(pick, size, false); grant_early(pick, size)
    :: size > 0 && pick == POOL ->
        transfer_open(POOL, size, false);
        free_ = free_ - size;
        transit = transit + size;
        x_released[POOL] = size;
        grant_place(POOL, size)
    :: size == 0 -> x_asked[pick]--
    fi
}

/* --- the process --- */

mtype:task = { TAKE, HEAR_AGAIN, GIVE_UP, WORK_OFF, PLAN, FREEZE, THAW };
mtype:task task; /* what a step is about, until it is over */
byte pick, size;

/* What the engine does next: any of what it could. */
inline choose()
{
    if
    :: nempty(to_engine[D0]) -> task = TAKE; pick = D0
    :: nempty(to_engine[D1]) -> task = TAKE; pick = D1
    :: nempty(to_engine[R]) -> task = TAKE; pick = R
    :: echoes > 0 && CAN_ECHO(D0) -> task = TAKE; pick = D0; size = 1
    :: echoes > 0 && CAN_ECHO(D1) -> task = TAKE; pick = D1; size = 1
    :: echoes > 0 && CAN_ECHO(R) -> task = TAKE; pick = R; size = 1
    :: echoing && (echo != GONE || echo_incarnation < incarnation[echo_vm] ||
                   state[echo_vm] == VM_VACANT) -> task = HEAR_AGAIN
    :: MAY_EXPIRE(0) -> task = GIVE_UP; pick = 0
    :: MAY_EXPIRE(1) -> task = GIVE_UP; pick = 1
    :: MAY_EXPIRE(2) -> task = GIVE_UP; pick = 2
    :: MAY_EXPIRE(3) -> task = GIVE_UP; pick = 3
    :: MAY_EXPIRE(4) -> task = GIVE_UP; pick = 4
    :: MAY_EXPIRE(5) -> task = GIVE_UP; pick = 5
    :: MAY_EXPIRE(6) -> task = GIVE_UP; pick = 6
    :: MAY_EXPIRE(7) -> task = GIVE_UP; pick = 7
    :: MUST_WORK_OFF(D0) -> task = WORK_OFF; pick = D0
    :: MUST_WORK_OFF(D1) -> task = WORK_OFF; pick = D1
    :: CAN_PLAN && TRANSFERABLE(D0) > 0 -> task = PLAN; pick = D0; size = 1
    :: CAN_PLAN && TRANSFERABLE(D0) > 1 -> task = PLAN; pick = D0; size = 2
    :: CAN_PLAN && TRANSFERABLE(D1) > 0 -> task = PLAN; pick = D1; size = 1
    :: CAN_PLAN && GRANTABLE > 0 -> task = PLAN; pick = POOL; size = GRANTABLE
    :: faults > 0 && MAY_FREEZE(D0) -> task = FREEZE; pick = D0
    :: faults > 0 && MAY_FREEZE(R) -> task = FREEZE; pick = R
    :: frozen[D0] -> task = THAW; pick = D0
    :: frozen[R] -> task = THAW; pick = R
    :: CAN_PLAN && OUTGOING(D0) > 0 -> task = PLAN; pick = D0
    :: CAN_PLAN && OUTGOING(D1) > 0 -> task = PLAN; pick = D1
    fi
}

/* All are live, and hold what they are charged with. */
inline begin()
{
    i = 0;
    do
    :: i < VMS ->
        state[i] = VM_LIVE;
        charge[i] = START(i);
        held[i] = START(i);
        target[i] = START(i);
        witness[i] = START(i);
        shrink[i] = NONE;
        x_state[i] = TRANSFER_NONE;
        t_held[i] = START(i);
        t_may[i] = START(i);
        t_command[i] = NONE;
        i++
    :: else -> break
    od;
    i = 0;
    do
    :: i < COMMANDS -> cmd_state[i] = COMMAND_FREE; i++
    :: else -> break
    od;
    reassign = NONE;
    notify = NONE
}

active proctype engine()
{
    d_step { begin() }
    run vm(D0);
    run vm(D1);
    run vm(R);

end:
    do
    :: atomic {
        choose();
        d_step {
            if
            :: task == TAKE -> listen()
            :: task == HEAR_AGAIN -> listen_again()
            :: task == GIVE_UP -> command_give_up(pick)
            :: task == WORK_OFF -> work_off(pick)
            :: task == PLAN -> plan()
            :: task == FREEZE -> vm_freeze(pick)
            :: task == THAW -> vm_thaw(pick)
            fi
        };
        d_step {
            if
            :: task == TAKE || task == HEAR_AGAIN -> take_event(me)
            :: else
            fi
        };
        d_step { clear_up() };
        d_step {
            me = 0;
            do
            :: me < VMS -> settle(me); me++
            :: else -> break
            od
        };
        d_step {
            audit();
            task = 0;
            pick = 0;
            size = 0
        }
    }
    od
}
