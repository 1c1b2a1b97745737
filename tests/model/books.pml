/* SPDX-License-Identifier: MIT */
/*
 * The engine's books: accounts, commands, transfers and the ledger (internal.h, ledger.c,
 * transfer.c, observe.c), and what must hold of them after every step.
 */

byte free_, transit, deficit, adopting;

/* Accounts. */
mtype:vm state[VMS];
byte incarnation[VMS], charge[VMS], disputed[VMS], held[VMS], target[VMS], witness[VMS];
byte pins[VMS], shrink[VMS];
bool want_pin[VMS], frozen[VMS];
byte reassign, notify, untold, unincorporated; /* of the recipient */
bool want_notify;

/* Commands. A donor's requests and pins are 2v and 2v + 1, of which one may be superseded; the
 * recipient's: */
#define C_PIN 4
#define C_REASSIGN 5
#define C_NOTIFY 6 /* and 7 */
#define COMMANDS 8
#define OWNER(c) ((c) < 2 -> D0 : ((c) < 4 -> D1 : R))
#define TWIN(c) ((c) ^ 1)

mtype:command cmd_state[COMMANDS];
bool cmd_pin[COMMANDS], cmd_cancel[COMMANDS];
byte cmd_target[COMMANDS], cmd_amount[COMMANDS], cmd_bound[COMMANDS];
byte cmd_claimed[COMMANDS], cmd_inherited[COMMANDS], cmd_credited[COMMANDS];

/* Transfers: D0's, D1's, and that from the pool. */
mtype:transfer x_state[VMS];
bool x_to_pool[VMS], x_broken[VMS];
byte x_planned[VMS], x_asked[VMS], x_released[VMS], x_placed[VMS], x_incorporated[VMS];
byte x_failed[VMS];

#define OUTGOING(v) (x_asked[v] - x_released[v])
#define INCOMING                                                                                   \
    ((x_to_pool[D0] -> 0 : OUTGOING(D0)) + (x_to_pool[D1] -> 0 : OUTGOING(D1)))
#define WAITING(x) (x_placed[x] - x_incorporated[x] - x_failed[x])
#define CONTESTED(c) (cmd_claimed[c] + cmd_inherited[c] - cmd_credited[c])

/* Scratch of one step: no part of the state. */
hidden mtype:event e;
hidden mtype:result e_result;
hidden mtype:action telling;
hidden mtype:transfer end_state;
hidden byte me, e_incarnation, e_command, e_amount, e_held, e_witness;
hidden byte i, n, piece, was, bound, wanted, contested_, rest, x, slot, placed, was_charged;
hidden byte accepted, is_echo, is_news, was_dead, again, looks;
/* What is done at the end of it, in clear_up(): a command ends; all business of a VM does; a silent
 * one speaks; what a donor still owes stops, and what the recipient waits for. */
hidden byte ending = NONE, leaver = NONE, speaker = NONE, stop_out = NONE, stop_in;

/* --- ledger.c --- */

inline give_back(amount)
{
    was = MIN(amount, deficit);
    deficit = deficit - was;
    free_ = free_ + amount - was
}

inline seize(v, amount)
{
    n = amount;
    charge[v] = charge[v] + n;
    was = MIN(n, free_);
    free_ = free_ - was;
    deficit = deficit + n - was
}

inline shed(v, amount)
{
    n = amount;
    assert(n <= charge[v]);
    charge[v] = charge[v] - n;
    give_back(n)
}

inline park(amount)
{
    n = amount;
    assert(n <= transit);
    transit = transit - n;
    give_back(n)
}

/* --- transfer.c --- */

inline transfer_become(t, to)
{
    if
    :: x_state[t] != to ->
        assert(TRANSFER_EDGE(x_state[t], to));
        x_state[t] = to
    :: else
    fi
}

inline transfer_open(t, amount, pool)
{
    printf("transfer %d of %d, to the pool: %d\n", t, amount, pool);
    assert(amount > 0 && x_state[t] == TRANSFER_NONE);
    x_to_pool[t] = pool;
    x_planned[t] = amount;
    x_asked[t] = amount;
    if
    :: t == POOL -> transfer_become(t, TRANSFER_PLACING)
    :: else -> transfer_become(t, TRANSFER_REQUESTED)
    fi
}

inline transfer_close(t)
{
    if
    :: x_incorporated[t] == x_planned[t] -> end_state = TRANSFER_DONE
    :: x_incorporated[t] == 0 && x_broken[t] -> end_state = TRANSFER_FAILED
    :: x_incorporated[t] == 0 && !x_broken[t] -> end_state = TRANSFER_CANCELLED
    :: else ->
        end_state = (x_broken[t] || x_incorporated[t] < x_asked[t] -> TRANSFER_PARTIAL
                                                                    : TRANSFER_DONE)
    fi;
    transfer_become(t, end_state);
    x_state[t] = TRANSFER_NONE;
    x_to_pool[t] = false;
    x_broken[t] = false;
    x_planned[t] = 0;
    x_asked[t] = 0;
    x_released[t] = 0;
    x_placed[t] = 0;
    x_incorporated[t] = 0;
    x_failed[t] = 0
}

inline transfer_review(t)
{
    assert(x_asked[t] >= x_released[t] && x_released[t] >= x_placed[t] &&
           x_placed[t] >= x_incorporated[t] + x_failed[t]);
    if
    :: x_asked[t] > x_released[t] && x_released[t] > 0 -> transfer_become(t, TRANSFER_MOVING)
    :: x_asked[t] > x_released[t] && x_released[t] == 0
    :: else ->
        if
        :: x_state[t] == TRANSFER_REQUESTED && x_released[t] > 0 ->
            transfer_become(t, TRANSFER_MOVING)
        :: else
        fi;
        if
        :: WAITING(t) > 0 -> transfer_become(t, TRANSFER_PLACING)
        :: else -> transfer_close(t)
        fi
    fi
}

inline break_out(v)
{
    if
    :: v != R && x_state[v] != TRANSFER_NONE && OUTGOING(v) > 0 ->
        x_broken[v] = true;
        x_asked[v] = x_released[v]
    :: else
    fi
}

inline break_in(t)
{
    if
    :: x_state[t] != TRANSFER_NONE && !x_to_pool[t] ->
        x_broken[t] = true;
        x_failed[t] = x_placed[t] - x_incorporated[t];
        x_asked[t] = x_released[t]
    :: else
    fi
}

/* --- observe.c --- */

inline observe_held(v, amount)
{
    held[v] = MIN(amount, CEILING(v))
}

#define IDLE(v)                                                                                    \
    (shrink[v] == NONE && !want_pin[v] &&                                                          \
     (v == R -> reassign == NONE && notify == NONE && unincorporated == 0 : OUTGOING(v) == 0))
#define TRUSTED(v)                                                                                 \
    ((state[v] == VM_LIVE || state[v] == VM_ADOPTING) && pins[v] == 0 && witness[v] != NONE)

inline observe_raised(v, wish)
{
    bound = MAX(held[v], wish);
    bound = (witness[v] != NONE -> MAX(bound, witness[v]) : bound);
    if
    :: bound > charge[v] -> seize(v, bound - charge[v])
    :: else
    fi
}

inline observe_seen(v)
{
    observe_raised(v, target[v]);
    if
    :: bound < charge[v] && IDLE(v) && TRUSTED(v) ->
        shed(v, charge[v] - bound);
        n = LESS(charge[v], MAX(held[v], target[v]));
        disputed[v] = MIN(disputed[v], n)
    :: else
    fi
}

/* --- what must hold after every step --- */

#define KNOWN(v) (t_unseen[v] == 0) /* it did nothing that the engine has not been told of */

inline audit()
{
    /* I2: conservation; a deficit leaves nothing free; nothing stays in transit. */
    assert(free_ + charge[D0] + charge[D1] + charge[R] + transit == CAPACITY + deficit);
    assert(deficit == 0 || free_ == 0);
    assert(transit == 0);
    assert(adopting == (pins[D0] > 0) + (pins[D1] > 0) + (pins[R] > 0));
    assert(unincorporated == WAITING(D0) * (!x_to_pool[D0]) + WAITING(D1) * (!x_to_pool[D1]) +
                                 WAITING(POOL));
    i = 0;
    do
    :: i < VMS ->
        /* I1, I6: the charge covers what is held and allowed, as far as it can be known. */
        assert(!KNOWN(i) || (t_held[i] <= charge[i] && t_may[i] <= charge[i]));
        /* L1: what a vanished VM was charged with is free, and once (by conservation). */
        assert(state[i] != VM_VACANT || charge[i] == 0);
        assert(disputed[i] <= charge[i]);
        assert(i == R || OUTGOING(i) == 0 || state[i] == VM_LIVE);
        assert(x_state[i] == TRANSFER_NONE || x_to_pool[i] || state[R] == VM_LIVE);
        i++
    :: else -> break
    od;
    assert(!(KNOWN(D0) && KNOWN(D1) && KNOWN(R)) ||
           t_held[D0] + t_held[D1] + t_held[R] <= CAPACITY + deficit)
}
