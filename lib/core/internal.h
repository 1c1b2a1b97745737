/* SPDX-License-Identifier: MIT */
/*
 * What an engine is made of. Private to lib/core.
 *
 * Amounts are granules: uint32_t for one VM, uint64_t for sums. An *account* is one VM's books for
 * one kind; what a policy may see of it lies apart, in a struct vmres_view, so that a judgement
 * reads one cache line per VM. Commands and transfers come from pools sized at creation and are
 * named by index; NONE names nothing.
 *
 * Events change accounts, transfers and ledger; what must be sent then *follows* from them: whoever
 * changes an account marks it (vmres__settle_mark), and lib/core/settle.c alone sends resizes.
 */
#ifndef VMRES_CORE_INTERNAL_H
#define VMRES_CORE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vmres/engine.h>
#include <vmres/query.h>

#include "extent.h"
#include "ledger.h"
#include "rule.h"
#include "verdict.h"

#define NONE UINT32_MAX
#define SLOT_BITS 24u /* of an id: its pool slot; the rest is the engine's serial number */

struct vm {
    uint64_t tag;
    uint64_t notice_ms;   /* when its last notice was honoured */
    uint32_t incarnation; /* the newest seen in this slot; survives the VM */
    uint8_t state;        /* enum vmres_vm_state; see the table in vm.c */
    uint8_t limited;      /* kinds whose limits are known, one bit each */
    uint8_t allotted;     /* kinds that have their first allotment */
    uint8_t flags;        /* enum vm_flag */
};

enum vm_flag {
    VM_ADOPTED = 1 << 0, /* it ran before us, or rebooted: pin it before it takes part */
    VM_NOTICED = 1 << 1, /* notice_ms is set */
    VM_FROZEN = 1 << 2,  /* whatever happens to it, it is left alone until it is thawed: */
    VM_HALTED = 1 << 6,  /* for this reason of the operator's, and that of the hypervisor's */
    VM_LIVED = 1 << 3,   /* this incarnation has taken part, or was about to */
    VM_RETOLD = 1 << 4,  /* its first allotment was sent a second time */
    VM_RUNS = 1 << 5,    /* and it was said to run before it answered that */
};

enum account_flag {
    ACCOUNT_DIRTY = 1 << 0,    /* in the queue of accounts to settle */
    ACCOUNT_INITIAL = 1 << 1,  /* its first allotment is to be sent */
    ACCOUNT_REPORTED = 1 << 2, /* a report has come that is not too old */
    ACCOUNT_PIN = 1 << 3,      /* to be pinned at what it holds, as soon as nothing is open */
    ACCOUNT_ENFORCED = 1 << 4, /* a cap holds it at its target: no witness needed */
    ACCOUNT_HELD = 1 << 5,     /* the host has said what it holds */
    ACCOUNT_NOTIFY = 1 << 6,   /* reassigned: the VM is to be told */
    ACCOUNT_REFUSES = 1 << 7,  /* it is left alone because it did not take what it was given */
    /* What stands, whoever lives in the slot: its enum vmres_participation, and that its limit is
     * what the device said, rounded down. */
    ACCOUNT_DONOR = VMRES_PARTICIPATE_DONOR << 8,
    ACCOUNT_RECIPIENT = VMRES_PARTICIPATE_RECIPIENT << 8,
    ACCOUNT_ROUNDED = 1 << 10,
    ACCOUNT_STANDING = ACCOUNT_DONOR | ACCOUNT_RECIPIENT | ACCOUNT_ROUNDED,
};

struct account {
    uint64_t backoff_ms;         /* left alone until then */
    uint32_t floor, ceiling;     /* as configured; the view's are bounded by the device's limit */
    uint32_t target;             /* last told, or seen at the device */
    uint32_t witness;            /* of the host's last word; NONE: that had none */
    uint32_t limit;              /* of the device, in whole granules; NONE = unknown */
    uint32_t initial;            /* NONE = auto */
    uint32_t shrink;             /* open REQUEST_REMOVAL or PIN */
    uint32_t reassign, notify;   /* open commands of the grant side */
    uint32_t untold;             /* charged for grants, REASSIGN not sent */
    uint32_t unincorporated;     /* charged for grants, not yet taken in (untold included) */
    uint32_t outgoing, incoming; /* first transfer of each list */
    uint32_t ordered;            /* what the operator wants it to hold; NONE = no order */
    uint32_t ordered_with;       /* the other end of a move, or VMRES_VM_NONE */
    uint32_t next_dirty;
    uint32_t round;   /* low bits of the last round it answered */
    uint16_t flags;   /* enum account_flag */
    uint8_t failures; /* in a row */
    uint8_t pins;     /* confirmations still wanted before it takes part */
};

enum command_state {
    COMMAND_FREE = 0,
    COMMAND_OPEN,       /* sent; progress is watched */
    COMMAND_SUPERSEDED, /* a newer one took over; its final is owed */
    COMMAND_CANCELLING, /* called off; its final is owed */
    COMMAND_LOST,       /* called off, and no final came in time: its VM is silent */
};

struct command {
    uint64_t id;
    uint64_t progress_ms; /* last progress, or start */
    uint64_t mark_ms;     /* start of the window in which the rate is watched */
    uint32_t vm;
    uint32_t target;         /* absolute */
    uint32_t before;         /* where its device aimed when it was sent */
    uint32_t amount;         /* what it is to move */
    uint32_t bound;          /* what it may say to have moved */
    uint32_t claimed;        /* what it said, cumulative */
    uint32_t inherited;      /* claimed by the command it superseded, and not booked by then */
    uint32_t credited;       /* of these two, booked */
    int32_t marked;          /* claimed when the window began */
    uint32_t older;          /* the command it superseded, while that one's final is owed */
    uint32_t next, previous; /* in the list of the open, or of the free */
    uint8_t kind, type, state, wanted_cancel;
    uint8_t up;           /* blocks: it removes from the final side */
    uint8_t contradicted; /* the device was seen to aim higher since */
};

/* A transfer's amounts: asked >= released >= placed >= incorporated + failed. */
struct transfer {
    uint64_t id;
    uint64_t started_ms;
    const char *reason;
    uint32_t donor, recipient; /* VMRES_VM_NONE = the pool */
    uint32_t planned;          /* at the start */
    uint32_t asked;            /* what of it is still wanted */
    uint32_t released;         /* left the donor's charge */
    uint32_t placed;           /* entered the recipient's */
    uint32_t incorporated;
    uint32_t failed; /* placed, and never incorporated */
    uint32_t out_next, out_previous, in_next, in_previous, next, previous;
    uint8_t kind, state;
    uint8_t broken;     /* a party failed it: it cannot end as done */
    uint8_t called_off; /* by the embedder: nor then */
    uint8_t given;      /* nothing more is to leave the donor, and it is out of its list */
    uint8_t up; /* blocks: towards higher addresses, out at the final side, in at the front */
};

struct kind {
    struct vmres_resource resource;
    char name[VMRES_KIND_NAME_MAX];
    uint8_t granule_bits; /* a granule is 1 << that; 0: it is no power of two, or 1 */
    uint32_t tolerance;   /* granules */
    uint32_t adopting;    /* accounts whose pins are not confirmed: nothing is granted meanwhile */
    uint64_t unseen_ms;   /* until then what VMs yet to be adopted are charged with may be less */
    uint32_t orders;      /* accounts with an order of the operator's */
    uint32_t plan_mark;   /* dry run: what the last plan was */
    bool shares_stale;    /* entitlements must be recomputed */
    bool out_of_bounds;   /* a VM is charged with less than its floor or more than its ceiling */
    uint64_t floors;      /* sum of the floors of all VMs */
    uint64_t unmet;       /* wanted in the last judgement, and not to be had */
    uint64_t unmet_since_ms;
    bool relief_asked;
    struct ledger ledger;
    struct vmres_view *views;
    struct account *accounts;
    struct block *blocks; /* NULL unless the host is contiguous */
    uint32_t lowest;      /* the block with the lowest address */
    struct reasons reasons;
    const struct vmres_policy_ops *policy;
    void *policy_options, *policy_state;
    unsigned char *policy_vms;
};

struct reservation {
    uint64_t id, owner, expires_ms;
    uint32_t minimum, maximum, charge;
    uint8_t kind;
};

struct round {
    uint64_t id, number;
    uint64_t due_ms;      /* the next one */
    uint64_t deadline_ms; /* of this one, while open */
    uint32_t awaited;     /* reports */
    bool open, inquire, notice;
};

struct work { /* of one judgement; all zero between judgements */
    struct vmres_verdict verdict;
    int32_t *gaps; /* what each VM is to gain or lose */
    uint32_t *donors, *recipients;
    uint32_t donor_count, recipient_count;
    /* Contiguous hosts: VMs in order of address, and what plan_extent.c finds for each place. */
    uint32_t *row, *place;
    int64_t *flows;
    uint32_t *from_below, *from_above, *surplus, *holes, *skip_up, *skip_down;
    struct vmres_view *views; /* as they are, while a policy sees what is each VM's own */
    void *scratch;            /* the policy's that judges */
};

struct vmres_engine {
    struct vmres_allocator allocator;
    const struct vmres_allocator *heap; /* NULL, or &allocator */
    size_t bytes;
    struct vmres_tracer tracer;
    struct vmres_counters counters;
    uint32_t max_vms, max_transfers, max_commands, max_actions;
    uint32_t period_ms, inquiry_ms, progress_ms, stale_ms, notice_ms;
    uint32_t kind_count;
    uint32_t top;  /* slots below it have been used */
    uint32_t live; /* VMs that are live or being adopted */
    uint64_t now, serial;
    uint64_t command_deadline_ms; /* no command expires before */
    uint64_t settle_ms;           /* when settling ends */
    uint32_t relief_ms;
    uint32_t max_reservations;
    bool begun, halted, dry_run, settling;
    struct vmres_veto veto;
    struct reservation *reservations;
    struct vm *vms;
    struct kind kinds[VMRES_KINDS_MAX];
    struct round round;
    struct work work;
    struct transfer *transfers;
    uint32_t transfer_top, transfer_free, transfer_open, transfer_count;
    struct command *commands;
    uint32_t command_top, command_free, command_open;
    uint32_t dirty_first, dirty_last;
    struct vmres_action *outbox;
    uint32_t outbox_count;
};

/* --- engine.c: small things everybody needs --- */

static inline struct account *account_of(const struct vmres_engine *engine, uint32_t vm,
                                         uint32_t kind)
{
    return &engine->kinds[kind].accounts[vm];
}

static inline struct vmres_view *view_of(const struct vmres_engine *engine, uint32_t vm,
                                         uint32_t kind)
{
    return &engine->kinds[kind].views[vm];
}

static inline uint32_t min_u32(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static inline uint32_t max_u32(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static inline uint64_t units_of(const struct kind *kind, uint64_t granules)
{
    return granules * kind->resource.granule;
}

/* Units to granules, rounded down or up, saturating at VMRES_GRANULES_MAX. */
static inline uint32_t granules_down(const struct kind *kind, uint64_t units)
{
    uint64_t n = kind->granule_bits ? units >> kind->granule_bits : units / kind->resource.granule;
    return n > VMRES_GRANULES_MAX ? VMRES_GRANULES_MAX : (uint32_t)n;
}

static inline uint32_t granules_up(const struct kind *kind, uint64_t units)
{
    uint32_t n = granules_down(kind, units);
    return n < VMRES_GRANULES_MAX && units_of(kind, n) < units ? n + 1 : n;
}

static inline bool vm_takes_part(const struct vmres_engine *engine, uint32_t vm)
{
    return engine->vms[vm].state == VMRES_VM_LIVE;
}

/* A time to come, or never. */
static inline uint64_t later(uint64_t now_ms, uint64_t by_ms)
{
    return by_ms > UINT64_MAX - now_ms ? UINT64_MAX : now_ms + by_ms;
}

/* The device's limit, which must be known, rounded up: what it cannot hold more than. */
static inline uint32_t limit_above(const struct account *account)
{
    return account->limit + ((account->flags & ACCOUNT_ROUNDED) != 0);
}

static inline enum vmres_participation participation_of(const struct account *account)
{
    return (enum vmres_participation)(account->flags >> 8 & VMRES_PARTICIPATE_BOTH);
}

/* It did not take what it was given, and is left alone for a while. */
static inline bool refuses_now(const struct vmres_engine *engine, const struct account *account)
{
    return engine->now < account->backoff_ms && (account->flags & ACCOUNT_REFUSES);
}

/* What a VM may be told to hold at the most. */
static inline uint32_t ceiling_of(const struct vmres_view *view)
{
    return BROKEN(CEILING) ? VMRES_GRANULES_MAX : view->ceiling;
}

/* --- trace.c --- */
/* Amount and target of the record are granules of its kind; time is filled in. */
void vmres__trace(const struct vmres_engine *engine, struct vmres_trace_record record);

/* Whether somebody wants to hear of it; asked first where records are many. */
static inline bool is_traced(const struct vmres_engine *engine, uint8_t level)
{
    return engine->tracer.function != NULL && level <= engine->tracer.level;
}

/* --- outbox.c --- */
struct vmres_action *vmres__outbox_push(struct vmres_engine *engine, uint8_t type, uint32_t vm,
                                        uint8_t kind);
bool vmres__outbox_full(const struct vmres_engine *engine);

/* --- event.c --- */
/* The event that answers an action of this type; 0: none does. */
enum vmres_event_type vmres__event_answering(uint8_t action);

/* --- command.c: the pool of commands, their answers and deadlines --- */
uint32_t vmres__command_open(struct vmres_engine *engine, uint8_t type, uint32_t vm, uint8_t kind);
void vmres__command_supersede(struct vmres_engine *engine, uint32_t older, uint32_t newer);
/* The command that has taken over from this one, or NULL. */
struct command *vmres__command_heir(struct vmres_engine *engine, const struct command *older);
void vmres__command_drop_all(struct vmres_engine *engine, uint32_t vm);
enum vmres_status vmres__command_answer(struct vmres_engine *engine,
                                        const struct vmres_event *event);
void vmres__command_expire(struct vmres_engine *engine);

/* --- removal.c, grant.c, pin.c: what an answer means --- */
void vmres__removal_answered(struct vmres_engine *engine, struct command *command,
                             const struct vmres_event *event);
void vmres__removal_given_up(struct vmres_engine *engine, struct command *command);
uint32_t vmres__removal_undisputed(const struct vmres_engine *engine, uint32_t vm, uint8_t kind);
uint32_t vmres__removal_contested(const struct vmres_engine *engine, uint32_t vm, uint8_t kind);
void vmres__grant_place(struct vmres_engine *engine, struct transfer *transfer, uint32_t amount);
void vmres__grant_reassigned(struct vmres_engine *engine, struct command *command,
                             const struct vmres_event *event);
void vmres__grant_incorporated(struct vmres_engine *engine, struct command *command,
                               const struct vmres_event *event);
uint32_t vmres__grant_told(const struct vmres_engine *engine, uint32_t vm, uint8_t kind);
void vmres__grant_fail(struct vmres_engine *engine, uint32_t vm, uint8_t kind);
bool vmres__grant_waits(const struct kind *kind);
void vmres__grant_take_back(struct vmres_engine *engine, uint32_t vm, uint8_t kind);
void vmres__grant_given_up(struct vmres_engine *engine, struct command *command);
void vmres__pin_answered(struct vmres_engine *engine, struct command *command,
                         const struct vmres_event *event);

/* --- settle.c: sends what follows from the books --- */
void vmres__settle_mark(struct vmres_engine *engine, uint32_t vm, uint8_t kind);
void vmres__settle_mark_donors(struct vmres_engine *engine, uint32_t vm, uint8_t kind);
enum vmres_status vmres__settle(struct vmres_engine *engine);

/* --- transfer.c --- */
uint32_t vmres__transfer_open(struct vmres_engine *engine, uint8_t kind, uint32_t donor,
                              uint32_t recipient, uint32_t amount);
void vmres__transfer_trim(struct vmres_engine *engine, uint32_t index, uint32_t amount);
void vmres__transfer_review(struct vmres_engine *engine, uint32_t index);
void vmres__transfer_forget_plans(struct vmres_engine *engine, uint8_t kind);
uint32_t vmres__transfer_wanted(const struct vmres_engine *engine, uint32_t vm, uint8_t kind,
                                bool up);
uint32_t vmres__transfer_find(const struct vmres_engine *engine, uint64_t id);
void vmres__transfer_break_out(struct vmres_engine *engine, uint32_t vm, uint8_t kind);
void vmres__transfer_break_in(struct vmres_engine *engine, uint32_t vm, uint8_t kind);

/* --- vm.c, report.c, observe.c, host.c, allot.c: the event families --- */
enum vmres_status vmres__vm_event(struct vmres_engine *engine, const struct vmres_event *event);
enum vmres_status vmres__vm_freeze(struct vmres_engine *engine, const struct vmres_event *event);
enum vmres_status vmres__vm_thaw(struct vmres_engine *engine, const struct vmres_event *event);
void vmres__vm_confirmed(struct vmres_engine *engine, uint32_t vm);
void vmres__vm_silent(struct vmres_engine *engine, uint32_t vm);
void vmres__vm_speaks(struct vmres_engine *engine, uint32_t vm);
void vmres__vm_reborn(struct vmres_engine *engine, uint32_t vm, uint32_t incarnation);
void vmres__report(struct vmres_engine *engine, const struct vmres_event *event);
void vmres__report_samples(struct vmres_engine *engine, const struct vmres_event *event);
enum vmres_status vmres__observe_event(struct vmres_engine *engine,
                                       const struct vmres_event *event);
void vmres__observe_held(struct vmres_engine *engine, uint32_t vm, uint8_t kind, uint32_t held);
void vmres__observe_raised(struct vmres_engine *engine, uint32_t vm, uint8_t kind);
void vmres__observe_untold(struct vmres_engine *engine, uint32_t vm, uint8_t kind, uint32_t amount);
void vmres__observe_enforced(struct account *account, uint16_t valid);
void vmres__observe_again(struct vmres_engine *engine, uint32_t vm, uint8_t kind);
void vmres__observe_seen(struct vmres_engine *engine, uint32_t vm, uint8_t kind);
void vmres__observe_pinned(struct vmres_engine *engine, uint32_t vm, uint8_t kind, uint32_t target);
enum vmres_status vmres__host_event(struct vmres_engine *engine, const struct vmres_event *event);
enum vmres_status vmres__allot(struct vmres_engine *engine);
bool vmres__allot_fits(struct vmres_engine *engine, uint32_t vm, uint8_t kind);

/* --- query.c --- */
struct vmres_transfer_info vmres__query_transfer(const struct vmres_engine *engine,
                                                 const struct transfer *transfer);

/* --- operator.c, reserve.c --- */
enum vmres_status vmres__operator_event(struct vmres_engine *engine,
                                        const struct vmres_event *event);
void vmres__order_apply(struct vmres_engine *engine, uint8_t kind);
void vmres__order_give_up(struct vmres_engine *engine, uint32_t vm, uint8_t kind);
void vmres__settle_expire(struct vmres_engine *engine);
enum vmres_status vmres__reserve_event(struct vmres_engine *engine,
                                       const struct vmres_event *event);
void vmres__reserve_feed(struct vmres_engine *engine, uint8_t kind);
void vmres__reserve_fill(struct vmres_engine *engine, uint8_t kind);
uint64_t vmres__reserve_yield(struct vmres_engine *engine, uint8_t kind, uint64_t missing,
                              bool minima_too);
uint32_t vmres__reserve_count(const struct vmres_engine *engine);
uint64_t vmres__reserve_need(const struct vmres_engine *engine, uint8_t kind);
uint64_t vmres__reserve_charged(const struct vmres_engine *engine, uint8_t kind);
uint64_t vmres__reserve_deadline(const struct vmres_engine *engine);
void vmres__reserve_expire(struct vmres_engine *engine);

/* --- create.c --- */
void vmres__create_inherit(struct vmres_engine *engine, const struct vmres_engine *from,
                           uint8_t kind);

/* --- judge.c, guard.c, plan.c --- */
void vmres__round_timeout(struct vmres_engine *engine);
void vmres__round_answered(struct vmres_engine *engine, struct account *account);
void vmres__round_join(struct vmres_engine *engine, uint32_t vm);
void vmres__round_leave(struct vmres_engine *engine, uint32_t vm);
void vmres__judge(struct vmres_engine *engine);
void vmres__share_entitlements(struct vmres_engine *engine, struct kind *kind);
void vmres__guard(struct vmres_engine *engine, uint8_t kind);
/* Whether it gets no more than its entitlement, because it did not give when it was last asked. */
bool vmres__guard_lends_nothing(const struct vmres_engine *engine, uint32_t vm, uint8_t kind);
void vmres__plan_extents(struct vmres_engine *engine, uint8_t kind);
void vmres__plan(struct vmres_engine *engine, uint8_t kind);

#endif
