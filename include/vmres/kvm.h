/* SPDX-License-Identifier: MIT */
/*
 * The KVM backend: moves memory between QEMU guests through their QMP sockets, by virtio-balloon
 * and virtio-mem, on a libuv loop.
 *
 *     vmres_kvm_create(loop, &options, &kvm, &error);
 *     vmres_kvm_add_vm(kvm, &spec, &error);             before or while it runs
 *     driver_options.backend = vmres_kvm_backend(kvm);  one kind: memory, in bytes
 *     ...
 *     vmres_kvm_close(kvm, closed, user);               the driver being stopped
 *
 * It never starts or ends a guest: those whose socket answers are adopted. A VM takes part once the
 * guest's driver has been heard of and what it holds is stable. What QEMU says a balloon gave is
 * not believed by itself: every answer carries what the host sees the QEMU process hold, less its
 * own overhead. Nothing here is enforced: a hostile guest can take back what a balloon gave.
 *
 * Several devices. A VM shrinks by virtio-mem first, in whole blocks, and by the balloon for the
 * rest; it grows the other way round. For an unplugged block cannot come back unasked as a balloon
 * page can, and a guest in need can always deflate, while plugging needs memory in the guest. A
 * balloon is left alone where it would free nothing: a device of the host passed through, memory
 * locked, in huge pages, or encrypted. Blocks are moved wherever QEMU takes the device.
 *
 * What a VM was given counts as taken in (step 8) when its guest's total grew by it, as the
 * balloon's statistics or the agent tell. Blocks that it does not bring online within three idle
 * looks are unplugged again, for whom they are of use, and none are plugged for a while: `reason`
 * says so. Where nobody tells a total for 3 s QEMU's word has to do: `unverified` counts that.
 *
 * A VM that is paused, migrated or in a snapshot is frozen (operate.h) while QEMU says so, and then
 * adopted anew. Whom you freeze, at any time, stays frozen until you thaw it.
 *
 * QEMU gives a socket to one client at a time: use one of its own (a second -qmp). The balloon's
 * guest-stats-polling-interval is set to 1 s. All of this belongs to the thread of the loop.
 */
#ifndef VMRES_KVM_H
#define VMRES_KVM_H

#include <stddef.h>
#include <stdint.h>
#include <vmres/allocator.h>
#include <vmres/api.h>
#include <vmres/backend.h>
#include <vmres/driver.h>
#include <vmres/status.h>
#include <vmres/trace.h>

VMRES_BEGIN_DECLS

struct uv_loop_s; /* uv_loop_t */
struct vmres_kvm;

/* Start from vmres_kvm_options_init(); a zero means the default given here. Copied. */
struct vmres_kvm_options {
    size_t size;          /* sizeof(struct vmres_kvm_options), the version */
    uint32_t max_vms;     /* no less than the driver's, or it is not started; default 64 */
    uint32_t greeting_ms; /* without a greeting for so long another client has it; default 2000 */
    uint32_t command_ms;  /* without a reply for so long the VM is busy; default 2000 */
    uint32_t poll_ms;     /* devices that move are read so often, or more; default 20 */
    uint32_t idle_ms;     /* and otherwise; default 1000 */
    uint32_t retry_ms;    /* until the first attempt to connect again, doubling; default 100 */
    uint64_t tolerance;   /* as the resource's: see resource.h; default 8 MiB */
    const char *proc;     /* where processes are looked at; default "/proc" */
    struct vmres_tracer tracer; /* VMRES_TRACE_NONSENSE, once in 10 s for each VM; may be empty */
    const struct vmres_allocator *allocator; /* NULL = libc; not for JSON: json_set_alloc_funcs() */
};

/* A QEMU process to manage. Copied. */
struct vmres_kvm_vm_spec {
    const char *name;    /* unique, 1 .. VMRES_VM_NAME_MAX - 1 bytes */
    uint64_t tag;        /* the embedder's own */
    const char *socket;  /* path of its QMP socket; it need not exist yet */
    const char *agent;   /* path of the socket of its agent's port (examples/agent); NULL: none, or
                            not known: then its balloon speaks for it, and no stall is seen */
    const char *pidfile; /* with pid 0: a file that holds its pid; may be NULL */
    int64_t pid; /* 0: from the pidfile, or who listens at the socket: not QEMU under libvirt */
    /* What the process holds beside the guest's memory, QEMU's own and NVDIMMs: in no charge, keep
     * a reserve for it. 0: measured every 60 idle looks and when in doubt, by libuv's threads, 30
     * ms for a GiB in small pages. The least ever measured is believed: so who makes QEMU swell and
     * shrink hides more than `tolerance` until the next measure, no longer. State it where none can
     * be: DIMMs, memory on several NUMA nodes, smaps that we may not read. */
    uint64_t overhead;
    struct vmres_vm_limits limits; /* of memory; initial is ignored */
};

enum vmres_kvm_state {
    VMRES_KVM_ABSENT = 0,      /* no such process */
    VMRES_KVM_UNREACHABLE = 1, /* it runs, but no conversation is possible */
    VMRES_KVM_ASKED = 2,       /* it is being asked what it can do */
    VMRES_KVM_READY = 3,       /* it answers */
    VMRES_KVM_BUSY = 4,        /* it owes an answer for too long: stopped, or hung */
};

enum vmres_kvm_device {
    VMRES_KVM_BALLOON = 1 << 0,
    VMRES_KVM_VIRTIO_MEM = 1 << 1,
};

struct vmres_kvm_vm_info {
    enum vmres_kvm_state state;
    uint32_t vm;        /* the driver's id, or VMRES_VM_NONE */
    uint32_t devices;   /* enum vmres_kvm_device: those that can be moved */
    int64_t pid;        /* 0: unknown */
    uint64_t held;      /* what its devices say */
    uint64_t limit;     /* and what they could at most; both 0: not asked yet */
    uint64_t witness;   /* what the host sees; UINT64_MAX: nothing */
    uint64_t overhead;  /* taken off for that */
    const char *reason; /* why it does not take part in full, static text; or NULL */
    uint64_t connections, lost, timeouts, rejected; /* rejected: messages not understood */
    uint64_t notices;                               /* of shortage, by its agent */
    uint64_t verified, unverified, unseen; /* grown as its guest sees; by QEMU's word; in vain */
    int agent;                             /* 1: an agent speaks for it */
};

/* Fills in the defaults. NULL: no effect. */
VMRES_API void vmres_kvm_options_init(struct vmres_kvm_options *options);

/* *kvm is the caller's to give to vmres_kvm_close(); the loop must outlive it. options NULL: the
 * defaults. error may be NULL. VMRES_INVALID, VMRES_NOMEM. */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_kvm_create(struct uv_loop_s *loop,
                                                            const struct vmres_kvm_options *options,
                                                            struct vmres_kvm **kvm,
                                                            struct vmres_error *error);

/* For the driver's options; lives as long as kvm. NULL for NULL. vmres_backend_destroy() on it is
 * vmres_kvm_close(kvm, NULL, NULL). */
VMRES_API struct vmres_backend *vmres_kvm_backend(struct vmres_kvm *kvm);

/* Adds a VM; while started, it is looked for at once. It need not run yet. error may be NULL.
 * VMRES_INVALID: no name or socket, a path too long, limits that make no sense; VMRES_STATE: kvm
 * was closed; VMRES_EXISTS: the name is taken; VMRES_LIMIT: max_vms reached; VMRES_NOMEM. */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_kvm_add_vm(struct vmres_kvm *kvm,
                                                            const struct vmres_kvm_vm_spec *spec,
                                                            struct vmres_error *error);

/* Lets go of a VM, which runs on: for the driver it is gone, and not counted. VMRES_UNKNOWN. */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_kvm_remove_vm(struct vmres_kvm *kvm,
                                                               const char *name);

/* Copies out what is known of a VM. VMRES_UNKNOWN. */
VMRES_API VMRES_MUST_USE enum vmres_status vmres_kvm_vm(const struct vmres_kvm *kvm,
                                                        const char *name,
                                                        struct vmres_kvm_vm_info *info);

/* Gives everything back. The loop must run on until closed(user) is called, which comes last and,
 * where nothing is open or measured, at once. closed may be NULL. Stop the driver first. NULL kvm:
 * no effect, and nothing is called. */
VMRES_API void vmres_kvm_close(struct vmres_kvm *kvm, void (*closed)(void *user), void *user);

VMRES_END_DECLS

#endif
