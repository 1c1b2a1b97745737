/* SPDX-License-Identifier: MIT */
/*
 * A QEMU as seen through its QMP socket, with a guest behind it: enough of both for the KVM backend
 * to work with, and everything that can go wrong. It lives on a libuv loop, the backend's own in
 * most tests. Its replies have the shape of those of QEMU 7.2.
 *
 * Time is counted in readings: each time its size is read, the guest moves one `step` further
 * towards what it was told.
 */
#ifndef VMRES_TESTS_FAKE_QMP_H
#define VMRES_TESTS_FAKE_QMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

struct fake_qmp {
    /* The guest. Sizes in bytes; change them at will. */
    uint64_t base;   /* 256 MiB */
    uint64_t actual; /* as the balloon says; base */
    uint64_t target; /* what it was told; base */
    uint64_t floor;  /* it does not go below, whatever it is told; 0 */
    uint64_t step;   /* 16 MiB */
    unsigned late;   /* so many readings it goes on as before when its balloon is told a size; 0 */
    uint64_t used;   /* 64 MiB */
    uint64_t update; /* stamp of its statistics; grows at each reading while it has a driver */
    uint64_t pinned; /* what it says to have given and the host still holds; 0 */
    uint64_t mem_max, mem_size, mem_requested, mem_block; /* virtio-mem; 0, 0, 0, 2 MiB */
    uint64_t mem_sticks; /* from this size it unplugs nothing until it is told another; 0: never */
    uint64_t mem_online; /* of its blocks, what it uses; follows mem_size unless it is `offline` */
    uint64_t reserve;    /* what it counts of its memory to none; 0: it tells no total; 24 MiB */
    uint64_t claimed;    /* what it says its total is; 0: the truth */
    bool offline;        /* blocks that come are not brought online; false */
    bool full;           /* what the balloon holds counts as used, not as gone; false */
    bool dozes;          /* it takes statistics only when their timer is set anew; false */
    bool balloon, driver, running; /* true */
    bool vfio, encrypted;          /* false */
    const char *migration;         /* status, or NULL */
    const char *status;            /* while it does not run; NULL: "paused" */

    /* Its QMP. */
    bool silent;         /* no greeting: somebody else has the socket */
    bool hung;           /* takes commands and does not answer, until fake_qmp_go_on() */
    size_t chunk;        /* so many bytes a turn of the loop; 0: as they come */
    size_t cut;          /* so many bytes, and the next connection is closed; 0: never */
    const char *command; /* this command is answered with `reply` instead */
    const char *reply;   /* a whole line; %d in it is the command's id */
    void (*changed)(struct fake_qmp *fake); /* the guest holds another amount */
    void *user;

    /* What was seen. */
    unsigned connections, commands, sets;
    unsigned woken;         /* times the timer of statistics was set anew */
    bool events;            /* of migrations were asked for */
    unsigned flying, flown; /* commands not answered yet: now, and at most */
    size_t sent;            /* bytes, over the present connection */
    char last[64];          /* the last command */

    /* Its own. */
    uv_loop_t *loop;
    uv_pipe_t server, client;
    uv_idle_t idle;
    bool listening, connected, closing, waiting;
    uint64_t heeded; /* the target it pursues, */
    unsigned lag;    /* for so many readings more */
    bool timed;      /* the timer of statistics runs */
    uint64_t total;  /* as its statistics have it */
    int handles;
    char *in, *out;
    size_t in_length, out_length;
};

/* Listens at `path`. Whatever goes wrong fails the running test. */
void fake_qmp_open(struct fake_qmp *fake, uv_loop_t *loop, const char *path);
/* Listens no more and drops the connection, as when QEMU dies. The loop must run on. */
void fake_qmp_kill(struct fake_qmp *fake);
/* Drops the connection and goes on listening. */
void fake_qmp_drop(struct fake_qmp *fake);
/* After fake_qmp_kill() and a run of the loop. */
void fake_qmp_free(struct fake_qmp *fake);

/* An event; `data` is JSON, or NULL. */
void fake_qmp_event(struct fake_qmp *fake, const char *name, const char *data);
/* Bytes of any kind. */
void fake_qmp_say(struct fake_qmp *fake, const char *bytes, size_t length);
/* Answers what is still unanswered, late. */
void fake_qmp_go_on(struct fake_qmp *fake);
/* What it holds in truth. */
uint64_t fake_qmp_held(const struct fake_qmp *fake);

#endif
