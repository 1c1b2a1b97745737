/* SPDX-License-Identifier: MIT */
/*
 * Steps 6 to 8: a piece enters the recipient's charge, then its configuration is changed, then it
 * is told, then it takes the piece into use. The charge rises before anything is sent; REASSIGNED
 * and INCORPORATED move nothing in the ledger. A grant that fails stays charged until an
 * observation shows that the VM cannot hold it: the account is pinned, and pin.c gives back what
 * is too much.
 *
 * Invariant: unincorporated is what has been placed and neither incorporated nor failed over all
 * transfers into the account; untold is that part of it for which no REASSIGN was sent.
 */
#include <assert.h>

#include "internal.h"
#include "share.h"

/* While a deficit is worked off nobody is granted, or told of, anything more. */
bool vmres__grant_waits(const struct kind *kind)
{
    return kind->ledger.deficit > 0 && !BROKEN(DEFICIT);
}

/* Or to be: what it has of its block is not known before. */
static bool being_pinned(const struct vmres_engine *engine, const struct transfer *transfer)
{
    const struct account *account = account_of(engine, transfer->recipient, transfer->kind);

    return (account->flags & ACCOUNT_PIN) ||
           (account->shrink != NONE && engine->commands[account->shrink].type == VMRES_ACTION_PIN);
}

/* Why a piece cannot be placed now, or NULL. */
static const char *obstacle(const struct vmres_engine *engine, const struct transfer *transfer)
{
    const struct kind *kind = &engine->kinds[transfer->kind];

    if (vmres__grant_waits(kind))
        return "a deficit is worked off first";
    if (kind->adopting > 0)
        return "nothing is granted until every adopted VM is pinned";
    if (engine->halted || !vm_takes_part(engine, transfer->recipient) ||
        (kind->blocks && being_pinned(engine, transfer)))
        return "the recipient cannot take it now";
    return NULL;
}

/* Up to its ceiling; on a contiguous host only beside a hole, and while it passes on a little
 * more. */
static uint32_t room_of(const struct kind *kind, const struct transfer *transfer)
{
    const struct vmres_view *view = &kind->views[transfer->recipient];
    uint32_t most = kind->blocks ? vmres__extent_most(kind, transfer->recipient) : ceiling_of(view);
    uint32_t room = most - min_u32(most, view->charge);

    if (!kind->blocks)
        return room;
    return min_u32(room, transfer->up ? vmres__extent_hole_below(kind, transfer->recipient)
                                      : vmres__extent_hole_above(kind, transfer->recipient));
}

static void trace_placed(const struct vmres_engine *engine, const struct transfer *transfer,
                         uint32_t placed, const char *why_not)
{
    const struct kind *kind = &engine->kinds[transfer->kind];
    uint32_t vm = transfer->recipient;
    struct vmres_trace_record record = {.type = VMRES_TRACE_REASSIGN,
                                        .level = VMRES_TRACE_INFO,
                                        .step = 6,
                                        .kind = transfer->kind,
                                        .vm = vm,
                                        .other = transfer->donor,
                                        .transfer = transfer->id,
                                        .amount = placed,
                                        .target = kind->views[vm].charge,
                                        .reason = why_not};

    if (kind->blocks) {
        record.block = kind->blocks[vm].front;
        record.front =
            transfer->up ? record.block : vmres__extent_final(kind, vm) - (uint64_t)placed;
        record.size = placed;
    }
    vmres__trace(engine, record);
}

void vmres__grant_place(struct vmres_engine *engine, struct transfer *transfer, uint32_t amount)
{
    struct kind *kind = &engine->kinds[transfer->kind];
    struct account *account = &kind->accounts[transfer->recipient];
    struct vmres_view *view = &kind->views[transfer->recipient];
    const char *why_not = obstacle(engine, transfer);
    uint32_t placed = why_not ? 0 : min_u32(amount, room_of(kind, transfer));

    if (placed < amount)
        vmres__ledger_park(&kind->ledger, amount - placed);
    if (placed > 0) {
        if (kind->blocks)
            vmres__extent_entered(kind, transfer->recipient, transfer->up, placed);
        vmres__ledger_place(&kind->ledger, &view->charge, placed);
        transfer->placed += placed;
        account->untold += placed;
        account->unincorporated += placed;
    }
    vmres__settle_mark(engine, transfer->recipient,
                       transfer->kind); /* it was to pass the rest on */
    trace_placed(engine, transfer, placed, why_not);
}

/* A deficit may come up between the charge and its telling: then what was not told goes back. */
void vmres__grant_take_back(struct vmres_engine *engine, uint32_t vm, uint8_t kind)
{
    struct account *account = account_of(engine, vm, kind);
    uint64_t left = account->untold, total = account->unincorporated;
    uint32_t index = account->incoming;

    if (engine->kinds[kind].blocks || !vmres__grant_waits(&engine->kinds[kind]))
        return;
    vmres__observe_untold(engine, vm, kind, account->untold);
    account->unincorporated -= account->untold;
    account->untold = 0;
    while (index != NONE && left > 0) {
        struct transfer *t = &engine->transfers[index];
        uint32_t next = t->in_next;

        t->placed -= portion(&left, &total, t->placed - t->incorporated - t->failed);
        vmres__transfer_review(engine, index);
        index = next;
    }
}

/* The VM does not take what it was granted: nobody waits for that any longer. */
void vmres__grant_fail(struct vmres_engine *engine, uint32_t vm, uint8_t kind)
{
    struct account *account = account_of(engine, vm, kind);

    if (BROKEN(CHARGE_BACK))
        vmres__ledger_shed(&engine->kinds[kind].ledger, &view_of(engine, vm, kind)->charge,
                           account->unincorporated);
    account->untold = 0;
    account->unincorporated = 0;
    account->flags &= (uint16_t)~ACCOUNT_NOTIFY;
    account->flags |= ACCOUNT_PIN;
    vmres__transfer_break_in(engine, vm, kind);
}

static void back_off(struct vmres_engine *engine, struct account *account)
{
    account->backoff_ms = engine->now + engine->progress_ms;
    account->flags |= ACCOUNT_REFUSES;
}

/* The first allotment needs no word to the VM: it starts with it. */
static void allotted(struct vmres_engine *engine, const struct command *command)
{
    struct vmres_view *view = view_of(engine, command->vm, command->kind);

    view->held = max_u32(view->held, command->target);
    account_of(engine, command->vm, command->kind)->flags |= ACCOUNT_HELD;
}

void vmres__grant_reassigned(struct vmres_engine *engine, struct command *command,
                             const struct vmres_event *event)
{
    struct account *account = account_of(engine, command->vm, command->kind);

    if (!(event->flags & VMRES_FLAG_FINAL))
        return;
    if (event->result == VMRES_RESULT_DONE) {
        account->target = command->target;
        if (command->amount == 0)
            allotted(engine, command);
        else if (account->unincorporated > 0) /* else nobody waits for it any more */
            account->flags |= ACCOUNT_NOTIFY;
        return;
    }
    back_off(engine, account);
    if (command->amount > 0)
        vmres__grant_fail(engine, command->vm, command->kind);
}

/* What of a VM's grants its configuration already allows: what a NOTIFY tells it. */
uint32_t vmres__grant_told(const struct vmres_engine *engine, uint32_t vm, uint8_t kind)
{
    const struct account *account = account_of(engine, vm, kind);
    uint32_t being_reassigned =
        account->reassign == NONE ? 0 : engine->commands[account->reassign].amount;
    uint32_t sent = account->unincorporated - account->untold;

    return sent - min_u32(sent, being_reassigned);
}

/* Credits what was taken in to the transfers it came from, in proportion to what each waits for. */
static void credit(struct vmres_engine *engine, uint32_t vm, uint8_t kind, uint32_t amount)
{
    struct account *account = account_of(engine, vm, kind);
    uint32_t index = account->incoming;
    uint64_t total = account->unincorporated;
    uint64_t left = amount;

    if (engine->kinds[kind].blocks)
        vmres__extent_taken_in(&engine->kinds[kind], vm, amount);
    account->unincorporated -= amount;
    engine->counters.incorporated += amount;
    while (index != NONE && left > 0) {
        struct transfer *t = &engine->transfers[index];
        uint32_t next = t->in_next;

        t->incorporated += portion(&left, &total, t->placed - t->incorporated - t->failed);
        vmres__transfer_review(engine, index);
        index = next;
    }
    assert(left == 0);
}

void vmres__grant_incorporated(struct vmres_engine *engine, struct command *command,
                               const struct vmres_event *event)
{
    struct kind *kind = &engine->kinds[command->kind];
    struct account *account = &kind->accounts[command->vm];
    bool final = (event->flags & VMRES_FLAG_FINAL) != 0;
    uint32_t piece;

    command->claimed = granules_down(kind, event->as.answer.amount);
    if (final && event->result == VMRES_RESULT_DONE)
        command->claimed = max_u32(command->claimed, command->amount);
    piece = command->claimed - min_u32(command->claimed, command->credited);
    piece = min_u32(piece, vmres__grant_told(engine, command->vm, command->kind));
    command->credited += piece;
    if (piece > 0) {
        if (!(event->valid & VMRES_VALID_HELD))
            vmres__observe_held(engine, command->vm, command->kind,
                                kind->views[command->vm].held + piece);
        vmres__trace(engine, (struct vmres_trace_record){.type = VMRES_TRACE_INCORPORATED,
                                                         .level = VMRES_TRACE_INFO,
                                                         .step = 8,
                                                         .kind = command->kind,
                                                         .vm = command->vm,
                                                         .other = VMRES_VM_NONE,
                                                         .amount = piece,
                                                         .target = kind->views[command->vm].held});
        credit(engine, command->vm, command->kind, piece);
    }
    if (!final || command->state == COMMAND_SUPERSEDED || event->result == VMRES_RESULT_DONE)
        return;
    back_off(engine, account);
    vmres__grant_fail(engine, command->vm, command->kind);
}

void vmres__grant_given_up(struct vmres_engine *engine, struct command *command)
{
    struct account *account = account_of(engine, command->vm, command->kind);

    if (command->amount == 0)
        return; /* a first allotment: its VM does not run yet */
    vmres__trace(engine, (struct vmres_trace_record){
                             .type = VMRES_TRACE_CANCEL,
                             .level = VMRES_TRACE_WARN,
                             .kind = command->kind,
                             .vm = command->vm,
                             .other = VMRES_VM_NONE,
                             .amount = account->unincorporated,
                             .target = view_of(engine, command->vm, command->kind)->held,
                             .reason = "it does not take what it was given"});
    back_off(engine, account);
    vmres__grant_fail(engine, command->vm, command->kind);
}
