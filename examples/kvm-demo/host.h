/* SPDX-License-Identifier: MIT */
/*
 * The host of the demo: three guests with equal allotments, as in figure 2, and the library over
 * them on a libuv loop.
 */
#ifndef VMRES_KVM_DEMO_HOST_H
#define VMRES_KVM_DEMO_HOST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <uv.h>
#include <vmres/kvm.h>
#include <vmres/uv.h>
#include <vmres/vmres.h>

#include "guest.h"

enum { HOST_GUESTS = 3 };

#define HOST_ALLOTMENT (256 * VMRES_MIB) /* of each at first */

struct host_options {
    const char *directory; /* see guest.h */
    const char *scratch;
    const char *policy; /* "usage", or "static": nothing moves */
    FILE *log;          /* the eight steps; or NULL */
    bool kvm;           /* see guest.h */
};

struct host {
    const struct host_options *options;
    uv_loop_t loop;
    uv_signal_t signals[3];
    uv_timer_t tick;
    struct guest guests[HOST_GUESTS];
    struct vmres_resource memory;
    struct vmres_kvm *kvm;
    struct vmres_driver *driver;
    struct vmres_uv *uv;
    struct log *log;
    uint64_t begin_ms; /* of the work, by the loop's clock */
    uint64_t asked_ms; /* the first time a VM was asked for memory (4), or 0 */
    bool interrupted;
    void (*ticked)(struct host *host); /* every HOST_TICK_MS while there is work; or NULL */
    void *user;
};

enum { HOST_TICK_MS = 100 };

/* What is known of a VM, by what it told the library. */
struct host_vm {
    uint64_t held, used, swapped;
    uint64_t beside;  /* what its QEMU holds of its own, at least; in no charge */
    uint64_t notices; /* that it is short, by its agent */
    bool agent;       /* one speaks for it */
    bool known;
};

/* Boots the guests, puts the library over them, and returns when it has adopted them. false: that
 * could not be, and why was said; host_close() is due in any case. */
bool host_open(struct host *host, const struct host_options *options);
/* Lets VM1 work, until it is done or so much time is over. Returns how long it took in ms, 0 if it
 * was not done. */
uint64_t host_work(struct host *host, uint64_t patience_ms);
void host_close(struct host *host);

struct host_vm host_look(const struct host *host, uint32_t index);
uint64_t host_now_ms(const struct host *host); /* since the work began */

#endif
