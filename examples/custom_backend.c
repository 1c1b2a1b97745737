/* SPDX-License-Identifier: MIT */
/* A backend of your own, and the suite that it passes. The hypervisor is a toy: its VMs are numbers
 * that move towards a target, 1 MiB in a tenth of a second; they run before anybody manages it. */
#include <stdio.h>
#include <vmres/conformance.h>
#include <vmres/vmres.h>

/* Hypervisor and backend in one; the library's struct comes first. */
static struct toy {
    struct vmres_backend backend;
    uint64_t now_ms;
    uint32_t count;
    struct vm {
        uint32_t id;              /* the driver's */
        uint64_t held, target;    /* the hypervisor's */
        struct vmres_action open; /* the resize it works at; id 0: none */
        uint64_t from;            /* what it held when that came */
    } vms[4];
} toy;

/* Each answer says what the VM holds, with a second opinion of the host's, and what has moved since
 * the action was submitted. `end`: that was all. */
static void answer(const struct vm *vm, const struct vmres_action *action, int end, int result)
{
    struct vmres_event event = vmres_event_answer(action, 0, (enum vmres_result)result);

    event.flags = end ? VMRES_FLAG_FINAL : 0;
    event.valid = VMRES_VALID_HELD | VMRES_VALID_WITNESS;
    event.as.answer.held = event.as.answer.witness = vm->held;
    event.as.answer.amount = vm->held > vm->from ? vm->held - vm->from : vm->from - vm->held;
    if (action->id != 0)
        (void)!vmres_driver_post(toy.backend.driver, &event); /* it is sure of a place */
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
    for (struct vm *vm = toy.vms; vm < toy.vms + toy.count; vm++, name[2]++) {
        enum vmres_status status = vmres_driver_add_vm(driver, &spec, &vm->id);
        struct vmres_event seen = vmres_event_make(VMRES_EVENT_OBSERVED, 0, vm->id, 0);
        struct vmres_event live = vmres_event_make(VMRES_EVENT_VM_LIVE, 0, vm->id, 0);

        if (status != VMRES_OK && status != VMRES_EXISTS) /* that driver was started before */
            return status;
        seen.valid = VMRES_VALID_HELD | VMRES_VALID_WITNESS;
        seen.as.observed.held = seen.as.observed.witness = vm->held;
        (void)!vmres_driver_post(driver, &seen); /* a real one says again what found no place */
        (void)!vmres_driver_post(driver, &live);
    }
    return VMRES_OK;
}

/* Step two: carry out. A resize is noted and pursued later; what came before it is over. */
static enum vmres_status submit(struct vmres_backend *backend, const struct vmres_action *action)
{
    struct vm *vm = toy.vms;

    (void)backend;
    while (vm < toy.vms + toy.count - 1 && vm->id != action->vm)
        vm++;
    switch (action->type) {
    case VMRES_ACTION_INQUIRE: /* (1): the toy's guests have no agent that would report */
        return VMRES_OK;
    case VMRES_ACTION_REASSIGN: /* (6): the toy has no cap to be raised */
        answer(vm, action, 1, VMRES_RESULT_DONE);
        return VMRES_OK;
    case VMRES_ACTION_REQUEST_REMOVAL: /* (4) */
    case VMRES_ACTION_NOTIFY:          /* (7) */
    case VMRES_ACTION_PIN:
        answer(vm, &vm->open, 1, VMRES_RESULT_SUPERSEDED);
        vm->open = *action;
        vm->from = vm->held;
        vm->target = action->as.resize.target;
        return VMRES_OK;
    default: /* made by a later version: refuse what you do not know */
        return VMRES_UNSUPPORTED;
    }
}

/* Step three: end, and forget. It is `destroy`, too: the toy is static. `cancel` is left out. */
static void stop(struct vmres_backend *backend)
{
    (void)backend;
    for (struct vm *vm = toy.vms; vm < toy.vms + toy.count; vm++)
        vm->open.id = 0;
}

/* Meanwhile: the hypervisor works; while a resize is open, tell how far it has come. */
static void tick(void *user, uint64_t now_ms)
{
    (void)user;
    toy.now_ms = now_ms;
    for (struct vm *vm = toy.vms; vm < toy.vms + toy.count; vm++) {
        answer(vm, &vm->open, vm->held == vm->target, VMRES_RESULT_DONE);
        if (vm->held == vm->target)
            vm->open.id = 0;
        else
            vm->held += vm->held > vm->target ? -VMRES_MIB : VMRES_MIB;
    }
}

/* The suite needs to know how a host is made and a driver started over it. */
static int open(void *user, uint32_t vms)
{
    static const struct vmres_backend_ops ops = {sizeof ops, "toy", start, submit,
                                                 NULL,       stop,  stop};

    (void)user;
    toy = (struct toy){.count = vms};
    for (uint32_t i = 0; i < vms; i++)
        toy.vms[i].held = toy.vms[i].target = 128 * VMRES_MIB;
    return vmres_backend_init(&toy.backend, &ops, NULL) == VMRES_OK;
}

static struct vmres_driver *connect(void *user, struct vmres_driver_options *options)
{
    static struct vmres_resource memory = {.name = "memory", .granule = VMRES_MIB};
    struct vmres_driver *driver;

    (void)user;
    memory.capacity = toy.count * 128 * VMRES_MIB;
    options->backend = &toy.backend;
    options->engine.max_vms = toy.count;
    options->engine.kinds = 1;
    options->engine.resources = &memory;
    if (vmres_driver_create(options, &driver, NULL) != VMRES_OK)
        return NULL;
    return vmres_driver_start(driver, toy.now_ms, NULL) == VMRES_OK ? driver : NULL;
}

int main(void)
{
    const struct vmres_conformance_fixture fixture = {.size = sizeof fixture,
                                                      .name = "toy",
                                                      .capabilities = VMRES_CONFORMANCE_SLOW |
                                                                      VMRES_CONFORMANCE_ADOPTS,
                                                      .open = open,
                                                      .connect = connect,
                                                      .tick = tick};

    return vmres_conformance_run(&fixture, vmres_conformance_print, stdout) != 0;
}
