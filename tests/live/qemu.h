/* SPDX-License-Identifier: MIT */
/*
 * A real QEMU with a guest in it, started by hand as an operator would, with two QMP sockets: one
 * for the library, one for the test, which speaks the few words it needs, and waits for each.
 */
#ifndef VMRES_TESTS_LIVE_QEMU_H
#define VMRES_TESTS_LIVE_QEMU_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct qemu {
    char socket[128], own[128], console[128], complaints[128];
    char agent[128]; /* of its agent's port; "": it has none */
    char shell[128], swap[128];
    pid_t pid;
    int fd; /* the test's own QMP socket */
    int shell_fd;
};

struct qemu_options {
    const char *directory; /* of kernel, initrd and accelerator */
    const char *name;
    const char *words; /* for the guest's command line */
    unsigned mib;
    bool reboots;             /* a reset does not end it */
    const char *const *extra; /* arguments, ends with NULL; or NULL */
    bool agent;               /* with an agent, a shell, and a disk to swap to */
};

/* For main(): the one argument of every program here, for the options below. Ends the program where
 * it is missing. */
const char *qemu_directory(int count, char **arguments);
/* Where its files lie; qemu_start() does that too. */
void qemu_place(struct qemu *qemu, const char *directory, const char *name);
/* Whatever goes wrong fails the running test. */
void qemu_start(struct qemu *qemu, const struct qemu_options *options);
/* Waits until its guest is up. */
void qemu_wait(struct qemu *qemu);
/* Ends it; safe on one that was never started. */
void qemu_end(struct qemu *qemu);

/* A QMP command without arguments. */
void qemu_do(struct qemu *qemu, const char *command);
void qemu_balloon(struct qemu *qemu, uint64_t size);
uint64_t qemu_actual(struct qemu *qemu);
/* The same of its virtio-mem device, which must be called mem0. */
void qemu_plug(struct qemu *qemu, uint64_t size);
uint64_t qemu_plugged(struct qemu *qemu);
/* A command for its guest's shell. */
void qemu_tell(struct qemu *qemu, const char *command);
/* How many lines of its console say this. */
unsigned qemu_said(const struct qemu *qemu, const char *text);
/* What its process holds, in bytes; 0: it is gone. */
uint64_t qemu_resident(const struct qemu *qemu);
/* What of that is not the guest's: of mappings that are smaller than a guest. */
uint64_t qemu_overhead(const struct qemu *qemu);
/* Holds the library's socket, as another client would, until the descriptor is closed. */
int qemu_occupy(const struct qemu *qemu);
uint64_t qemu_now_ms(void);
void qemu_pause_ms(unsigned ms);

#endif
