/* SPDX-License-Identifier: MIT */
/*
 * The transfer protocol: an engine, two donors, one recipient, six granules, and a bounded number
 * of things that go wrong. README.md says what is modelled and what is not; `check` runs it.
 *
 * The engine's half follows lib/core: comments name the functions that inlines stand for, and each
 * of its steps is atomic, as vmres_engine_step() is. The other half, prefixed t_, is the truth.
 * What is asserted is about both: see audit() in books.pml, and the end of this file.
 */

#ifndef FAULTS
#define FAULTS 2 /* how many things may go wrong */
#endif
#ifndef ECHOES
#define ECHOES 1 /* how many events the backend says twice */
#endif
#ifndef PLANS
#define PLANS 2 /* how many judgements may change the plan, deficits apart */
#endif

#include "states.pml"
#include "world.pml"
#include "books.pml"
#include "commands.pml"
#include "engine.pml"
#include "guests.pml"

/* I7: whatever went wrong, the rest comes to an end and is whole again. */
#define WELL(v)                                                                                    \
    ((state[v] == VM_LIVE && !t_dead[v]) || (state[v] == VM_VACANT && t_dead[v]) || t_mute[v])
#define ENDED(v, c) (cmd_state[c] == COMMAND_FREE || t_mute[v])
#define settled                                                                                    \
    (x_state[D0] == TRANSFER_NONE && x_state[D1] == TRANSFER_NONE &&                               \
     x_state[POOL] == TRANSFER_NONE && adopting == 0 && WELL(D0) && WELL(D1) && WELL(R) &&         \
     ENDED(D0, 0) && ENDED(D0, 1) && ENDED(D1, 2) && ENDED(D1, 3) && ENDED(R, 4) &&                \
     ENDED(R, 5) && ENDED(R, 6) && ENDED(R, 7))

#ifndef LIVENESS
/* When there is nothing left to do, it is so. */
active proctype at_the_end()
{
    timeout -> assert(settled)
}
#endif

/* And that comes. */
ltl settlement { <>[] settled }
