/* SPDX-License-Identifier: MIT */
/*
 * The KVM backend: what its rooms share. For each VM, data walks one way:
 *
 *     socket -> line.c -> wire.c -> talk.c -> probe.c, balloon.c, virtio_mem.c, stats.c
 *                                          -> command.c, observe.c, report.c -> driver
 *     agent's socket -> line.c -> wire.c -> agent.c -> sample.c -> report.c -> driver
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

#include "part.h"
#include "qmp.h"

#define KVM_NEVER UINT64_MAX
#define KVM_SOCKET_ROOM 108u /* sun_path */

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

/* --- probe.c: what the VM is, as QEMU tells --- */

struct kvm_probe {
    enum kvm_question next; /* KVM_ASK_PROBED: it is known */
    uint64_t base, dimms;
    uint64_t beyond;        /* what devices that we cannot speak of could plug */
    struct kvm_parts found; /* by the probe that is going on */
    bool vfio, encrypted;
};
json_t *vmres__kvm_probe_ask(struct kvm_vm *vm, enum kvm_question question);
void vmres__kvm_probe_take(struct kvm_vm *vm, enum kvm_question question, struct kvm_reply reply);
void vmres__kvm_probe_again(struct kvm_vm *vm);
/* Whether what QEMU says of a migration means that one is under way. */
bool vmres__kvm_probe_migrates(const json_t *data);

/* --- process.c, witness.c, survey.c: what the host's kernel knows of the QEMU process --- */

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
    uint64_t overhead; /* of the process: as given, or the least that was ever measured; or 0 */
    uint64_t total;    /* of the process */
    uint64_t locked, huge;
    uint64_t mapped; /* by the last survey: the guest's, or KVM_UNKNOWN; */
    uint64_t summed; /* and of the whole process */
};
enum kvm_saying { KVM_SAYING_OBSERVED, KVM_SAYING_FINAL }; /* what is about to be said */
/* Reads counters: cheap. */
void vmres__kvm_witness_look(struct kvm_vm *vm);
/* The same; true: it says more than the devices, or its overhead was never measured, and a survey
 * is on its way: what it says is not to be repeated before. */
bool vmres__kvm_witness_waits(struct kvm_vm *vm, enum kvm_saying saying);
/* The number of kB in a line "Key:   123 kB", as bytes. */
bool vmres__kvm_witness_line(const char *line, const char *key, uint64_t *bytes);

/* What is mapped for the guest, as of the last probe. */
struct kvm_backing {
    uint64_t sizes[KVM_PARTS_MAX + 1];
    uint32_t count;
    bool whole; /* that is all of it */
};
struct kvm_survey {
    uv_work_t work;
    struct kvm_vm *vm;
    bool flying, dropped; /* dropped: what it finds does not count */
    uint64_t begun_ms;
    /* For the thread, and by it. */
    struct vmres_kvm *kvm;
    int64_t pid;
    struct kvm_backing backing;
    uint32_t mappings[KVM_PARTS_MAX + 1]; /* that are of each size */
    uint64_t guest, total;                /* bytes */
};
/* It is on its way, or will be soon; vm->surveyed_ms is when the last one came. false: never. */
bool vmres__kvm_survey_begin(struct kvm_vm *vm);
/* The VM was probed: what was found of other sizes, or will be, does not count. */
void vmres__kvm_survey_expect(struct kvm_vm *vm);
/* What was found, or will be, is of another process. */
void vmres__kvm_survey_drop(struct kvm_vm *vm);

/* --- stats.c, agent.c, sample.c, report.c: what the guest says of itself --- */

struct kvm_sample {
    uint64_t used, free; /* KVM_UNKNOWN: not told */
    uint64_t held;       /* the VM's size when it was taken */
    uint64_t taken_ms;   /* by our clock */
    uint16_t stall;
    bool has_stall;
};
json_t *vmres__kvm_stats_ask(const struct kvm_vm *vm);
void vmres__kvm_stats_take(struct kvm_vm *vm, const json_t *value);

struct kvm_mark { /* a moment of the guest's; KVM_UNKNOWN: not told */
    uint64_t time_us, some_us, refaults;
};
struct kvm_agent {
    char path[KVM_SOCKET_ROOM]; /* "": it has none */
    struct kvm_wire wire;
    enum { KVM_AGENT_DOWN, KVM_AGENT_GREETING, KVM_AGENT_UP } phase;
    uint64_t serial, in_flight;               /* of requests; in_flight 0: nothing is asked */
    uint64_t asked_ms, asked_tick, opened_ms; /* asked_tick: sight.c's */
    uint64_t due_ms;                          /* when to look at it again */
    uint64_t unasked_ms;                      /* since then these lines have come: */
    uint32_t unasked;
    uint32_t failures;        /* in a row */
    bool reported;            /* since it was greeted last */
    bool silent;              /* it owes an answer for too long */
    struct kvm_mark marks[2]; /* of the last two reports, the newer one last */
};
void vmres__kvm_agent_init(struct kvm_vm *vm);
void vmres__kvm_agent_begin(struct kvm_vm *vm); /* QEMU talks */
void vmres__kvm_agent_end(struct kvm_vm *vm);   /* and no more */
void vmres__kvm_agent_renew(struct kvm_vm *vm); /* the guest begins a new life */
void vmres__kvm_agent_tick(struct kvm_vm *vm);
/* false: it cannot be asked. Else vmres__kvm_report_*() will be called. */
bool vmres__kvm_agent_ask(struct kvm_vm *vm);
/* Whether it owes an answer, and is not late with it yet. */
bool vmres__kvm_agent_is_awaited(const struct kvm_vm *vm);
/* Take in what it said; false: nonsense, or out of date. */
bool vmres__kvm_sample_report(struct kvm_vm *vm, const json_t *object);
bool vmres__kvm_sample_notice(struct kvm_vm *vm, const json_t *object);
/* What of that it really has. */
uint64_t vmres__kvm_sample_without_dregs(const struct kvm_vm *vm, uint64_t available);

/* Answers an inquiry: after asking the guest, or at once where that cannot be. */
void vmres__kvm_report_inquire(struct kvm_vm *vm, uint64_t inquiry);
/* The agent does not answer it: by the balloon's statistics, then. */
void vmres__kvm_report_without(struct kvm_vm *vm);
/* The guest is short, by the last sample. */
void vmres__kvm_report_notice(struct kvm_vm *vm);
/* Answers the open inquiry with what there is. */
void vmres__kvm_report_answer(struct kvm_vm *vm);

/* --- nonsense.c: what makes no sense --- */

struct kvm_nonsense {
    uint64_t count, told; /* told: of these */
    uint64_t told_ms;
};
void vmres__kvm_nonsense(struct kvm_vm *vm, const char *what); /* static text */

/* --- sight.c: what its guest sees of what it was given --- */

struct kvm_sizes { /* signed, for differences */
    int64_t base;  /* memory that is no block, less what the balloon holds */
    int64_t blocks;
};
struct kvm_sight {
    uint64_t tick;            /* grows with every look; tells what was before what */
    struct kvm_sizes sizes;   /* at the last look */
    uint64_t since, since_ms; /* from this tick, and time, on they are what they are */
    int64_t total;            /* as the guest told last, */
    uint64_t taken;           /* and not before this tick; 0: it told none */
    bool fits;                /* it is that of these sizes, unless the next look says otherwise */
    struct kvm_sizes known;   /* sizes while nothing grew, */
    int64_t known_total;      /* and the guest's total of them; 0: not known */
    enum { KVM_COUNTS_UNKNOWN, KVM_COUNTS_GONE, KVM_COUNTS_USED } counting; /* a balloon */
    bool growing;
    struct kvm_sizes from; /* before it grew, */
    uint64_t grown;        /* from this tick on */
    bool wake, hushed;     /* the balloon's statistics are to be woken; their timer is off */
    uint64_t wake_ms;      /* when they may be woken again */
    bool spurned;          /* the guest does not use blocks: no more are plugged, */
    uint64_t spurned_ms;   /* until then */
    uint32_t failures;     /* so often, in this life */
};
enum kvm_sighting { KVM_UNTOLD, KVM_SEEN, KVM_AWAITED, KVM_UNSEEN };
void vmres__kvm_sight_look(struct kvm_vm *vm); /* all parts have been read */
/* The guest's total, or KVM_UNKNOWN, taken between that tick and now. */
void vmres__kvm_sight_told(struct kvm_vm *vm, uint64_t total, uint64_t since);
void vmres__kvm_sight_renew(struct kvm_vm *vm); /* the guest begins a new life */
void vmres__kvm_sight_grow(struct kvm_vm *vm, bool growing);
/* How much of what it grew by its guest does not see, as far as is known. */
uint64_t vmres__kvm_sight_missing(const struct kvm_vm *vm);
/* Its devices are where they should be: does its guest see that, will it, or can nobody tell? */
enum kvm_sighting vmres__kvm_sight_judge(struct kvm_vm *vm);
/* Has a total taken soon, where that can be had. */
void vmres__kvm_sight_wake(struct kvm_vm *vm);
/* Wants back the blocks that it does not see, and gives it no more for a while; false: no block is
 * among it. */
bool vmres__kvm_sight_spurn(struct kvm_vm *vm);

/* --- command.c: what the driver asked for --- */

enum kvm_direction { KVM_SHRINK, KVM_GROW };
struct kvm_command {
    uint64_t id; /* 0: none */
    uint64_t target, asked;
    uint64_t from;   /* what was held when it was accepted, as last read */
    uint64_t amount; /* cumulative, as last told */
    bool cancelled;
};
enum kvm_aim {
    KVM_AIM_NONE,
    KVM_AIM_TARGET,  /* of the newest command */
    KVM_AIM_STAY,    /* as soon as it is known what is held */
    KVM_AIM_STAYING, /* told to stay; until it was seen to */
    KVM_AIM_BACK,    /* without the blocks that its guest does not see */
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

/* --- life.c, standing.c, observe.c: what the driver is told of a VM --- */

struct kvm_told {
    uint64_t held, witness, limit;
    uint64_t floor, ceiling;
    enum vmres_participation participation;
};
void vmres__kvm_life_tried(struct kvm_vm *vm); /* a connection ended, or did not come about */
void vmres__kvm_life_met(struct kvm_vm *vm);   /* somebody listens */
void vmres__kvm_life_greeted(struct kvm_vm *vm);
void vmres__kvm_life_add(struct kvm_vm *vm); /* tells the driver of it, if it does not know it */
/* The backend is started: the driver is told of those it knows before it says so itself. */
void vmres__kvm_life_return(struct kvm_vm *vm);
void vmres__kvm_life_event(struct kvm_vm *vm, const char *event, const json_t *data);
void vmres__kvm_life_forget(struct kvm_vm *vm); /* the backend is stopped */
/* false: a driver is still to be told of that: the queue is full, or it is stopped. */
bool vmres__kvm_life_gone(struct kvm_vm *vm);
/* Posts; of this VM, and this life of it. */
enum vmres_status vmres__kvm_life_post(struct kvm_vm *vm, struct vmres_event *event);

/* standing.c. obstacle: why it cannot take part, or not in full; or NULL. */
const char *vmres__kvm_standing_obstacle(const struct kvm_vm *vm);
/* Why it is to be left alone until that is over: paused, migrated, in a snapshot; or NULL. */
const char *vmres__kvm_standing_still(const struct kvm_vm *vm);
void vmres__kvm_standing_tell(struct kvm_vm *vm); /* what of that may have changed */

/* observe.c: all parts have been read. */
void vmres__kvm_observe_seen(struct kvm_vm *vm);

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
    struct kvm_backing backing;
    struct kvm_survey survey;
    uint64_t doubted_ms[2]; /* by enum kvm_saying: since then a survey is called for, or 0 */
    uint64_t surveyed_ms;   /* 0: never */
    uint32_t futile;        /* surveys in a row that could not tell */
    bool measured;          /* its overhead, at least once */
    const char *fixed_why;  /* why the balloon cannot be moved, static text, or NULL */

    struct kvm_agent agent;
    struct kvm_sample sample;
    struct kvm_sight sight;
    uint64_t dregs; /* what the guest calls available and never has; KVM_UNKNOWN: not learnt yet */
    uint64_t stats_update; /* the balloon's own stamp of them; only ever compared */
    uint64_t stats_total;  /* what they said last; likewise */
    uint64_t stats_tick;   /* sight.c's, when they were last read; 0: not in this life */
    uint64_t peak;         /* the most held since they were last read */
    uint64_t inquiry;      /* to be answered, or 0 */
    bool ask_stats;

    struct kvm_command commands[2]; /* by enum kvm_direction */
    uint64_t pin;                   /* the open PIN, or 0 */
    uint64_t target;
    enum kvm_direction direction; /* of the newest command */
    enum kvm_aim aim;
    uint64_t begun_ms; /* the newest command, or pin, came, or QEMU was told of its next part */
    uint32_t still;    /* looks in a row at which it held the same, */
    uint32_t waited;   /* of so many since it was told to stay */

    uint32_t id, incarnation; /* the driver's; VMRES_VM_NONE: it does not know it */
    bool introduced;          /* to a driver, which has not been told that it is gone */
    uint64_t since_ms;        /* this life of it is known since */
    uint64_t seen_held;       /* at the last look */
    uint64_t live_ms;         /* VM_LIVE was last posted */
    bool heard;               /* the guest's driver, in this life */
    bool migrating, down;
    const char *stopped; /* why its guest does not run, static text, or NULL */
    bool frozen;         /* as the driver was last told, */
    uint64_t frozen_ms;  /* and when */
    const char *refusal; /* why the driver does not know it, static text */
    struct kvm_told told;

    struct kvm_nonsense nonsense;
    uint64_t connections, lost, timeouts, notices;
    uint64_t verified, unverified, unseen;
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
    uint32_t *gone;        /* [max_vms] likewise: the incarnation last said to be gone, or 0 */
    uint32_t count;        /* of VMs that are not leaving */
    uint32_t surveys;      /* that fly */
    bool closing;
    void (*closed)(void *user);
    void *closed_user;
};

extern const struct vmres_backend_ops vmres__kvm_backend_ops;
struct kvm_vm *vmres__kvm_find(const struct vmres_kvm *kvm, const char *name);
/* Has a leaving VM part: its handles are closed as soon as the driver was told. */
void vmres__kvm_part(struct kvm_vm *vm);
/* A handle of a leaving VM was closed: with the last, the VM is freed. */
void vmres__kvm_release(struct kvm_vm *vm);

static inline bool kvm_started(const struct vmres_kvm *kvm)
{
    return kvm->backend.driver != NULL;
}

static inline struct vmres_driver *kvm_driver(const struct kvm_vm *vm)
{
    return vm->kvm->backend.driver;
}

static inline bool kvm_balloon(const struct kvm_vm *vm)
{
    return vmres__kvm_part_find(&vm->parts, VMRES_KVM_BALLOON) != NULL;
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
