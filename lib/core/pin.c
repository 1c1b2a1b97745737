/* SPDX-License-Identifier: MIT */
/*
 * Pins: a device told to stay where it is, so that no older wish of ours, or of whoever was here
 * before us, is pursued. What a VM can hold afterwards is known, and its charge follows it.
 *
 * A VM that ran before us, or was reborn, is pinned until it was seen holding the same twice; until
 * then it stays charged with the most it could hold. A balloon's target cannot be read back: hence
 * the pin.
 *
 * A block is pinned at all that is its VM's own, for where one that holds less lies in it nobody
 * knows; once nothing of the VM lies outside, what it was granted and did not take in goes back.
 */
#include "internal.h"

#define RESTLESS 16 /* so often pinned, and never where it was: it does not hold still */

/* It cannot be pinned, so it cannot be moved either: it keeps the charge it has, and others
 * need not wait for it. */
static void leave_alone(struct vmres_engine *engine, const struct command *command)
{
    struct kind *kind = &engine->kinds[command->kind];
    struct account *account = &kind->accounts[command->vm];

    account->pins = 0;
    account->backoff_ms = engine->now + 8ull * engine->progress_ms;
    kind->adopting--;
    vmres__trace(engine, (struct vmres_trace_record){.type = VMRES_TRACE_CANCEL,
                                                     .level = VMRES_TRACE_WARN,
                                                     .kind = command->kind,
                                                     .vm = command->vm,
                                                     .other = VMRES_VM_NONE,
                                                     .target = kind->views[command->vm].charge,
                                                     .reason = "it cannot be pinned"});
    vmres__vm_confirmed(engine, command->vm);
}

/* It holds what it was pinned at, of a block no more than that, and nobody was seen to have told it
 * otherwise meanwhile. */
static bool is_stable(const struct kind *kind, const struct command *command)
{
    uint32_t held = kind->views[command->vm].held;

    return !command->contradicted &&
           (held == command->target || (kind->blocks && held < command->target));
}

static void confirm(struct vmres_engine *engine, struct command *command)
{
    struct kind *kind = &engine->kinds[command->kind];
    struct account *account = &kind->accounts[command->vm];

    /* Else pin it at what it holds now. */
    if (is_stable(kind, command)) {
        account->pins--;
    } else if (++account->failures >= RESTLESS) {
        leave_alone(engine, command);
        return;
    }
    if (account->pins > 0) {
        account->flags |= ACCOUNT_PIN;
        return;
    }
    account->failures = 0;
    kind->adopting--;
    vmres__observe_pinned(engine, command->vm, command->kind, command->target);
    vmres__vm_confirmed(engine, command->vm);
}

/* One that was told otherwise meanwhile is pinned again; and so is a block that holds more than it
 * was pinned to: it has moved on since it was seen. */
static bool on_its_way(const struct kind *kind, const struct command *command)
{
    struct account *account = &kind->accounts[command->vm];

    if (is_stable(kind, command) || (!kind->blocks && !command->contradicted))
        return false;
    if (++account->failures < RESTLESS)
        account->flags |= ACCOUNT_PIN;
    return true;
}

void vmres__pin_answered(struct vmres_engine *engine, struct command *command,
                         const struct vmres_event *event)
{
    struct kind *kind = &engine->kinds[command->kind];
    struct account *account = &kind->accounts[command->vm];

    if (!(event->flags & VMRES_FLAG_FINAL))
        return;
    if (event->result == VMRES_RESULT_DONE && !command->contradicted)
        account->target = command->target;
    vmres__trace(engine, (struct vmres_trace_record){.type = VMRES_TRACE_PIN,
                                                     .level = VMRES_TRACE_DEBUG,
                                                     .kind = command->kind,
                                                     .vm = command->vm,
                                                     .other = VMRES_VM_NONE,
                                                     .amount = kind->views[command->vm].held,
                                                     .target = command->target});
    /* The pin is over as far as the books are concerned, so that they may follow. */
    account->shrink = NONE;
    if (account->pins > 0 && event->result == VMRES_RESULT_DONE) {
        confirm(engine, command);
    } else if (account->pins > 0) {
        leave_alone(engine, command);
    } else if (event->result == VMRES_RESULT_DONE && !on_its_way(kind, command)) {
        vmres__observe_pinned(engine, command->vm, command->kind, command->target);
    }
}
