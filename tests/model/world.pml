/* SPDX-License-Identifier: MIT */
/*
 * What there is: three VMs, six granules, the channels between them and the engine, and the truth
 * about each VM, which the engine knows from events only. Nothing here is decided by anybody.
 */

#define D0 0 /* donors; a transfer from each has the same number */
#define D1 1
#define R 2    /* the recipient */
#define POOL 2 /* the transfer from the free pool to the recipient */
#define VMS 3
#define NONE 15

#define CAPACITY 6
#define FLOOR 1
#define CEILING(v) (v == D0 -> 3 : (v == D1 -> 2 : 4))
#define START(v) (v == D0 -> 3 : (v == D1 -> 2 : 1))
#define BOOT(v) (v == R -> 2 : CEILING(v)) /* what it holds after a reboot */

#define MIN(a, b) ((a) < (b) -> (a) : (b))
#define MAX(a, b) ((a) > (b) -> (a) : (b))
#define LESS(a, b) ((a) > (b) -> (a) - (b) : 0) /* never below zero */

mtype:action = { REQUEST, REASSIGN, NOTIFY, PIN, CANCEL };
mtype:event = { REMOVED, REASSIGNED, INCORPORATED, PINNED, OBSERVED, LIVE, GONE };
/* PROGRESS and NEWS are not final; NEWS tells of a change that nobody asked for. */
mtype:result = { PROGRESS, NEWS, DONE, PARTIAL, CANCELLED, SUPERSEDED };

#define ROOM 4
/* action, command, its VM's incarnation, target, amount */
chan to_vm[VMS] = [8] of { mtype:action, byte, byte, byte, byte };
/* event, incarnation, command, result, amount (OBSERVED: the device's target), held, witness */
chan to_engine[VMS] = [ROOM] of { mtype:event, byte, byte, mtype:result, byte, byte, byte };

/* An event on its way a second time: it may come at any time, or a stale word long after. */
mtype:event echo;
mtype:result echo_result;
byte echo_vm, echo_incarnation, echo_command, echo_amount, echo_held, echo_witness;
bool echoing, echo_dead; /* dead: its command has ended, so that its id names nothing */
byte echoes = ECHOES;

byte faults = FAULTS;
byte plans = PLANS;

/* The truth. */
byte t_held[VMS], t_lied[VMS]; /* lied: of what it holds, what it says to have released */
byte t_may[VMS];               /* what it was last allowed to hold */
byte t_incarnation[VMS];
byte t_command[VMS], t_goal[VMS], t_amount[VMS], t_said[VMS]; /* what it works on */
bool t_lazy[VMS];   /* does not work on it */
bool t_mute[VMS];   /* says nothing at all, for now or for ever */
bool t_dead[VMS];
byte t_unseen[VMS]; /* changes of its own accord that the engine cannot know yet */
