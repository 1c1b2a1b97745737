/* SPDX-License-Identifier: MIT */
/*
 * The KVM backend: what its rooms share. For each VM, data walks one way:
 *
 *     socket -> line.c -> wire.c -> talk.c -> probe.c, balloon.c, virtio_mem.c, stats.c
 *                                               -> part.c -> command.c, life.c, report.c -> driver
 *     driver -> backend.c -> command.c -> part.c -> agenda.c -> talk.c -> wire.c -> socket
 *
 * What is asked next is never queued: agenda.c sees it from the VM's state. So nothing is asked
 * twice, nothing is lost with a connection, and at most one command is in flight per VM.
 */
#ifndef VMRES_KVM_INTERNAL_H
#define VMRES_KVM_INTERNAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>
#include <vmres/kvm.h>
#include <vmres/units.h>

#define KVM_UNKNOWN UINT64_MAX
#define KVM_NEVER UINT64_MAX
#define KVM_PARTS_MAX 8u
#define KVM_PATH_ROOM 128u   /* of a device in QEMU's tree of objects */
#define KVM_SOCKET_ROOM 108u /* sun_path */
#define KVM_LINE_MAX ((size_t)1 << 20)
#define KVM_DEPTH_MAX 32u
#define KVM_PAGE ((uint64_t)4096)

struct kvm_vm;

static inline uint64_t kvm_min(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t kvm_max(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* a - b, or 0. */
static inline uint64_t kvm_less(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

/* --- line.c: bytes into lines --- */

struct kvm_lines {
    const struct vmres_allocator *heap;
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

/* --- wire.c: one connection --- */

struct kvm_wire {
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
void vmres__kvm_wire_open(struct kvm_vm *vm);
/* false: it could not be sent, and the connection is lost. Takes the message over. */
bool vmres__kvm_wire_send(struct kvm_vm *vm, json_t *message);
/* Closes without a call of lost(); closed() comes later. */
void vmres__kvm_wire_close(struct kvm_vm *vm);
/* The process at the other end, or 0. */
int64_t vmres__kvm_wire_peer(const struct kvm_vm *vm);

/* --- talk.c: a conversation in QMP: greeting, one command in flight, deadlines --- */

enum kvm_question { /* in the order in which a VM is asked after it greeted */
                    KVM_ASK_STATUS,
                    KVM_ASK_MIGRATION,
                    KVM_ASK_SIZE,
                    KVM_ASK_DEVICES,
                    KVM_ASK_NAMED,
                    KVM_ASK_UNNAMED,
                    KVM_ASK_INTERVAL,
                    KVM_ASK_PROBED, /* no question: all of the above are answered */
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
    uint64_t retry_ms; /* DOWN: when to connect again */
    uint32_t failures; /* in a row */
    const char *why;   /* not UP: what happened last, static text */
};
void vmres__kvm_talk_init(struct kvm_vm *vm);
void vmres__kvm_talk_begin(struct kvm_vm *vm);
void vmres__kvm_talk_end(struct kvm_vm *vm);
void vmres__kvm_talk_ask(struct kvm_vm *vm, enum kvm_question question, uint32_t part,
                         json_t *command);
/* Looks at the deadlines. */
void vmres__kvm_talk_tick(struct kvm_vm *vm);
uint64_t vmres__kvm_talk_due(const struct kvm_vm *vm);

/* --- agenda.c: what to ask next --- */

/* To be called after anything changed: asks, if there is something to ask and nobody is asked, and
 * sets the VM's timer. */
void vmres__kvm_agenda_turn(struct kvm_vm *vm);
void vmres__kvm_agenda_wake(uv_timer_t *timer);
void vmres__kvm_agenda_take(struct kvm_vm *vm, enum kvm_question question, uint32_t part,
                            struct kvm_reply reply);
/* All parts are to be read again, now. */
void vmres__kvm_agenda_look(struct kvm_vm *vm);
/* All have been. */
void vmres__kvm_agenda_seen(struct kvm_vm *vm);

/* --- part.c, balloon.c, virtio_mem.c: what a VM's memory is made of --- */

struct kvm_part;
struct kvm_mechanism {
    enum vmres_kvm_device device;
    /* The commands that set a part's size, and that read it; NULL: no memory. */
    json_t *(*set)(const struct kvm_part *part, uint64_t size);
    json_t *(*read)(const struct kvm_part *part);
    /* What the reply to read says; false: nonsense. */
    bool (*size)(const json_t *value, uint64_t *size);
};
extern const struct kvm_mechanism vmres__kvm_balloon, vmres__kvm_virtio_mem;

struct kvm_part {
    const struct kvm_mechanism *mechanism;
    char path[KVM_PATH_ROOM];
    uint64_t block, most;
    uint64_t now;       /* as last read, or KVM_UNKNOWN */
    uint64_t wanted;    /* what it should be, or KVM_UNKNOWN: that was not decided yet */
    uint64_t told;      /* what QEMU was told, or KVM_UNKNOWN */
    uint64_t requested; /* virtio-mem: what QEMU says it was told, whoever did */
    bool read;          /* `now` is younger than the wish to know */
    bool fixed;         /* it can be read, but not moved */
};
struct kvm_parts {
    struct kvm_part parts[KVM_PARTS_MAX]; /* in the order in which they give */
    uint32_t count;
    uint64_t rest; /* memory that no device can move */
};
uint64_t vmres__kvm_part_held(const struct kvm_parts *parts);
uint64_t vmres__kvm_part_limit(const struct kvm_parts *parts);
/* What of it cannot be taken away, whatever happens. */
uint64_t vmres__kvm_part_least(const struct kvm_parts *parts);
/* Chooses what each part should be, so that together they hold `target`: when shrinking no part
 * grows, when growing none shrinks. */
void vmres__kvm_part_aim(struct kvm_parts *parts, uint64_t target);
/* Each should stay what it is, and be told so whatever it was told before. */
void vmres__kvm_part_stay(struct kvm_parts *parts);
/* Whether each is what it should be. */
bool vmres__kvm_part_settled(const struct kvm_parts *parts);
/* Whether all have been read since it was asked for. */
bool vmres__kvm_part_read(const struct kvm_parts *parts);
bool vmres__kvm_part_movable(const struct kvm_parts *parts, enum vmres_kvm_device device);
const struct kvm_part *vmres__kvm_part_find(const struct kvm_parts *parts,
                                            enum vmres_kvm_device device);

/* --- probe.c: what the VM is, as QEMU tells --- */

struct kvm_probe {
    enum kvm_question next; /* KVM_ASK_PROBED: it is known */
    uint64_t base, dimms;
    struct kvm_parts found; /* by the probe that is going on */
    bool vfio;
};
json_t *vmres__kvm_probe_ask(struct kvm_vm *vm, enum kvm_question question);
void vmres__kvm_probe_take(struct kvm_vm *vm, enum kvm_question question, struct kvm_reply reply);
void vmres__kvm_probe_again(struct kvm_vm *vm);
/* Whether what QEMU says of a migration means that one is under way. */
bool vmres__kvm_probe_migrates(const json_t *data);

/* --- process.c, witness.c: what the host's kernel knows of the QEMU process --- */

struct kvm_process {
    int64_t pid;      /* 0: unknown */
    uint64_t started; /* by which a pid used again is told apart */
};
/* false: there is no such process, or only what is left of one. */
bool vmres__kvm_process_look(const struct vmres_kvm *kvm, int64_t pid, struct kvm_process *found);
int64_t vmres__kvm_process_pidfile(const char *path);
/* Opens a file of the process's; NULL: it cannot be. */
FILE *vmres__kvm_process_open(const struct vmres_kvm *kvm, int64_t pid, const char *name);

struct kvm_witness {
    uint64_t seen;     /* of the guest's memory, or KVM_UNKNOWN */
    uint64_t overhead; /* what was taken off */
    uint64_t total;    /* of the process */
    uint64_t locked, huge;
};
/* Reads counters: cheap. */
void vmres__kvm_witness_look(struct kvm_vm *vm);
/* The same, and if it says more than `expected` asks the exact way before it is believed. */
void vmres__kvm_witness_check(struct kvm_vm *vm, uint64_t expected);

/* --- stats.c, report.c: what the guest says of itself --- */

struct kvm_sample {      /* what reporters fill in */
    uint64_t used, free; /* KVM_UNKNOWN: not told */
    uint64_t held;       /* the VM's size when it was taken */
    uint64_t taken_ms;   /* by our clock */
    uint16_t stall;
    bool has_stall;
};
struct kvm_reporter {
    json_t *(*ask)(const struct kvm_vm *vm); /* NULL: nobody to ask */
    void (*take)(struct kvm_vm *vm, const json_t *value);
};
extern const struct kvm_reporter vmres__kvm_stats;
/* Answers an inquiry: after asking the reporter, or at once where that cannot be. */
void vmres__kvm_report_inquire(struct kvm_vm *vm, uint64_t inquiry);
/* Answers the open inquiry with what there is. */
void vmres__kvm_report_answer(struct kvm_vm *vm);

/* --- command.c: what the driver asked for --- */

enum kvm_direction { KVM_SHRINK, KVM_GROW };
struct kvm_command {
    uint64_t id; /* 0: none */
    uint64_t target, asked;
    uint64_t from;   /* what was held when it was accepted, or KVM_UNKNOWN */
    uint64_t amount; /* cumulative, as last told */
    bool cancelled;
};
enum kvm_aim {
    KVM_AIM_NONE,
    KVM_AIM_TARGET,  /* of the newest command */
    KVM_AIM_STAY,    /* as soon as it is known what is held */
    KVM_AIM_STAYING, /* told to stay; until it was seen */
};
enum vmres_status vmres__kvm_command_take(struct kvm_vm *vm, const struct vmres_action *action);
/* false: it is none of this VM's. */
bool vmres__kvm_command_cancel(struct kvm_vm *vm, uint64_t id);
/* All parts have been read: what does that mean for the open commands? */
void vmres__kvm_command_seen(struct kvm_vm *vm);
/* QEMU will not: they end with what they have. */
void vmres__kvm_command_refused(struct kvm_vm *vm);
/* Forgets them, without an answer. */
void vmres__kvm_command_drop(struct kvm_vm *vm);
bool vmres__kvm_command_open(const struct kvm_vm *vm);

/* --- life.c: what the driver is told of a VM --- */

struct kvm_told {
    uint64_t held, witness, limit;
    uint64_t floor, ceiling;
    enum vmres_participation participation;
};
void vmres__kvm_life_tried(struct kvm_vm *vm); /* a connection ended, or did not come about */
void vmres__kvm_life_met(struct kvm_vm *vm);   /* somebody listens */
void vmres__kvm_life_greeted(struct kvm_vm *vm);
void vmres__kvm_life_seen(struct kvm_vm *vm);    /* all parts have been read */
void vmres__kvm_life_changed(struct kvm_vm *vm); /* whether it can take part may have changed */
void vmres__kvm_life_event(struct kvm_vm *vm, const char *event, const json_t *data);
void vmres__kvm_life_forget(struct kvm_vm *vm); /* the backend is stopped */
void vmres__kvm_life_gone(struct kvm_vm *vm);
/* Why it cannot take part, or not in full; or NULL. */
const char *vmres__kvm_life_obstacle(const struct kvm_vm *vm);
/* Posts; of this VM, and this life of it. */
enum vmres_status vmres__kvm_life_post(struct kvm_vm *vm, struct vmres_event *event);

/* --- kvm.c: the objects --- */

struct kvm_vm {
    struct vmres_kvm *kvm;
    char name[VMRES_VM_NAME_MAX];
    char socket[KVM_SOCKET_ROOM];
    char *pidfile; /* or NULL */
    uint64_t tag;
    int64_t pid;       /* as given */
    uint64_t overhead; /* as given, or 0 */
    struct vmres_vm_limits limits;

    uv_timer_t timer;
    struct kvm_wire wire;
    struct kvm_talk talk;
    struct kvm_probe probe;
    struct kvm_parts parts;
    uint64_t look_ms;  /* when all parts are to be read next */
    uint32_t looks;    /* since the last probe */
    uint64_t moved_ms; /* when what it holds last changed */

    struct kvm_process process;
    struct kvm_witness witness;
    uint64_t surveyed_ms;  /* 0: never */
    const char *fixed_why; /* why parts cannot be moved, static text, or NULL */

    const struct kvm_reporter *reporter;
    struct kvm_sample sample;
    uint64_t stats_update; /* the balloon's own stamp of them; only ever compared */
    uint64_t peak;         /* the most held since they were last read */
    uint64_t inquiry;      /* to be answered, or 0 */
    bool ask_stats;

    struct kvm_command commands[2]; /* by enum kvm_direction */
    uint64_t pin;                   /* the open PIN, or 0 */
    uint64_t target;
    enum kvm_direction direction; /* of the newest command */
    enum kvm_aim aim;

    uint32_t id, incarnation;  /* the driver's; VMRES_VM_NONE: it does not know it */
    uint32_t gone_incarnation; /* that it last said to be gone, or 0 */
    uint64_t since_ms;         /* this life of it is known since */
    uint64_t seen_held;        /* at the last look */
    uint64_t live_ms;          /* VM_LIVE was last posted */
    bool heard;                /* the guest's driver, in this life */
    bool paused, migrating, down;
    const char *refusal; /* why the driver does not know it, static text */
    struct kvm_told told;

    uint64_t connections, lost, timeouts, rejected;
    bool leaving; /* its handles are being closed */
    bool timer_closed;
    struct kvm_vm *next; /* of the same kvm */
};

struct vmres_kvm {
    struct vmres_backend backend; /* first: the backend is this */
    struct vmres_kvm_options options;
    struct vmres_allocator heap;
    uv_loop_t *loop;
    char *proc;
    struct kvm_vm *vms;
    struct kvm_vm **by_id; /* [max_vms] by the driver's id */
    uint32_t count;        /* of VMs that are not leaving */
    bool closing;
    void (*closed)(void *user);
    void *closed_user;
};

extern const struct vmres_backend_ops vmres__kvm_backend_ops;
struct kvm_vm *vmres__kvm_find(const struct vmres_kvm *kvm, const char *name);
/* A handle of a leaving VM was closed: with the last, the VM is freed. */
void vmres__kvm_release(struct kvm_vm *vm);

static inline bool kvm_started(const struct vmres_kvm *kvm)
{
    return kvm->backend.driver != NULL;
}

static inline uint64_t kvm_now(const struct kvm_vm *vm)
{
    return uv_now(vm->kvm->loop);
}

static inline bool kvm_known(const struct kvm_vm *vm)
{
    return vm->id != VMRES_VM_NONE;
}

static inline bool kvm_probed(const struct kvm_vm *vm)
{
    return vm->talk.phase == KVM_TALK_UP && vm->probe.next == KVM_ASK_PROBED;
}

#endif
