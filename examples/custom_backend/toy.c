/* SPDX-License-Identifier: MIT */
/*
 * A backend of your own, for a toy of a hypervisor: numbers in memory that move towards a target by
 * 1 MiB a tick. Its VMs run before anybody manages them; its removals take time. main.c tests it.
 */
#include "toy.h"

enum { SHRINK, GROW };

/* The hypervisor and the backend in one; the library's struct comes first. */
static struct toy {
    struct vmres_backend backend;
    uint32_t count;
    struct toy_vm {
        uint32_t id;                 /* the driver's */
        uint64_t held, target;       /* the hypervisor's */
        struct vmres_action open[2]; /* the commands it works at; id 0: none */
        uint64_t from[2];            /* what it held when they came */
    } vms[TOY_VMS];
} toy;

/* Only answers are sure of a place. A real backend says again what found none. */
static void post(const struct vmres_event *event)
{
    (void)!vmres_driver_post(toy.backend.driver, event);
}

/* The four answers are numbered as their actions. Each says what the VM holds, with a witness. */
static void answer(const struct toy_vm *vm, const struct vmres_action *action, uint64_t amount,
                   int flags, enum vmres_result result)
{
    int type = VMRES_EVENT_REMOVED + action->type - VMRES_ACTION_REQUEST_REMOVAL;
    struct vmres_event event =
        vmres_event_make((enum vmres_event_type)type, 0, action->vm, action->incarnation);

    event.id = action->id;
    event.flags = (uint16_t)flags;
    event.result = (uint16_t)result;
    event.valid = VMRES_VALID_HELD | VMRES_VALID_WITNESS;
    event.as.answer.amount = amount;
    event.as.answer.held = event.as.answer.witness = vm->held;
    post(&event);
}

/* How far an open command has come: the amount is cumulative. `flags` final: that was all. */
static void tell(struct toy_vm *vm, int way, int flags, enum vmres_result result)
{
    uint64_t moved = way == SHRINK ? vm->from[SHRINK] - vm->held : vm->held - vm->from[GROW];

    if (vm->open[way].id == 0)
        return;
    answer(vm, &vm->open[way], moved, flags, result);
    if (flags & VMRES_FLAG_FINAL)
        vm->open[way].id = 0;
}

/* Step one: begin. Name the VMs there are, say what they hold, and that they live. */
static enum vmres_status start(struct vmres_backend *backend, struct vmres_driver *driver,
                               struct vmres_error *error)
{
    const struct vmres_vm_limits limits = {.ceiling = 256 * VMRES_MIB,
                                           .participation = VMRES_PARTICIPATE_BOTH};
    char name[] = "vm0";
    const struct vmres_vm_spec spec = {.name = name, .adopted = 1, .limits = &limits};

    (void)backend, (void)error;
    for (struct toy_vm *vm = toy.vms; vm < toy.vms + toy.count; vm++, name[2]++) {
        enum vmres_status status = vmres_driver_add_vm(driver, &spec, &vm->id);
        struct vmres_event seen = vmres_event_make(VMRES_EVENT_OBSERVED, 0, vm->id, 0);
        struct vmres_event live = vmres_event_make(VMRES_EVENT_VM_LIVE, 0, vm->id, 0);

        if (status != VMRES_OK && status != VMRES_EXISTS) /* that driver was started before */
            return status;
        seen.valid = VMRES_VALID_HELD | VMRES_VALID_TARGET | VMRES_VALID_WITNESS;
        seen.as.observed.held = seen.as.observed.witness = vm->held;
        seen.as.observed.target = vm->target;
        post(&seen);
        post(&live);
    }
    return VMRES_OK;
}

/* Step two: carry out. A resize is noted here and pursued later; what came before it is over. */
static enum vmres_status resize(struct toy_vm *vm, const struct vmres_action *action, int way)
{
    tell(vm, way, VMRES_FLAG_FINAL, VMRES_RESULT_SUPERSEDED);
    vm->open[way] = *action;
    vm->from[way] = vm->held;
    vm->target = action->as.resize.target;
    return VMRES_OK;
}

static enum vmres_status submit(struct vmres_backend *backend, const struct vmres_action *action)
{
    struct toy_vm *vm = toy.vms;

    (void)backend;
    while (vm < toy.vms + toy.count - 1 && vm->id != action->vm)
        vm++;
    switch (action->type) {
    case VMRES_ACTION_INQUIRE: /* (1): the toy's guests have no agent that would report */
        return VMRES_OK;
    case VMRES_ACTION_REQUEST_REMOVAL: /* (4) */
        return resize(vm, action, SHRINK);
    case VMRES_ACTION_NOTIFY: /* (7) */
        return resize(vm, action, GROW);
    case VMRES_ACTION_PIN:
    case VMRES_ACTION_REASSIGN: /* (6): the toy has no cap to be raised */
        if (action->type == VMRES_ACTION_PIN)
            vm->target = action->as.resize.target;
        answer(vm, action, 0, VMRES_FLAG_FINAL, VMRES_RESULT_DONE);
        return VMRES_OK;
    default: /* made by a later version: refuse what you do not know */
        return VMRES_UNSUPPORTED;
    }
}

/* Step three: end; commands are forgotten. It is `destroy`, too; `cancel` is left out. */
static void stop(struct vmres_backend *backend)
{
    for (struct toy_vm *vm = toy.vms; vm < toy.vms + toy.count; vm++)
        vm->open[SHRINK].id = vm->open[GROW].id = 0;
    (void)backend; /* it is static */
}

/* Meanwhile, in the hypervisor: while a command is open, post how far it has come. */
void toy_tick(void)
{
    for (struct toy_vm *vm = toy.vms; vm < toy.vms + toy.count; vm++) {
        if (vm->held != vm->target)
            vm->held += vm->held > vm->target ? -VMRES_MIB : VMRES_MIB;
        tell(vm, SHRINK, vm->held == vm->target ? VMRES_FLAG_FINAL : 0, VMRES_RESULT_DONE);
        tell(vm, GROW, vm->held == vm->target ? VMRES_FLAG_FINAL : 0, VMRES_RESULT_DONE);
    }
}

struct vmres_backend *toy_create(uint32_t vms)
{
    static const struct vmres_backend_ops ops = {sizeof ops, "toy", start, submit,
                                                 NULL,       stop,  stop};

    toy = (struct toy){.count = vms};
    for (uint32_t i = 0; i < vms; i++)
        toy.vms[i].held = toy.vms[i].target = 128 * VMRES_MIB;
    return vmres_backend_init(&toy.backend, &ops, NULL) == VMRES_OK ? &toy.backend : NULL;
}
