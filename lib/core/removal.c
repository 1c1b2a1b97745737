/* SPDX-License-Identifier: MIT */
/*
 * Step 5: what a donor says it removed. Nothing leaves a charge because a guest says so: a piece
 * counts once a host-side witness agrees (what the VM's process holds fits the charge afterwards)
 * or a cap makes retaking impossible. The rest is disputed: charged, not grantable, traced.
 *
 * Invariant: an account's disputed part is what its removals, open or ended, claimed and were not
 * credited with; a verified piece is passed on in the same step, so that nothing stays in transit.
 */
#include <assert.h>

#include "internal.h"
#include "share.h"

/* What a removal claims and is not booked: its transfers still wait for it. */
static uint32_t contested(const struct command *command)
{
    return command->claimed + command->inherited - command->credited;
}

/* The same of the removal that is open, if one is, and of the one it took over from: the rest of
 * the account's disputed part is older than that, and nobody waits for it. */
uint32_t vmres__removal_contested(const struct vmres_engine *engine, uint32_t vm, uint8_t kind)
{
    const struct account *account = account_of(engine, vm, kind);
    const struct command *open =
        account->shrink == NONE ? NULL : &engine->commands[account->shrink];
    uint32_t sum;

    if (open == NULL || open->type != VMRES_ACTION_REQUEST_REMOVAL || open->state != COMMAND_OPEN ||
        open->wanted_cancel)
        return 0;
    sum = contested(open) + (open->older == NONE ? 0 : contested(&engine->commands[open->older]));
    return BROKEN(DISPUTE) ? 0 : min_u32(sum, view_of(engine, vm, kind)->disputed);
}

/* What of its charge a VM is told to hold: all but what is in dispute since an earlier removal. */
uint32_t vmres__removal_undisputed(const struct vmres_engine *engine, uint32_t vm, uint8_t kind)
{
    const struct vmres_view *view = view_of(engine, vm, kind);

    return view->charge - (view->disputed - vmres__removal_contested(engine, vm, kind));
}

/* How much may still be claimed: what was told to go and is not said to be gone. Of commands that
 * overlap, the highest target counts: the device may have followed it since this was written. */
static uint32_t claimable(const struct vmres_engine *engine, const struct command *command)
{
    const struct account *account = account_of(engine, command->vm, command->kind);
    const struct vmres_view *view = view_of(engine, command->vm, command->kind);
    uint32_t target = max_u32(command->target, engine->commands[account->shrink].target);
    const struct block *block = engine->kinds[command->kind].blocks
                                    ? &engine->kinds[command->kind].blocks[command->vm]
                                    : NULL;
    uint64_t stays = (uint64_t)target + view->disputed;

    if (block) /* what it was not told of it cannot have left, nor when nobody waits for that */
        stays += block->untold.front + block->untold.final;
    return stays >= view->charge ? 0 : view->charge - (uint32_t)stays;
}

/* How much of the charge neither the witness nor the device's own word needs: the most that can be
 * believed released; nothing once somebody else has told the device to take it back. A process may
 * shrink for reasons of its own while its guest gives nothing. */
static uint32_t believable(const struct kind *kind, const struct vmres_event *event,
                           const struct command *command)
{
    uint32_t charge = kind->views[command->vm].charge;
    uint64_t room = (uint64_t)charge + kind->tolerance;
    uint32_t witness, held;

    if (command->contradicted)
        return 0;
    /* A block's bounds are the host's: what is outside of them cannot be held. */
    if (kind->blocks || kind->resource.removal == VMRES_REMOVAL_HOST ||
        (event->valid & VMRES_VALID_ENFORCED) || BROKEN(VERIFY))
        return charge;
    if (!(event->valid & VMRES_VALID_WITNESS))
        return 0;
    witness = granules_up(kind, event->as.answer.witness);
    held = event->valid & VMRES_VALID_HELD ? granules_up(kind, event->as.answer.held) : 0;
    if (witness >= room || held >= charge)
        return 0;
    return min_u32((uint32_t)(room - witness), charge - held);
}

/* One verified piece for one transfer: to its recipient, or to the pool. */
static void deliver(struct vmres_engine *engine, struct transfer *transfer, uint32_t piece)
{
    if (transfer->recipient != VMRES_VM_NONE) {
        vmres__grant_place(engine, transfer, piece);
        return;
    }
    vmres__ledger_park(&engine->kinds[transfer->kind].ledger, piece);
    vmres__reserve_feed(engine, transfer->kind);
    transfer->placed += piece;
    transfer->incorporated += piece;
}

/* Shares a verified amount among the donor's transfers, in proportion to what each still waits for,
 * so that no recipient depends on the slowest of several donors. What nobody waits for is free. */
static void pass_on(struct vmres_engine *engine, const struct command *command, uint32_t amount)
{
    uint8_t kind = command->kind;
    struct vmres_view *view = view_of(engine, command->vm, kind);
    uint32_t index = account_of(engine, command->vm, kind)->outgoing;
    uint64_t total = vmres__transfer_wanted(engine, command->vm, kind, command->up);
    uint64_t waited = amount < total ? amount : total;
    uint32_t surplus = amount - (uint32_t)waited;

    while (index != NONE && waited > 0) {
        struct transfer *t = &engine->transfers[index];
        uint32_t next = t->out_next;
        uint32_t piece =
            t->up == command->up ? portion(&waited, &total, t->asked - t->released) : 0;

        t->released += piece;
        view->outgoing -= piece;
        if (t->recipient != VMRES_VM_NONE)
            view_of(engine, t->recipient, kind)->incoming -= piece;
        if (piece > 0) {
            deliver(engine, t, piece);
            vmres__transfer_review(engine, index);
        }
        index = next;
    }
    assert(waited == 0);
    if (surplus > 0)
        vmres__ledger_park(&engine->kinds[kind].ledger, surplus);
}

static void trace_piece(struct vmres_engine *engine, const struct command *command, uint8_t type,
                        uint32_t amount)
{
    const struct kind *kind = &engine->kinds[command->kind];
    bool disputed = type == VMRES_TRACE_DISPUTED;
    struct vmres_trace_record record = {
        .type = type,
        .level = disputed ? VMRES_TRACE_WARN : VMRES_TRACE_INFO,
        .step = 5,
        .kind = command->kind,
        .vm = command->vm,
        .other = VMRES_VM_NONE,
        .amount = amount,
        .target = kind->views[command->vm].charge,
        .reason = disputed ? "said to be released, but the host still sees it" : NULL};

    if (kind->blocks) { /* it has left the charge, and not yet the block */
        record.block = record.front = vmres__extent_told_front(kind, command->vm);
        record.front += command->up ? record.target - kind->accounts[command->vm].untold : 0;
        record.size = amount;
    }
    vmres__trace(engine, record);
}

/* Books what can be believed of the claim; the rest of it is disputed. */
static void credit(struct vmres_engine *engine, struct command *command,
                   const struct vmres_event *event, uint32_t claimed)
{
    struct kind *kind = &engine->kinds[command->kind];
    struct vmres_view *view = &kind->views[command->vm];
    uint32_t was_disputed = contested(command);
    uint32_t piece, disputed;

    command->claimed += min_u32(claimed - command->claimed, claimable(engine, command));
    piece = min_u32(contested(command), believable(kind, event, command));
    command->credited += piece;
    disputed = contested(command);
    /* An observation may have settled a part of the dispute meanwhile. */
    view->disputed -= min_u32(view->disputed, was_disputed);
    view->disputed += disputed;
    if (piece > 0) {
        engine->counters.released += piece;
        vmres__ledger_release(&kind->ledger, &view->charge, piece);
        if (!(event->valid & VMRES_VALID_HELD))
            vmres__observe_held(engine, command->vm, command->kind, view->charge);
        trace_piece(engine, command, VMRES_TRACE_REMOVED, piece);
        if (kind->blocks) {
            vmres__extent_left(kind, command->vm, !command->up, piece);
            /* It may have gone on after it was called off, and can give less on the other side. */
            vmres__settle_mark(engine, command->vm, command->kind);
            vmres__settle_mark_donors(engine, command->vm, command->kind);
        }
        pass_on(engine, command, piece);
    }
    if (disputed > was_disputed) {
        engine->counters.disputes++;
        trace_piece(engine, command, VMRES_TRACE_DISPUTED, disputed);
        /* Of a removal that was called off: what was planned since had counted on it. */
        if (vmres__removal_contested(engine, command->vm, command->kind) == 0)
            vmres__transfer_break_out(engine, command->vm, command->kind);
    }
}

/* A command that was taken over leaves its dispute to the one that did. */
static void bequeath(struct vmres_engine *engine, const struct command *older)
{
    struct command *newer = vmres__command_heir(engine, older);

    if (newer)
        newer->inherited += contested(older);
}

/* One that ends before the command it took over from: since then the device has followed it, and
 * what that one has still to say takes nothing below its target; nor is it any news when this one
 * is done, for then it has counted all. */
static void outlive(struct vmres_engine *engine, const struct command *command, uint16_t result)
{
    struct command *older = command->older == NONE ? NULL : &engine->commands[command->older];

    if (older)
        older->target = result == VMRES_RESULT_DONE ? VMRES_GRANULES_MAX
                                                    : max_u32(older->target, command->target);
}

/* The guest did not do as asked: leave it alone for a while, longer each time, but always retry. */
static void back_off(struct vmres_engine *engine, struct account *account)
{
    uint32_t doublings = min_u32(account->failures, 6);

    account->backoff_ms = engine->now + ((uint64_t)engine->progress_ms << doublings);
    account->flags &= (uint16_t)~ACCOUNT_REFUSES;
    if (account->failures < UINT8_MAX)
        account->failures++;
}

void vmres__removal_answered(struct vmres_engine *engine, struct command *command,
                             const struct vmres_event *event)
{
    struct kind *kind = &engine->kinds[command->kind];
    struct account *account = &kind->accounts[command->vm];
    bool final = (event->flags & VMRES_FLAG_FINAL) != 0;
    uint32_t claimed = granules_down(kind, event->as.answer.amount);
    bool done = event->result == VMRES_RESULT_DONE && !command->contradicted;

    /* Done means that the target is reached, though a VM that held less had less to remove; but one
     * that was taken over may have been left behind since. */
    if (final && done && command->state != COMMAND_SUPERSEDED)
        claimed = max_u32(claimed, command->amount);
    credit(engine, command, event, claimed);
    if (final && command->state == COMMAND_SUPERSEDED)
        bequeath(engine, command);
    if (!final || command->state == COMMAND_SUPERSEDED)
        return;
    outlive(engine, command, event->result);
    if (done)
        account->target = command->target;
    else if (event->result == VMRES_RESULT_REFUSED) /* its device aims where it did before */
        account->target =
            max_u32(account->target, vmres__removal_undisputed(engine, command->vm, command->kind));
    if (done && vmres__removal_contested(engine, command->vm, command->kind) == 0) {
        account->failures = 0;
        account->backoff_ms = 0;
        return;
    }
    if (!done)
        account->flags |= ACCOUNT_PIN;
    if (!done && kind->blocks && account->unincorporated > 0)
        vmres__grant_fail(engine, command->vm, command->kind); /* it is seen as it is, then */
    /* Where it was called off, whoever did so has seen to its transfers. */
    if (command->state != COMMAND_OPEN && event->result == VMRES_RESULT_CANCELLED)
        return;
    back_off(engine, account);
    vmres__transfer_break_out(engine, command->vm, command->kind);
}

void vmres__removal_given_up(struct vmres_engine *engine, struct command *command)
{
    struct account *account = account_of(engine, command->vm, command->kind);

    back_off(engine, account);
    vmres__trace(engine, (struct vmres_trace_record){
                             .type = VMRES_TRACE_CANCEL,
                             .level = VMRES_TRACE_WARN,
                             .kind = command->kind,
                             .vm = command->vm,
                             .other = VMRES_VM_NONE,
                             .amount = command->amount - min_u32(command->amount, command->claimed),
                             .target = view_of(engine, command->vm, command->kind)->charge,
                             .reason = "uncooperative: no progress; left alone for a while"});
    vmres__transfer_break_out(engine, command->vm, command->kind);
}
