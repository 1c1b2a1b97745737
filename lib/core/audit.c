/* SPDX-License-Identifier: MIT */
/*
 * Recomputes from the ground what the books say, and compares. For tests, harnesses and a cautious
 * embedder; never needed to run. Each check names what it found, so that a failure can be read.
 */
#include "error.h"
#include "internal.h"

struct totals {
    uint64_t charged, outgoing, incoming, waiting;
};

static enum vmres_status check_pool(const struct kind *kind, const struct totals *totals,
                                    struct vmres_error *error)
{
    if (!vmres__ledger_balanced(&kind->ledger))
        return vmres__error_set(error, VMRES_BUG, "%s: the ledger is out of balance", kind->name);
    if (kind->ledger.charged != totals->charged)
        return vmres__error_set(error, VMRES_BUG, "%s: the charges do not sum to the ledger's",
                                kind->name);
    if (kind->ledger.transit != 0)
        return vmres__error_set(error, VMRES_BUG, "%s: a piece was left in transit", kind->name);
    return VMRES_OK;
}

static enum vmres_status breach(const struct kind *kind, uint32_t vm, struct vmres_error *error,
                                const char *what)
{
    return vmres__error_set(error, VMRES_BUG, "%s, vm#%u: %s", kind->name, vm, what);
}

static uint32_t open_target(const struct vmres_engine *engine, uint32_t command)
{
    return command == NONE ? 0 : engine->commands[command].target;
}

/* Sums over the lists an account heads; every transfer in them must be its own. */
static bool sum_lists(const struct vmres_engine *engine, uint32_t vm, uint8_t k,
                      struct totals *sums)
{
    const struct account *account = account_of(engine, vm, k);
    uint32_t i, count = 0;

    for (i = account->outgoing; i != NONE; i = engine->transfers[i].out_next) {
        const struct transfer *t = &engine->transfers[i];
        if (t->donor != vm || t->kind != k || ++count > engine->transfer_count)
            return false;
        sums->outgoing += t->asked - t->released;
    }
    for (i = account->incoming; i != NONE; i = engine->transfers[i].in_next) {
        const struct transfer *t = &engine->transfers[i];
        if (t->recipient != vm || t->kind != k || ++count > 2 * engine->transfer_count)
            return false;
        sums->incoming += t->asked - t->released;
        sums->waiting += t->placed - t->incorporated - t->failed;
    }
    return true;
}

static enum vmres_status check_account(const struct vmres_engine *engine, uint32_t vm, uint8_t k,
                                       struct vmres_error *error)
{
    const struct kind *kind = &engine->kinds[k];
    const struct account *account = &kind->accounts[vm];
    const struct vmres_view *view = &kind->views[vm];
    struct totals sums = {0, 0, 0, 0};

    if (engine->vms[vm].state > VMRES_VM_FROZEN)
        return breach(kind, vm, error, "it is in no state there is");
    if (!sum_lists(engine, vm, k, &sums))
        return breach(kind, vm, error, "a list of transfers is not its own");
    if (sums.outgoing != view->outgoing || sums.incoming != view->incoming)
        return breach(kind, vm, error, "outgoing or incoming is not the sum of its transfers");
    if (sums.waiting != account->unincorporated)
        return breach(kind, vm, error, "what is to be incorporated is not what was placed");
    if (!kind->blocks && sums.outgoing > 0 && sums.incoming > 0)
        return breach(kind, vm, error, "donor and recipient at once");
    if (account->untold > account->unincorporated || view->disputed > view->charge ||
        (!kind->blocks &&
         view->outgoing > view->charge - view->disputed + vmres__removal_contested(engine, vm, k)))
        return breach(kind, vm, error, "more is on its way than there is");
    if (open_target(engine, account->reassign) > view->charge ||
        open_target(engine, account->notify) > view->charge)
        return breach(kind, vm, error, "it was promised more than it is charged with");
    if (engine->vms[vm].state != VMRES_VM_LIVE &&
        (account->outgoing != NONE || account->incoming != NONE))
        return breach(kind, vm, error, "it is not live and in a transfer");
    return VMRES_OK;
}

/* What the amounts of an open transfer say that its state must be. */
static enum vmres_transfer_state state_of(const struct transfer *t)
{
    if (t->state == VMRES_TRANSFER_PLANNED)
        return VMRES_TRANSFER_PLANNED;
    if (t->asked == t->released)
        return VMRES_TRANSFER_PLACING;
    return t->released > 0 ? VMRES_TRANSFER_MOVING : VMRES_TRANSFER_REQUESTED;
}

static enum vmres_status check_transfers(const struct vmres_engine *engine, uint8_t k,
                                         struct vmres_error *error)
{
    const char *name = engine->kinds[k].name;

    for (uint32_t i = engine->transfer_open; i != NONE; i = engine->transfers[i].next) {
        const struct transfer *t = &engine->transfers[i];

        if (t->kind != k)
            continue;
        if (t->state == VMRES_TRANSFER_NONE || t->state > VMRES_TRANSFER_PLACING)
            return vmres__error_set(error, VMRES_BUG,
                                    "%s: an open transfer is in a state of the closed", name);
        if (t->asked < t->released || t->released < t->placed ||
            t->placed < t->incorporated + t->failed)
            return vmres__error_set(
                error, VMRES_BUG, "%s: a transfer placed more than it released, or the like", name);
        if (t->state != state_of(t))
            return vmres__error_set(error, VMRES_BUG,
                                    "%s: a transfer's state is not what its amounts say", name);
    }
    return VMRES_OK;
}

enum vmres_status vmres_engine_audit(const struct vmres_engine *engine, struct vmres_error *error)
{
    enum vmres_status status = VMRES_OK;

    if (engine == NULL)
        return vmres__error_set(error, VMRES_INVALID, "engine must be given");
    for (uint8_t k = 0; k < engine->kind_count && status == VMRES_OK; k++) {
        const struct kind *kind = &engine->kinds[k];
        struct totals totals = {0, 0, 0, 0};

        for (uint32_t vm = 0; vm < engine->top && status == VMRES_OK; vm++) {
            totals.charged += kind->views[vm].charge;
            if (engine->vms[vm].state != VMRES_VM_VACANT)
                status = check_account(engine, vm, k, error);
            else if (kind->views[vm].charge != 0)
                status = breach(kind, vm, error, "it is gone and still charged");
        }
        totals.charged += vmres__reserve_charged(engine, k);
        if (status == VMRES_OK)
            status = check_transfers(engine, k, error);
        if (status == VMRES_OK)
            status = check_pool(kind, &totals, error);
        if (status == VMRES_OK && kind->blocks) {
            const char *wrong = vmres__extent_audit(engine, kind);

            if (wrong)
                status = vmres__error_set(error, VMRES_BUG, "%s: %s", kind->name, wrong);
        }
    }
    return status;
}
