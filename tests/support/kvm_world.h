/* SPDX-License-Identifier: MIT */
/*
 * A host of fake QEMUs, with the KVM backend, a driver and a libuv loop over them, and a /proc in
 * which each guest's process holds what the guest holds:
 *
 *     kvm_world_init(&world, 2);             then change options, resource, policy
 *     kvm_world_create(&world);
 *     kvm_world_add(&world, 0, 64, 256);     floor and ceiling in MiB
 *     kvm_world_start(&world);
 *     kvm_world_until(&world, is_live, &world.guests[0]);
 *     kvm_world_close(&world);
 *
 * Guests are called vm0, vm1 and so on. Whatever goes wrong fails the running test.
 */
#ifndef VMRES_TESTS_KVM_WORLD_H
#define VMRES_TESTS_KVM_WORLD_H

#include <stdio.h>

#include <vmres/driver.h>
#include <vmres/kvm.h>
#include <vmres/policies.h>
#include <vmres/query.h>
#include <vmres/uv.h>

#include "support/fake_qmp.h"

#define KVM_WORLD_MIB ((uint64_t)1 << 20)
#define KVM_WORLD_TRACE ((size_t)1 << 18)

struct kvm_guest {
    struct fake_qmp qmp; /* first: its `changed` finds the guest */
    struct kvm_world *world;
    char name[16], socket[96];
    char agent[96];        /* where a fake_agent listens, or "" */
    int pid;               /* 1000 and up; it is in the world's /proc */
    uint64_t since;        /* when its process started */
    uint64_t locked, huge; /* of its memory */
    bool smaps;            /* its mappings can be read; true */
    bool slow;             /* but whoever does waits until kvm_world_survey(); false */
    uint64_t overhead;     /* what its QEMU holds of its own; KVM_WORLD_OVERHEAD */
    bool split;            /* that of its virtio-mem is in two; false */
    bool numa;             /* that of its base memory is; false */
};

/* What each guest should hold, in bytes, where that is ordered; change it at will. */
#define KVM_WORLD_SCRIPTED 4u
struct kvm_script {
    uint64_t sizes[KVM_WORLD_SCRIPTED];
    struct vmres_table table;
    struct vmres_script_options options;
};

struct kvm_world {
    uv_loop_t loop;
    uv_timer_t clock;
    char directory[64];
    struct vmres_kvm_options options;
    struct vmres_resource resource; /* 512 MiB in 2 MiB granules */
    struct vmres_policy policy;     /* "static" */
    struct kvm_script script;
    struct vmres_driver_options driver_options;
    struct vmres_kvm *kvm;
    struct vmres_uv *uv;
    struct vmres_driver *driver;
    struct kvm_guest *guests;
    unsigned count;
    char *trace; /* every line so far */
    size_t traced;
};

#define KVM_WORLD_OVERHEAD (40 * KVM_WORLD_MIB)

void kvm_world_init(struct kvm_world *world, unsigned guests);
/* The policy is "script": what the guests hold now, they should, until the script is changed. */
void kvm_world_script(struct kvm_world *world);
/* Two guests, by script: the first holds 256 MiB, the second 192, and there is no more. */
void kvm_world_init_pair(struct kvm_world *world);
void kvm_world_create(struct kvm_world *world);
/* The backend alone: the driver is the caller's. */
void kvm_world_create_backend(struct kvm_world *world);
void kvm_world_add(struct kvm_world *world, unsigned guest, uint64_t floor_mib,
                   uint64_t ceiling_mib);
void kvm_world_start(struct kvm_world *world);
void kvm_world_close(struct kvm_world *world);

/* Who owes a greeting or a reply for so long is silent, from the next question on. At first that is
 * as long as a test may last: a machine that is busy makes nobody silent. */
#define KVM_WORLD_LONG_MS 60000u
void kvm_world_bear(struct kvm_world *world, uint32_t silence_ms);

/* Runs the loop until the condition holds; fails the test when it does not in
 * KVM_WORLD_LONG_MS. */
void kvm_world_until(struct kvm_world *world, bool (*condition)(void *user), void *user);
/* Runs it for so many turns. */
void kvm_world_turn(struct kvm_world *world, unsigned turns);

/* The guest's QEMU dies: its process is gone, its socket deserted. Or it is there again. */
void kvm_world_kill(struct kvm_world *world, unsigned guest);
void kvm_world_revive(struct kvm_world *world, unsigned guest);
/* Of a slow one: whoever reads its mappings, now or soon, has what he wants, and that was that.
 * `pipe` is what was returned when it was seen that somebody does, or NULL. */
FILE *kvm_world_reader(struct kvm_guest *guest);
void kvm_world_survey(struct kvm_guest *guest, FILE *pipe);
/* Its /proc follows what it holds; called by itself when the guest moves. */
void kvm_world_process(struct kvm_guest *guest);

struct vmres_kvm_vm_info kvm_world_info(const struct kvm_world *world, unsigned guest);
struct vmres_account_info kvm_world_account(const struct kvm_world *world, unsigned guest);
enum vmres_vm_state kvm_world_state(const struct kvm_world *world, unsigned guest);
/* Conditions for kvm_world_until(); the user is a struct kvm_guest. */
bool kvm_guest_is_live(void *guest);
bool kvm_guest_is_gone(void *guest);
/* The line of the trace that begins after `from` and contains the text, or NULL. */
const char *kvm_world_find(const struct kvm_world *world, const char *from, const char *text);

#endif
