/* SPDX-License-Identifier: MIT */
/*
 * The trace: what an engine did and why, as it does it.
 *
 * The engine calls the tracer with one record per thing that happened, numbered with the step of
 * the method it belongs to, (1) to (8), or 0. Records hold ids; vmres_trace_format() turns one into
 * a line, "[  100] vm2 (4) remove 1GiB for vm1: idle, above entitlement", with names and units
 * supplied by the caller. A run's trace is its documentation and the oracle of the scenario tests.
 */
#ifndef VMRES_TRACE_H
#define VMRES_TRACE_H

#include <stddef.h>
#include <stdint.h>
#include <vmres/api.h>
#include <vmres/resource.h>

VMRES_BEGIN_DECLS

enum vmres_trace_level {
    VMRES_TRACE_WARN = 1,  /* somebody should look: disputed bytes, a deficit, a broken contract */
    VMRES_TRACE_INFO = 2,  /* transfers and VMs: the eight steps */
    VMRES_TRACE_DEBUG = 3, /* every inquiry, report and judgement */
};

/* What happened. The reason of a move is the policy's own text, in `reason`. */
enum vmres_trace_type {
    VMRES_TRACE_VM = 1,       /* a VM changed its state */
    VMRES_TRACE_INQUIRE,      /* (1) a round began */
    VMRES_TRACE_REPORT,       /* (2) a guest reported, or gave notice */
    VMRES_TRACE_PLAN,         /* (3) a transfer was planned */
    VMRES_TRACE_REMOVE,       /* (4) a donor was asked */
    VMRES_TRACE_REMOVED,      /* (5) a donor let go */
    VMRES_TRACE_REASSIGN,     /* (6) the ledger gave it to the recipient */
    VMRES_TRACE_NOTIFY,       /* (7) the recipient was told */
    VMRES_TRACE_INCORPORATED, /* (8) the recipient uses it */
    VMRES_TRACE_CLOSED,       /* a transfer ended: done, partial, cancelled, failed */
    VMRES_TRACE_CANCEL,       /* a command was called off */
    VMRES_TRACE_PIN,          /* a VM was told to stay as it is */
    VMRES_TRACE_LEDGER,       /* an involuntary entry: retake, reboot, adoption, capacity */
    VMRES_TRACE_DISPUTED,     /* said to be released, not believed */
    VMRES_TRACE_ALLOT,        /* a first allotment */
    VMRES_TRACE_REFUSED,      /* an event was, and why; with an amount: the VM waits for it */
    VMRES_TRACE_STATIC,       /* the engine stopped sending commands, or resumed */
    VMRES_TRACE_ORDER,        /* the operator's, and what became of it */
    VMRES_TRACE_RESERVED,     /* a reservation (its id in `transfer`), and what became of it */
    VMRES_TRACE_UNMET,        /* more was wanted than could be given; amount 0: no more */
    VMRES_TRACE_RELIEF,       /* and has been for long: this host needs relief from outside */
    VMRES_TRACE_NONSENSE,     /* a backend: `amount` times a VM said what makes no sense */
};

struct vmres_trace_record {
    uint64_t time_ms;
    uint64_t transfer;  /* or 0 */
    uint64_t amount;    /* in the kind's unit */
    uint64_t target;    /* in the kind's unit: the allotment afterwards, where there is one */
    uint64_t front;     /* contiguous hosts: the region spoken of, [front, front + size) */
    uint64_t size;      /* or 0 */
    uint64_t block;     /* where the VM's block begins: a virtual address is the real one less it */
    uint32_t vm;        /* whom it is about, or VMRES_VM_NONE */
    uint32_t other;     /* the other party, or VMRES_VM_NONE */
    const char *reason; /* static text, or NULL */
    uint8_t type;       /* enum vmres_trace_type */
    uint8_t level;      /* enum vmres_trace_level */
    uint8_t step;       /* 1 .. 8, or 0 */
    uint8_t kind;       /* index of the resource */
};

/*
 * Called from within a step. It must not call the engine or its driver, block or keep the pointer.
 * `level`: records above it are not made; 0 is VMRES_TRACE_INFO. function NULL: no trace.
 */
struct vmres_tracer {
    void (*function)(void *user, const struct vmres_trace_record *record);
    void *user;
    enum vmres_trace_level level;
};

/* What vmres_trace_format() needs to speak of VMs by name; vm_name may be NULL or return NULL: then
 * "vm#3" is printed. Kinds: the array the engine was created with. */
struct vmres_trace_names {
    const char *(*vm_name)(void *user, uint32_t vm);
    void *user;
    const struct vmres_resource *resources;
    uint32_t kinds;
};

/*
 * Writes one line without newline into buffer (always terminated when size > 0) and returns the
 * length it would have had, as snprintf does. In names, control characters, what ends a line or
 * turns its order, and what is no UTF-8 are printed as '?'. names NULL: ids and plain numbers;
 * record must not be NULL. Any thread.
 */
VMRES_API size_t vmres_trace_format(const struct vmres_trace_record *record,
                                    const struct vmres_trace_names *names, char *buffer,
                                    size_t size);

VMRES_END_DECLS

#endif
