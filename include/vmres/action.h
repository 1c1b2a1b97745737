/* SPDX-License-Identifier: MIT */
/*
 * Actions: everything an engine ever asks for, as 64-byte plain values without pointers.
 *
 * The format is frozen together with that of events (VMRES_FORMAT_VERSION). Whoever carries actions
 * out (a backend, or an embedder that has none) owes each one, by its id, exactly one final answer
 * (event.h); INQUIRE and CANCEL are the exceptions, as said below.
 *
 * Resizes carry an *absolute* target, so that one may be lost, repeated or overtaken without harm.
 * A newer one for the same VM, kind and direction supersedes the older: end the older with
 * VMRES_RESULT_SUPERSEDED and the amount it reached, count the newer from there. A target of 0, to
 * which a floor of 0 may lead, is nothing at all: where a limit of 0 means "no limit" to the
 * hypervisor, as CPU quotas do to most, set the least there is instead.
 *
 * On a contiguous host (VMRES_PLACEMENT_EXTENT) `front` says where the block begins afterwards, so
 * that it is then [front, front + target). Of what is granted on both sides a VM takes in the front
 * side first. One that passes memory on to its neighbour may be told to hold up to 1/64 of the host
 * more than its ceiling meanwhile; it is never told to grow and to shrink at once.
 */
#ifndef VMRES_ACTION_H
#define VMRES_ACTION_H

#include <stdint.h>
#include <vmres/api.h>

VMRES_BEGIN_DECLS

enum vmres_action_type {
    /* Step 1: one broadcast a round, id = the round. Every live VM answers with one REPORT per kind
     * that carries this id; there is no final answer. vm is VMRES_VM_NONE. */
    VMRES_ACTION_INQUIRE = 1,
    /* Step 4: shrink to `target`; `amount` is what that removes. Answered by REMOVED. */
    VMRES_ACTION_REQUEST_REMOVAL = 2,
    /* Step 6: change the VM's configuration so that it may hold `target` (raise a cap, a quota).
     * With VMRES_ACTION_INITIAL: its first allotment, before it runs. Answered by REASSIGNED. */
    VMRES_ACTION_REASSIGN = 3,
    /* Step 7: tell the VM that it may now use `target`. Answered by INCORPORATED. */
    VMRES_ACTION_NOTIFY = 4,
    /* Stay where you are: set the device's target to `target`, which is what the VM was seen to
     * hold, so that no older wish is pursued. Answered by PINNED with what it then holds. On a
     * contiguous host: lie in [front, front + target), which is all that is yours, and which may
     * be more than what you hold; answered when nothing of the VM lies outside. */
    VMRES_ACTION_PIN = 5,
    /* Give up the command `command` as soon as possible. Answered by *that* command's final. */
    VMRES_ACTION_CANCEL = 6,
};

enum vmres_action_flag {
    VMRES_ACTION_INITIAL = 1 << 0, /* REASSIGN: the first allotment */
    VMRES_ACTION_FRONT = 1 << 1,   /* REQUEST_REMOVAL, extents: leave from the front side */
};

struct vmres_action {
    uint64_t time_ms;     /* of the event that caused it */
    uint64_t id;          /* unique for the life of the engine, never 0 */
    uint32_t vm;          /* whose, or VMRES_VM_NONE */
    uint8_t type;         /* enum vmres_action_type */
    uint8_t kind;         /* index of the resource */
    uint16_t flags;       /* enum vmres_action_flag */
    uint32_t incarnation; /* which life of the VM is meant */
    uint32_t reserved;
    union {
        struct { /* the four resizes; transfer is 0 where several share the command */
            uint64_t target, amount, transfer, front;
        } resize;
        struct {
            uint64_t command, unused[3];
        } cancel;
        uint64_t words[4];
    } as;
};

/* Actions handed out by one step: owned by the engine, valid until its next step or destruction. */
struct vmres_actions {
    const struct vmres_action *items;
    uint32_t count;
};

VMRES_END_DECLS

#endif
