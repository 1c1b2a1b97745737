/* SPDX-License-Identifier: MIT */
/*
 * The simulated world: what its rooms share. Data walks one way through a tick (clock.c):
 *
 *     demand -> sensor.c -> guest.c ~~~ driver, engine ~~~ command.c -> device.c -> metric.c
 *
 * with fault.c and life.c bending it, host.c telling the driver, and shadow.c looking on. Nothing
 * here knows how the engine or a policy decides; the ledger is seen only through its public audit.
 */
#ifndef VMRES_SIM_INTERNAL_H
#define VMRES_SIM_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <vmres/sim.h>
#include <vmres/sim_fault.h>
#include <vmres/units.h>

__extension__ typedef unsigned __int128 sim_wide;

#define SIM_NEVER UINT64_MAX

static inline uint64_t sim_min(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t sim_max(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* a - b, or 0. */
static inline uint64_t sim_less(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

static inline uint64_t sim_share(uint64_t amount, uint32_t ppm)
{
    return (uint64_t)((sim_wide)amount * ppm / VMRES_PPM);
}

/* ring.c: the samples a guest has stored since it was last asked; the oldest make room. */
#define SIM_RING 64u
struct sim_ring {
    uint64_t samples[SIM_RING];
    uint32_t next, count;
};
struct sim_answer {
    uint64_t count, last, maximum, mean;
};
void vmres__sim_ring_store(struct sim_ring *ring, uint64_t sample);
/* What the samples come to; forgets them. All 0 when there are none. */
struct sim_answer vmres__sim_ring_answer(struct sim_ring *ring);

/* noise.c: integer noise. One stream per VM, kind and purpose, so that none disturbs another. */
enum sim_purpose { SIM_FOR_AVAILABLE, SIM_FOR_STALL, SIM_FOR_SHAPE, SIM_FOR_CHANCE };
#define SIM_NOISE_ONE 65536 /* one standard deviation of a draw */
uint64_t vmres__sim_noise_stream(uint64_t seed, uint32_t vm, uint8_t kind,
                                 enum sim_purpose purpose);
uint64_t vmres__sim_noise_bits(uint64_t *stream);
int32_t vmres__sim_noise_draw(uint64_t *stream);
/* value * (1 + deviation * draw), at least 0. */
uint64_t vmres__sim_noise_add(uint64_t value, uint32_t deviation_ppm, int32_t draw);

/* sensor.c: what the guest's OS measures, once a tick. */
enum sim_shape { SIM_ROOT, SIM_LINE, SIM_SQUARE };
#define SIM_STALL_ONE ((uint64_t)1 << 20) /* a stall of 1, finer than the reported one */
struct sim_sample {
    uint64_t used, available, free;
    uint32_t stall; /* 0 .. VMRES_STALL_ONE */
    uint32_t raw;   /* 0 .. SIM_STALL_ONE, this tick's, without noise; the crooked one comes late */
};
struct sim_sensor {
    uint64_t available_stream, stall_stream;
    enum sim_shape shape;
    struct sim_sample sample;
};
struct sim_sight { /* what there is to measure */
    uint64_t demand, cache, held;
};
void vmres__sim_sensor_init(struct sim_sensor *sensor, const struct vmres_sim_options *options,
                            uint32_t vm, uint8_t kind);
void vmres__sim_sensor_measure(struct sim_sensor *sensor, const struct vmres_sim_sensors *sensors,
                               const struct sim_sight *sight);
/* The stall, 0 .. SIM_STALL_ONE, as this VM's OS would put it. */
uint32_t vmres__sim_sensor_stall(enum sim_shape shape, uint64_t demand, uint64_t held);

/* metric.c: sums, in unit x milliseconds and in units. */
struct sim_tally {
    sim_wide unmet, shortfall, cache_missing, given, taken, reversed;
    uint64_t oom_ticks;
    uint64_t out, in;     /* of this tick; on a contiguous host since it was last at rest */
    sim_wide passed;      /* of given and taken: what only passed through */
    uint64_t turned_ms;   /* when it last moved */
    int32_t direction;    /* -1, 0, 1: which way it last moved */
    uint64_t entitlement; /* share.c */
};

/* command.c: one open resize. id 0: none. */
enum sim_direction { SIM_SHRINK, SIM_GROW };
struct sim_command {
    uint64_t id, target, asked;
    uint64_t from;    /* what the device read when it was accepted */
    uint64_t amount;  /* cumulative */
    uint64_t told_ms; /* when it was last told */
    bool untold;      /* it has grown since */
    bool pin;         /* to a block: what lies outside of it is to leave */
};

struct sim_step { /* the work of a tick, of what is still to be done */
    uint64_t amount, rest;
};

struct sim_end { /* of a command, or not yet */
    bool final;
    enum vmres_result result;
};

/* fault.c: one fault. Those of a holding, and those of the host, are chained, newest first. */
struct sim_fault {
    struct vmres_sim_fault what;
    enum { SIM_FAULT_DUE, SIM_FAULT_ACTIVE, SIM_FAULT_OVER } state;
    struct sim_fault *next;
};

/* place.c: where a block lies, on a contiguous host. */
struct sim_place {
    uint64_t front;                  /* [front, front + held) is what the VM has */
    uint64_t goal_front, goal_final; /* the block it was told last */
    uint64_t begun;                  /* of the granule at work */
};

/* What one VM has of one kind: the guest's side, the device between, and what the host was told. */
struct sim_holding {
    struct vmres_vm_limits limits; /* as configured now */
    uint64_t ceiling;              /* as configured first */
    uint64_t most;                 /* the device's maximum */
    struct vmres_sim_demand wish;
    uint32_t point;  /* of the wish: the next to come */
    bool overridden; /* the wish plays no part any more */
    bool moving;     /* the device pursues its target */
    uint64_t wanted; /* before the ceiling */
    uint64_t demand, cache;
    uint64_t held;   /* what it truly holds; a host witness sees this */
    uint64_t hidden; /* of that, what the device says it has released */
    uint64_t traces; /* let go, and still seen by the witness */
    uint64_t target;
    struct sim_place place;
    struct sim_command commands[2]; /* by enum sim_direction */
    struct {
        uint64_t held, target, witness, limit;
    } told;
    bool unseen;                /* it changed of itself since it was last observed */
    bool reconfigured;          /* its limits have changed, and have still to be told */
    uint64_t promise, exposure; /* shadow.c */
    bool feigned;               /* it said that it follows the last command, and does not */
    struct {                    /* shadow.c: what is known, while more has been posted */
        uint64_t least, most;   /* that the device reads; the exposure */
    } heard;
    uint64_t lowest, highest; /* shadow.c: the targets that are lawful */
    struct sim_fault *faults; /* of it; of the whole VM too, on that of kind 0 */
    struct sim_sensor sensor;
    struct sim_ring ring;
    struct vmres_event report; /* the last one given, for a stale guest */
    uint64_t noticed_ms;       /* when it last gave notice */
    uint32_t notice;           /* the stall it is about to give notice of, or 0 */
    bool stalled;              /* it was short at the end of the last tick */
    bool allotted;
    struct sim_tally tally;
};

/* life.c */
enum sim_life {
    SIM_AWAITED = 0, /* its time has not come, or it will be back */
    SIM_ADDED,       /* the driver knows it; it waits for its first allotment */
    SIM_ALLOTTED,    /* it runs; VM_LIVE has still to be posted */
    SIM_LIVE,
    SIM_SILENT,   /* it reboots: no guest driver answers */
    SIM_SETTLING, /* the guest driver is back and fills its balloon to the old target */
    SIM_LOST,     /* it is dead, and the host has still to be told */
    SIM_GONE,     /* for good */
};
struct sim_vm {
    char name[VMRES_VM_NAME_MAX];
    uint64_t tag, swap, reservation;
    bool adopted, lived;
    enum sim_life life;
    uint32_t index;
    uint32_t id; /* the driver's; VMRES_VM_NONE unless ADDED .. LOST */
    uint32_t incarnation;
    uint64_t since_ms;  /* the life began */
    uint64_t return_ms; /* AWAITED, LOST: when it comes (back), or SIM_NEVER */
    struct sim_holding *holdings;
};

struct sim_kind {
    struct vmres_resource resource; /* as it is now; its name is not kept */
    uint64_t capacity;              /* as it was at first */
    bool restocked;                 /* it has changed, and has still to be told */
    struct vmres_sim_device device;
    sim_wide unmet_bound;
    uint64_t exposure; /* shadow.c: the sum of all holdings' */
    uint64_t usable;   /* shadow.c: what may be given */
};

/* delay.c: an action that has been taken and has still to arrive. */
struct sim_delayed {
    struct vmres_action action;
    uint64_t due_ms;
};

struct vmres_sim {
    struct vmres_backend backend; /* first: the backend is the simulator */
    struct vmres_allocator heap;
    struct vmres_sim_options options;
    struct sim_kind *kinds;
    struct sim_vm *vms;           /* [max_vms], vm_count in use */
    struct sim_holding *holdings; /* [max_vms * kinds] */
    struct sim_fault *faults;     /* [max_faults], fault_count in use */
    struct sim_fault *host_faults;
    struct sim_delayed *delayed; /* [delayed_room], delayed_count in use, in order of arrival */
    uint32_t *by_id;             /* [max_vms] driver's id -> index, or VMRES_VM_NONE */
    uint32_t *by_command;        /* [command_slots] a guess: command id -> holding, direction */
    uint32_t command_slots;      /* a power of two */
    uint32_t *by_name;           /* [name_slots] hashed: 1 + the index of a VM, or 0 */
    uint32_t name_slots;         /* a power of two */
    uint32_t vm_count, fault_count, delayed_count, delayed_room;
    uint8_t kind_count;
    uint64_t now, ticks;
    bool link_down;    /* the hypervisor does not answer: nothing is posted */
    bool shares_stale; /* entitlements must be recomputed */
    bool unruly;       /* somebody took what it was not given */
    bool unanswered;   /* an inquiry of this tick was not answered by all */
    bool exposure_due; /* shadow.c: some exposure has yet to rise */
    bool law_due;      /* shadow.c: limits or capacities have yet to be heard of */
    bool allot_due;    /* life.c: somebody waits for its first allotment */
    struct vmres_sim_violations violations;
};

/* Whether the VM holds anything, for all the host can tell. */
static inline bool sim_present(const struct sim_vm *vm)
{
    return vm->life >= SIM_ADDED && vm->life <= SIM_LOST;
}

/* Whether its OS runs: it has demand, and what it misses counts. */
static inline bool sim_running(const struct sim_vm *vm)
{
    return vm->life >= SIM_ALLOTTED && vm->life <= SIM_SETTLING;
}

/* What the device says it holds. */
static inline uint64_t sim_reading(const struct sim_holding *holding)
{
    return holding->held - holding->hidden;
}

/* The newest fault of this kind that is in effect in a chain, or NULL. */
static inline const struct vmres_sim_fault *sim_active(const struct sim_fault *chain,
                                                       enum vmres_sim_fault_kind fault)
{
    while (chain && (chain->state != SIM_FAULT_ACTIVE || chain->what.fault != fault))
        chain = chain->next;
    return chain ? &chain->what : NULL;
}

static inline const struct vmres_sim_fault *sim_hurt_by(const struct sim_holding *holding,
                                                        enum vmres_sim_fault_kind fault)
{
    return sim_active(holding->faults, fault);
}

/* The same for one that befalls a VM as a whole. */
static inline const struct vmres_sim_fault *sim_vm_hurt_by(const struct sim_vm *vm,
                                                           enum vmres_sim_fault_kind fault)
{
    return sim_active(vm->holdings[0].faults, fault);
}

/* host.c: what the device says it holds, and what the host's witness sees. */
uint64_t vmres__sim_host_reading(const struct sim_holding *holding);
uint64_t vmres__sim_host_witness(const struct vmres_sim *sim, const struct sim_holding *holding);
/* What the host can say of a holding: enum vmres_valid. */
uint16_t vmres__sim_host_words(const struct vmres_sim *sim, uint8_t kind);
struct vmres_event vmres__sim_host_event(const struct sim_vm *vm, enum vmres_event_type type,
                                         uint8_t kind);
enum vmres_status vmres__sim_host_post(struct vmres_sim *sim, const struct vmres_event *event);
/* Whether the driver was last told something else. */
bool vmres__sim_host_differs(const struct vmres_sim *sim, const struct sim_holding *holding);
enum vmres_status vmres__sim_host_observe(struct vmres_sim *sim, struct sim_vm *vm, uint8_t kind);
/* Tells the limits and capacities that have changed and are not told yet. */
void vmres__sim_host_configure(struct vmres_sim *sim);
/* What a VM may be given and take part in, as things are. */
struct vmres_vm_limits vmres__sim_host_limits(const struct sim_holding *holding);

/* guest.c: (a) demand and sensors; answers; (b) what it says unasked; (f) what it feels. */
void vmres__sim_guest_measure(struct vmres_sim *sim, struct sim_vm *vm);
void vmres__sim_guest_answer(struct vmres_sim *sim, uint64_t inquiry);
void vmres__sim_guest_speak(struct vmres_sim *sim);
void vmres__sim_guest_feel(struct vmres_sim *sim);

/* command.c */
enum vmres_status vmres__sim_command_take(struct vmres_sim *sim, const struct vmres_action *action);
void vmres__sim_command_cancel(struct vmres_sim *sim, uint64_t id);
/* Does what an action says, which has arrived. */
void vmres__sim_command_carry_out(struct vmres_sim *sim, struct sim_vm *vm,
                                  const struct vmres_action *action);
/* Tells how far the open command of this direction has come, and ends it where it ends. */
void vmres__sim_command_progress(struct vmres_sim *sim, struct sim_vm *vm, uint8_t kind,
                                 enum sim_direction direction);
/* How low, and how high, the guest is ready to go. */
uint64_t vmres__sim_command_limit(const struct sim_holding *holding);
uint64_t vmres__sim_command_reach(const struct sim_holding *holding);
/* Forgets all commands of a VM, without an answer. */
void vmres__sim_command_drop(struct vmres_sim *sim, struct sim_vm *vm);

/* delay.c */
/* Keeps an action back if its VM hears late; false: it does not. */
bool vmres__sim_delay_keep(struct vmres_sim *sim, const struct sim_vm *vm,
                           const struct vmres_action *action);
/* Whether one more could be kept. */
bool vmres__sim_delay_fits(const struct vmres_sim *sim);
/* The VM of a command that has still to arrive, by the driver's id, or VMRES_VM_NONE. */
uint32_t vmres__sim_delay_whose(const struct vmres_sim *sim, uint64_t command);
void vmres__sim_delay_drop(struct vmres_sim *sim, const struct sim_vm *vm);
void vmres__sim_delay_tick(struct vmres_sim *sim);

/* device.c. aim: the device pursues a new target. retake: the guest takes what it was not given. */
void vmres__sim_device_aim(struct sim_holding *holding, uint64_t target);
void vmres__sim_device_release_all(struct vmres_sim *sim);
void vmres__sim_device_grant_all(struct vmres_sim *sim);
void vmres__sim_device_retake(struct vmres_sim *sim, struct sim_holding *holding, uint64_t amount);

/* place.c. matters: this kind lies in blocks. claimed: what the VM has or may come to have. whole:
 * what of the work done so far moves now. outside: of what it has, what does not lie where it is to
 * be. left, entered: an amount was released, granted (held counts it already). release: the rate at
 * which the block is cleared. stay: what was promised and has not come is void. allows: an action
 * does not contradict what is. obey: it is pursued. settle: the first place there is, for one that
 * ran before any driver. show: tells where it is. */
bool vmres__sim_place_matters(const struct vmres_sim *sim, uint8_t kind);
uint64_t vmres__sim_place_part(const struct vmres_sim *sim, uint8_t kind, uint64_t amount);
uint64_t vmres__sim_place_claimed(const struct sim_holding *holding);
uint64_t vmres__sim_place_whole(const struct vmres_sim *sim, struct sim_holding *holding,
                                uint8_t kind, struct sim_step step);
uint64_t vmres__sim_place_outside(const struct sim_holding *holding);
void vmres__sim_place_left(struct sim_holding *holding, uint64_t amount);
void vmres__sim_place_entered(struct sim_holding *holding, uint64_t amount);
uint64_t vmres__sim_place_release(const struct vmres_sim_device *device,
                                  const struct sim_holding *holding);
void vmres__sim_place_stay(struct sim_holding *holding);
/* What it was to give it knows no longer: it is to have all that it has or may have. */
void vmres__sim_place_forget(struct sim_holding *holding);
bool vmres__sim_place_allows(const struct vmres_sim *sim, const struct sim_holding *holding,
                             const struct vmres_action *action);
void vmres__sim_place_obey(struct sim_holding *holding, const struct vmres_action *action);
void vmres__sim_place_settle(const struct vmres_sim *sim, struct sim_holding *holding,
                             uint8_t kind);
void vmres__sim_place_show(struct vmres_sim *sim, const struct sim_vm *vm, uint8_t kind);

/* attach.c */
enum vmres_status vmres__sim_attach_start(struct vmres_sim *sim, const char **culprit);
void vmres__sim_attach_stop(struct vmres_sim *sim);
/* Makes a VM known to the driver: a new one, or one that ran before. */
enum vmres_status vmres__sim_attach_introduce(struct vmres_sim *sim, struct sim_vm *vm);
/* Looks after one that waits for its first allotment. */
void vmres__sim_attach_await(struct vmres_sim *sim, struct sim_vm *vm);
/* Asks for first allotments, if anybody waits: for all that came together, at once. */
void vmres__sim_attach_allot(struct vmres_sim *sim);
void vmres__sim_attach_forget(struct vmres_sim *sim, struct sim_vm *vm);
/* The VM with this id of the driver's, or NULL. */
struct sim_vm *vmres__sim_attach_find(struct vmres_sim *sim, uint32_t id);

/* life.c */
void vmres__sim_life_enter(struct vmres_sim *sim, struct sim_vm *vm, enum sim_life life);
/* Nothing is held, wished for or remembered: a new guest. */
void vmres__sim_life_blank(struct vmres_sim *sim, struct sim_vm *vm);
/* It has all it needs to run. */
void vmres__sim_life_begin(struct vmres_sim *sim, struct sim_vm *vm);
void vmres__sim_life_tick(struct vmres_sim *sim);
void vmres__sim_life_settle(struct vmres_sim *sim);
void vmres__sim_life_allotted(struct vmres_sim *sim, struct sim_vm *vm, uint8_t kind);
void vmres__sim_life_crash(struct vmres_sim *sim, struct sim_vm *vm, uint64_t return_ms);
void vmres__sim_life_vanish(struct vmres_sim *sim, struct sim_vm *vm, uint64_t return_ms);
/* how: REBOOT, it holds all it can; REBOOT_STALE, and its device reads as before, until its driver
 * is back; REBOOT_EMPTY, it holds nothing until then, and fills to the target it finds. */
void vmres__sim_life_reboot(struct vmres_sim *sim, struct sim_vm *vm,
                            enum vmres_sim_fault_kind how);
/* A snapshot of one kind is restored: a new life, holding so much and aiming at it. */
void vmres__sim_life_restore(struct vmres_sim *sim, struct sim_vm *vm, uint8_t kind,
                             uint64_t amount);

/* link.c */
void vmres__sim_link_lose(struct vmres_sim *sim);
void vmres__sim_link_find(struct vmres_sim *sim);

/* fault.c */
void vmres__sim_fault_tick(struct vmres_sim *sim);

/* share.c */
void vmres__sim_share_compute(struct vmres_sim *sim, uint8_t kind);

/* metric.c */
void vmres__sim_metric_tick(struct vmres_sim *sim);
/* The kind that guests swap out; kind_count: none is. */
uint8_t vmres__sim_metric_memory(const struct vmres_sim *sim);

/* shadow.c: before a command is taken; when it arrives; after it was called off; when something was
 * told, of itself or in an answer, or forgotten; after a pump; after a tick. */
void vmres__sim_shadow_command(struct vmres_sim *sim, const struct sim_vm *vm,
                               const struct vmres_action *action);
void vmres__sim_shadow_arrived(struct vmres_sim *sim, const struct sim_vm *vm,
                               const struct vmres_action *action);
void vmres__sim_shadow_cancelled(struct vmres_sim *sim, const struct sim_vm *vm, uint8_t kind);
/* Limits or capacity are others now; what was lawful stays so until they are heard of. */
void vmres__sim_shadow_relaxed(struct vmres_sim *sim);
void vmres__sim_shadow_observed(struct vmres_sim *sim, const struct sim_vm *vm, uint8_t kind);
void vmres__sim_shadow_seen(struct vmres_sim *sim, const struct sim_vm *vm, uint8_t kind);
void vmres__sim_shadow_forget(struct vmres_sim *sim, const struct sim_vm *vm, uint8_t kind);
void vmres__sim_shadow_settle(struct vmres_sim *sim);
void vmres__sim_shadow_audit(struct vmres_sim *sim);

/* backend.c */
extern const struct vmres_backend_ops vmres__sim_backend_ops;

#endif
