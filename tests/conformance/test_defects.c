/* SPDX-License-Identifier: MIT */
/*
 * The suite itself: a backend that is perfect but for one defect at a time, over the world of
 * test_null.c. Without a defect it passes; with any of them some test fails. A suite that cannot
 * fail proves nothing.
 */
#include <stdio.h>
#include <string.h>

#include <vmres/conformance.h>
#include <vmres/units.h>

enum defect {
    NONE,
    NO_FINAL,   /* never says that a removal is over */
    TWO_FINALS, /* says it twice */
    TOO_MUCH,   /* releases more than was asked */
    NO_WITNESS, /* says what it released, not what the host sees */
    OTHER_KIND, /* answers with an event of another type */
    OTHER_LIFE, /* answers for another incarnation */
    TOO_EARLY,  /* says done before it is */
    FORGETS,    /* grants, and does nothing */
    TAKES_ANY,  /* takes actions that it does not know */
    NO_PIN,     /* does not answer a pin */
    DEFECTS,
};

static struct world {
    struct vmres_backend backend;
    struct vmres_driver *driver;
    struct vmres_resource memory;
    enum defect defect;
    uint32_t vms;
    uint64_t now_ms;
} world;

static void post(const struct vmres_event *event)
{
    enum vmres_status status = vmres_driver_post(world.driver, event);

    (void)status;
}

/* What the backend has to say to an action, before the defect. */
static struct vmres_event compose(const struct vmres_action *action, enum vmres_event_type type)
{
    struct vmres_event event = vmres_event_make(type, 0, action->vm, action->incarnation);

    event.id = action->id;
    event.flags = VMRES_FLAG_FINAL;
    event.valid = VMRES_VALID_HELD | VMRES_VALID_WITNESS;
    event.as.answer.amount = action->as.resize.amount;
    event.as.answer.held = event.as.answer.witness = action->as.resize.target;
    if (type == VMRES_EVENT_REASSIGNED && !(action->flags & VMRES_ACTION_INITIAL))
        event.valid = 0;
    return event;
}

static void spoil_removal(struct vmres_event *event)
{
    switch (world.defect) {
    case NO_FINAL:
        event->flags = 0;
        break;
    case TOO_MUCH:
        event->as.answer.amount += VMRES_MIB;
        break;
    case NO_WITNESS:
        event->valid = VMRES_VALID_HELD;
        break;
    case OTHER_KIND:
        event->type = VMRES_EVENT_INCORPORATED;
        break;
    case OTHER_LIFE:
        event->incarnation++;
        break;
    case TOO_EARLY:
        event->as.answer.held += VMRES_MIB;
        event->as.answer.witness += VMRES_MIB;
        break;
    default:
        break;
    }
}

static void answer(const struct vmres_action *action, enum vmres_event_type type)
{
    struct vmres_event event = compose(action, type);
    struct vmres_event live =
        vmres_event_make(VMRES_EVENT_VM_LIVE, 0, action->vm, action->incarnation);

    if (type == VMRES_EVENT_REMOVED)
        spoil_removal(&event);
    if (type == VMRES_EVENT_INCORPORATED && world.defect == FORGETS)
        event.as.answer.held -= action->as.resize.amount;
    post(&event);
    if (world.defect == TWO_FINALS && type == VMRES_EVENT_REMOVED)
        post(&event);
    if (action->flags & VMRES_ACTION_INITIAL)
        post(&live);
}

static enum vmres_status submit(struct vmres_backend *backend, const struct vmres_action *action)
{
    (void)backend;
    if (action->type == VMRES_ACTION_REQUEST_REMOVAL)
        answer(action, VMRES_EVENT_REMOVED);
    else if (action->type == VMRES_ACTION_REASSIGN)
        answer(action, VMRES_EVENT_REASSIGNED);
    else if (action->type == VMRES_ACTION_NOTIFY)
        answer(action, VMRES_EVENT_INCORPORATED);
    else if (action->type == VMRES_ACTION_PIN && world.defect != NO_PIN)
        answer(action, VMRES_EVENT_PINNED);
    else if (action->type > VMRES_ACTION_CANCEL && world.defect != TAKES_ANY)
        return VMRES_UNSUPPORTED;
    return VMRES_OK;
}

static enum vmres_status start(struct vmres_backend *backend, struct vmres_driver *driver,
                               struct vmres_error *error)
{
    (void)backend, (void)error;
    world.driver = driver;
    return VMRES_OK;
}

static void stop(struct vmres_backend *backend)
{
    (void)backend;
}

/* --- the fixture --- */

static int open(void *user, uint32_t vms)
{
    static const struct vmres_backend_ops ops = {.size = sizeof ops,
                                                 .name = "defect",
                                                 .start = start,
                                                 .submit = submit,
                                                 .stop = stop,
                                                 .destroy = stop};

    (void)user;
    world = (struct world){
        .memory = {.name = "memory", .granule = VMRES_MIB, .capacity = vms * VMRES_GIB / 4},
        .defect = world.defect,
        .vms = vms,
    };
    return vmres_backend_init(&world.backend, &ops, NULL) == VMRES_OK;
}

static struct vmres_driver *connect(void *user, struct vmres_driver_options *options)
{
    const struct vmres_vm_limits limits = {.ceiling = VMRES_GIB / 2,
                                           .initial = VMRES_GIB / 4,
                                           .participation = VMRES_PARTICIPATE_BOTH};
    char name[] = "vm0";
    const struct vmres_vm_spec spec = {.name = name, .limits = &limits};
    uint32_t vm;

    (void)user;
    options->backend = &world.backend;
    options->engine.max_vms = world.vms;
    options->engine.kinds = 1;
    options->engine.resources = &world.memory;
    if (vmres_driver_create(options, &world.driver, NULL) != VMRES_OK ||
        vmres_driver_start(world.driver, world.now_ms, NULL) != VMRES_OK)
        return NULL;
    for (; name[2] < '0' + (char)world.vms; name[2]++) {
        if (vmres_driver_add_vm(world.driver, &spec, &vm) != VMRES_OK)
            return NULL;
    }
    return vmres_driver_allot(world.driver) == VMRES_OK ? world.driver : NULL;
}

static void disconnect(void *user, struct vmres_driver *driver)
{
    (void)user;
    vmres_driver_destroy(driver);
    world.driver = NULL;
}

static void close(void *user)
{
    (void)user;
}

static uint64_t now(void *user)
{
    (void)user;
    return world.now_ms;
}

static void run_until(void *user, int (*done)(void *context), void *context, uint32_t ms)
{
    uint64_t end = world.now_ms + ms;

    (void)user;
    for (; !done(context) && world.now_ms < end; world.now_ms += 50)
        vmres_driver_pump(world.driver, world.now_ms);
}

static void keep_first(void *user, const struct vmres_conformance_result *result)
{
    char *first = user;

    if (result->outcome == VMRES_CONFORMANCE_FAILED && first[0] == '\0')
        (void)snprintf(first, 200, "%s: %s", result->test, result->text);
}

int main(void)
{
    const struct vmres_conformance_fixture fixture = {.size = sizeof fixture,
                                                      .name = "defect",
                                                      .open = open,
                                                      .connect = connect,
                                                      .disconnect = disconnect,
                                                      .close = close,
                                                      .now = now,
                                                      .run_until = run_until};
    int wrong = vmres_conformance_run(NULL, keep_first, "") != -1;

    for (world.defect = NONE; world.defect < DEFECTS; world.defect++) {
        char first[200] = "";
        int failures = vmres_conformance_run(&fixture, keep_first, first);

        printf("defect %d: %d failures; %s\n", (int)world.defect, failures, first);
        wrong += world.defect == NONE ? failures != 0 : failures <= 0;
    }
    return wrong != 0;
}
