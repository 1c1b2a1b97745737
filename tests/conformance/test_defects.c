/* SPDX-License-Identifier: MIT */
/*
 * The suite itself: a backend that is perfect but for one defect at a time, in the world of
 * instant.c. Without a defect it passes; with any of them some test fails. A suite that cannot
 * fail proves nothing.
 */
#include <stdio.h>
#include <string.h>

#include <vmres/conformance.h>
#include <vmres/units.h>

#include "instant.h"

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

static struct vmres_backend backend;
static enum defect defect;

static void post(const struct vmres_event *event)
{
    enum vmres_status status = vmres_driver_post(backend.driver, event);

    (void)status;
}

/* What the backend has to say to an action, before the defect. */
static struct vmres_event compose(const struct vmres_action *action)
{
    struct vmres_event event = vmres_event_answer(action, 0, VMRES_RESULT_DONE);

    event.valid = VMRES_VALID_HELD | VMRES_VALID_WITNESS;
    event.as.answer.amount = action->as.resize.amount;
    event.as.answer.held = event.as.answer.witness = action->as.resize.target;
    if (event.type == VMRES_EVENT_REASSIGNED && !(action->flags & VMRES_ACTION_INITIAL))
        event.valid = 0;
    return event;
}

static void spoil_removal(struct vmres_event *event)
{
    switch (defect) {
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

static void answer(const struct vmres_action *action)
{
    struct vmres_event event = compose(action);
    struct vmres_event live =
        vmres_event_make(VMRES_EVENT_VM_LIVE, 0, action->vm, action->incarnation);

    if (action->type == VMRES_ACTION_REQUEST_REMOVAL)
        spoil_removal(&event);
    if (action->type == VMRES_ACTION_NOTIFY && defect == FORGETS)
        event.as.answer.held -= action->as.resize.amount;
    post(&event);
    if (defect == TWO_FINALS && action->type == VMRES_ACTION_REQUEST_REMOVAL)
        post(&event);
    if (action->flags & VMRES_ACTION_INITIAL)
        post(&live);
}

static enum vmres_status submit(struct vmres_backend *self, const struct vmres_action *action)
{
    (void)self;
    if (action->type > VMRES_ACTION_CANCEL && defect != TAKES_ANY)
        return VMRES_UNSUPPORTED;
    if (vmres_event_answer(action, 0, VMRES_RESULT_DONE).type &&
        !(action->type == VMRES_ACTION_PIN && defect == NO_PIN))
        answer(action);
    return VMRES_OK;
}

static enum vmres_status start(struct vmres_backend *self, struct vmres_driver *driver,
                               struct vmres_error *error)
{
    (void)self, (void)driver, (void)error;
    return VMRES_OK;
}

static void stop(struct vmres_backend *self)
{
    (void)self;
}

static int open(void *user, uint32_t vms)
{
    static const struct vmres_backend_ops ops = {.size = sizeof ops,
                                                 .name = "defect",
                                                 .start = start,
                                                 .submit = submit,
                                                 .stop = stop,
                                                 .destroy = stop};

    instant_open(user, &backend, vms);
    return vmres_backend_init(&backend, &ops, NULL) == VMRES_OK;
}

static void keep_first(void *user, const struct vmres_conformance_result *result)
{
    char *first = user;

    if (result->outcome == VMRES_CONFORMANCE_FAILED && first[0] == '\0')
        (void)snprintf(first, 200, "%s: %s", result->test, result->text);
}

int main(void)
{
    struct instant world;
    const struct vmres_conformance_fixture fixture = {.size = sizeof fixture,
                                                      .name = "defect",
                                                      .user = &world,
                                                      .open = open,
                                                      .connect = instant_connect,
                                                      .tick = instant_tick};
    int wrong = vmres_conformance_run(NULL, keep_first, "") != -1;

    for (defect = NONE; defect < DEFECTS; defect++) {
        char first[200] = "";
        int failures = vmres_conformance_run(&fixture, keep_first, first);

        printf("defect %d: %d failures; %s\n", (int)defect, failures, first);
        wrong += defect == NONE ? failures != 0 : failures <= 0;
    }
    return wrong != 0;
}
