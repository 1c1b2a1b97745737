/* SPDX-License-Identifier: MIT */
/*
 * From bytes to a conversation: line.c, json.c, wire.c and talk.c, each knowing only the one before
 * it. What is asked, and what a reply means, is decided elsewhere.
 */
#ifndef VMRES_KVM_QMP_H
#define VMRES_KVM_QMP_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>
#include <vmres/allocator.h>

#define KVM_LINE_MAX ((size_t)1 << 20)
#define KVM_DEPTH_MAX 32u

struct kvm_vm;

/* --- line.c: bytes into lines --- */

struct kvm_lines {
    const struct vmres_allocator *heap;
    size_t most; /* of one line */
    char *bytes;
    size_t room, length; /* of bytes; what lies there */
    size_t first;        /* where the line to come begins */
    size_t searched;     /* there is no end of line before this */
};
struct kvm_text {
    const char *bytes;
    size_t length;
};
enum kvm_lines_status { KVM_LINES_MORE, KVM_LINES_ONE, KVM_LINES_TOO_LONG };
/* Where the next bytes go; NULL: no memory, or the line is too long already. */
char *vmres__kvm_lines_room(struct kvm_lines *lines, size_t *room);
void vmres__kvm_lines_add(struct kvm_lines *lines, size_t length);
/* Takes the next line out, without its end; it lies there until the next call for room. */
enum kvm_lines_status vmres__kvm_lines_take(struct kvm_lines *lines, struct kvm_text *line);
void vmres__kvm_lines_clear(struct kvm_lines *lines);
void vmres__kvm_lines_finish(struct kvm_lines *lines);

/* --- json.c: lines into values, carefully --- */

/* An object, or NULL: nonsense, too deep, or a key twice. The caller decrefs it. */
json_t *vmres__kvm_json_parse(struct kvm_text line);
/* A whole number of bytes, 0 .. 2^53; false for all else, and for what QEMU calls unset. */
bool vmres__kvm_json_amount(const json_t *value, uint64_t *amount);
/* The text under a key, or "". */
const char *vmres__kvm_json_text(const json_t *object, const char *key);

/* --- wire.c: one connection, to a socket of QEMU's --- */

struct kvm_wire {
    struct kvm_vm *vm;
    const char *path;
    uv_pipe_t pipe;
    uv_connect_t connect;
    struct kvm_lines lines;
    enum { KVM_WIRE_CLOSED, KVM_WIRE_CONNECTING, KVM_WIRE_OPEN, KVM_WIRE_CLOSING } state;
    bool deserted; /* the last attempt to connect found nobody */
    void (*opened)(struct kvm_vm *vm);
    void (*message)(struct kvm_vm *vm, json_t *message); /* borrowed */
    void (*lost)(struct kvm_vm *vm, const char *why);    /* it is closing already */
    void (*closed)(struct kvm_vm *vm);
};
/* Path and calls are the caller's to set; `most`: bytes of a line. */
void vmres__kvm_wire_init(struct kvm_wire *wire, struct kvm_vm *vm, size_t most);
void vmres__kvm_wire_open(struct kvm_wire *wire);
/* false: it could not be sent, and the connection is lost. Takes the message over. */
bool vmres__kvm_wire_send(struct kvm_wire *wire, json_t *message);
/* Closes without a call of lost(); closed() comes later. */
void vmres__kvm_wire_close(struct kvm_wire *wire);
/* Closes, and says so by lost(). */
void vmres__kvm_wire_lose(struct kvm_wire *wire, const char *why);
/* The process at the other end, or 0. */
int64_t vmres__kvm_wire_peer(const struct kvm_wire *wire);

/* --- talk.c: a conversation in QMP: greeting, one command in flight, deadlines --- */

enum kvm_question { /* in the order in which a VM is asked after it greeted */
                    KVM_ASK_STATUS,
                    KVM_ASK_EVENTS,
                    KVM_ASK_MIGRATION,
                    KVM_ASK_SIZE,
                    KVM_ASK_DEVICES,
                    KVM_ASK_GUARD,
                    KVM_ASK_NAMED,
                    KVM_ASK_UNNAMED,
                    KVM_ASK_INTERVAL,
                    KVM_ASK_PROBED, /* no question: all of the above are answered */
                    KVM_ASK_HUSH,   /* no statistics: so that KVM_ASK_INTERVAL wakes them */
                    KVM_ASK_SET,    /* a part's wanted size */
                    KVM_ASK_READ,   /* a part's size now */
                    KVM_ASK_STATS,
                    KVM_ASK_NOTHING,
};
struct kvm_reply { /* value NULL: an error of this class */
    const json_t *value;
    const char *error;
};
struct kvm_talk {
    enum { KVM_TALK_DOWN, KVM_TALK_GREETING, KVM_TALK_NEGOTIATING, KVM_TALK_UP } phase;
    uint64_t serial;    /* of the last command; grows over connections, so that none is mistaken */
    uint64_t in_flight; /* serial, or 0 */
    enum kvm_question question;
    uint32_t part;        /* which it is about */
    uint64_t deadline_ms; /* of the greeting, or of the reply */
    bool busy;
    uint64_t retry_ms;  /* DOWN: when to connect again */
    uint32_t failures;  /* in a row */
    uint64_t agreed_ms; /* UP: since when */
    const char *why;    /* not UP: what happened last, static text */
};
void vmres__kvm_talk_init(struct kvm_vm *vm);
void vmres__kvm_talk_begin(struct kvm_vm *vm);
void vmres__kvm_talk_end(struct kvm_vm *vm);
void vmres__kvm_talk_ask(struct kvm_vm *vm, enum kvm_question question, uint32_t part,
                         json_t *command);
/* Looks at the deadlines. */
void vmres__kvm_talk_tick(struct kvm_vm *vm);
uint64_t vmres__kvm_talk_due(const struct kvm_vm *vm);

#endif
