/* SPDX-License-Identifier: MIT */
/*
 * A real guest: a QEMU of our own, whose console comes to us line by line. It ends when we do,
 * however that happens.
 */
#ifndef VMRES_KVM_DEMO_GUEST_H
#define VMRES_KVM_DEMO_GUEST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

enum guest_state { GUEST_BOOTING, GUEST_READY, GUEST_DONE, GUEST_ENDED };

struct guest {
    const char *name;
    char socket[108];     /* of its QMP */
    char agent[108];      /* of its agent's port */
    char complaints[128]; /* what QEMU says on standard error */
    pid_t pid;
    uv_pipe_t console;
    bool console_open;
    char bytes[256], line[256]; /* as read; the line that is still coming */
    size_t length;
    enum guest_state state;
    unsigned percent; /* of its work */
    uint64_t swapped; /* bytes, as its program says */
    uint64_t low_ms;  /* by the loop's clock: its program said that memory runs short; or 0 */
};

struct guest_options {
    const char *directory; /* of kernel and demo-initrd */
    const char *scratch;   /* for sockets and swap */
    const char *name;
    const char *words; /* what it is to do */
    unsigned mib;      /* the most it can have */
    bool kvm;          /* false: QEMU runs it by itself, some ten times slower */
};

/* Starts it. false: it could not be, and why was said on standard error. */
bool guest_start(struct guest *guest, uv_loop_t *loop, const struct guest_options *options);
/* Gives it less than it could have: the balloon's size from its boot on. Waits for QEMU. */
bool guest_allot(struct guest *guest, uint64_t size);
/* Lets it begin its work. */
void guest_go(struct guest *guest);
/* Ends it, and closes its console with the loop's next turn. Safe on one never started. */
void guest_end(struct guest *guest);

#endif
