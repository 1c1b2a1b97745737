/* SPDX-License-Identifier: MIT */
/*
 * What was said: the driver's own event log (lib/driver/log.h), taken in as it is written. From it
 * follows what holds for every answer of every backend, whatever the test. Invariant: entries stand
 * in the order in which the engine heard and asked. Knows no fixture and moves nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "driver/log.h"
#include "driver/wire.h"
#include "suite.h"

static struct journal_entry *append(struct journal *journal)
{
    if (journal->count == journal->room) {
        size_t room = journal->room ? 2 * journal->room : 256;
        struct journal_entry *grown = realloc(journal->entries, room * sizeof *grown);

        if (!grown) {
            journal->torn = true;
            return NULL;
        }
        journal->entries = grown;
        journal->room = room;
    }
    return memset(&journal->entries[journal->count++], 0, sizeof *journal->entries);
}

/* The log is written record by record; only events and actions are of interest. */
enum vmres_status vmres__journal_write(void *journal, const void *data, size_t size)
{
    const unsigned char *body = (const unsigned char *)data + VMRES__LOG_HEAD;
    struct journal_entry *entry;
    uint32_t type;

    if (size != VMRES__LOG_HEAD + VMRES__WIRE_EVENT)
        return VMRES_OK;
    vmres__wire_get32((const unsigned char *)data + 4, &type);
    if (type != VMRES__LOG_EVENT && type != VMRES__LOG_ACTION)
        return VMRES_OK;
    entry = append(journal);
    if (!entry)
        return VMRES_NOMEM;
    entry->is_action = type == VMRES__LOG_ACTION;
    if (entry->is_action)
        vmres__wire_get_action(body, &entry->action);
    else
        vmres__wire_get_event(body, &entry->event);
    return VMRES_OK;
}

void vmres__journal_add_action(struct journal *journal, const struct vmres_action *action)
{
    struct journal_entry *entry = append(journal);

    if (!entry)
        return;
    entry->is_action = true;
    entry->action = *action;
}

void vmres__journal_finish(struct journal *journal)
{
    free(journal->entries);
    *journal = (struct journal){0};
}

size_t vmres__journal_find_action(const struct journal *journal, size_t from,
                                  enum vmres_action_type type, uint32_t vm)
{
    for (; from < journal->count; from++) {
        const struct journal_entry *entry = &journal->entries[from];

        if (entry->is_action && entry->action.type == type &&
            (vm == VMRES_VM_NONE || entry->action.vm == vm))
            break;
    }
    return from < journal->count ? from : journal->count;
}

size_t vmres__journal_find_event(const struct journal *journal, size_t from,
                                 enum vmres_event_type type, uint32_t vm)
{
    for (; from < journal->count; from++) {
        const struct journal_entry *entry = &journal->entries[from];

        if (!entry->is_action && entry->event.type == type &&
            (vm == VMRES_VM_NONE || entry->event.vm == vm))
            break;
    }
    return from < journal->count ? from : journal->count;
}

/* --- answers --- */

/* The type of event that answers this action; 0: none does. */
static uint8_t answer_to(const struct vmres_action *action)
{
    return vmres_event_answer(action, 0, VMRES_RESULT_DONE).type;
}

static bool is_answer(const struct journal_entry *entry)
{
    return !entry->is_action && entry->event.id != 0 &&
           (entry->event.type == VMRES_EVENT_REMOVED ||
            entry->event.type == VMRES_EVENT_REASSIGNED ||
            entry->event.type == VMRES_EVENT_INCORPORATED ||
            entry->event.type == VMRES_EVENT_PINNED);
}

static bool answers(const struct journal_entry *entry, const struct vmres_action *action)
{
    return is_answer(entry) && entry->event.id == action->id;
}

/* After this no answer to the action is owed: its VM, that life of it, or the backend is gone. */
static bool voids(const struct journal_entry *entry, const struct vmres_action *action)
{
    const struct vmres_event *event = &entry->event;

    if (entry->is_action)
        return false;
    if (event->type == VMRES_EVENT_BACKEND_LOST)
        return true;
    if (event->vm != action->vm)
        return false;
    return event->type == VMRES_EVENT_VM_GONE || event->incarnation > action->incarnation;
}

const struct vmres_event *vmres__journal_final(const struct journal *journal, size_t action)
{
    for (size_t i = action + 1; i < journal->count; i++) {
        const struct journal_entry *entry = &journal->entries[i];

        if (answers(entry, &journal->entries[action].action) &&
            (entry->event.flags & VMRES_FLAG_FINAL))
            return &entry->event;
    }
    return NULL;
}

static bool is_owed(const struct journal *journal, size_t action)
{
    const struct vmres_action *asked = &journal->entries[action].action;

    for (size_t i = action + 1; i < journal->count; i++) {
        const struct journal_entry *entry = &journal->entries[i];

        if (voids(entry, asked) ||
            (answers(entry, asked) && (entry->event.flags & VMRES_FLAG_FINAL)))
            return false;
    }
    return true;
}

bool vmres__journal_is_open(const struct journal *journal)
{
    for (size_t i = 0; i < journal->count; i++) {
        const struct journal_entry *entry = &journal->entries[i];

        if (entry->is_action && answer_to(&entry->action) && is_owed(journal, i))
            return true;
    }
    return false;
}

/* --- what holds for every answer --- */

struct thread { /* of answers to one action */
    const struct vmres_action *action;
    uint64_t amount;
    bool ended;
};

static const char *check_final(const struct vmres_action *action, const struct vmres_event *answer)
{
    bool knows = (answer->valid & VMRES_VALID_HELD) != 0;

    if (answer->result > VMRES_RESULT_GONE)
        return "a final answer has a result that there is not";
    if (answer->result != VMRES_RESULT_DONE || !knows)
        return NULL;
    if (action->type == VMRES_ACTION_REQUEST_REMOVAL &&
        answer->as.answer.held > action->as.resize.target)
        return "a removal is called done while the VM holds more than the target";
    if (action->type == VMRES_ACTION_NOTIFY && answer->as.answer.held < action->as.resize.target)
        return "an addition is called done while the VM holds less than the target";
    return NULL;
}

static const char *check_amount(const struct thread *thread, const struct vmres_event *answer,
                                uint32_t guests)
{
    uint16_t proof = VMRES_VALID_WITNESS | VMRES_VALID_ENFORCED;

    if (answer->type == VMRES_EVENT_PINNED || answer->type == VMRES_EVENT_REASSIGNED)
        return NULL; /* nothing moves */
    if (answer->as.answer.amount < thread->amount)
        return "an amount shrank: amounts are cumulative";
    if (answer->as.answer.amount > thread->action->as.resize.amount)
        return "an amount exceeds what was asked";
    if (answer->type == VMRES_EVENT_REMOVED && guests >> answer->kind & 1 &&
        answer->as.answer.amount > 0 &&
        (!(answer->valid & VMRES_VALID_HELD) || !(answer->valid & proof)))
        return "a release is told without what the VM holds, or without a witness";
    return NULL;
}

/* One more answer of a thread. */
static const char *follow(struct thread *thread, const struct vmres_event *answer, uint32_t guests)
{
    const struct vmres_action *action = thread->action;
    const char *wrong;

    if (answer->type != answer_to(action))
        return "an action is answered by an event of another type";
    if (answer->vm != action->vm || answer->kind != action->kind ||
        answer->incarnation != action->incarnation)
        return "an answer names another VM, kind or life than its action";
    if (thread->ended)
        return "an action is answered again after its final answer";
    wrong = check_amount(thread, answer, guests);
    thread->amount = answer->as.answer.amount;
    thread->ended = (answer->flags & VMRES_FLAG_FINAL) != 0;
    return wrong || !thread->ended ? wrong : check_final(action, answer);
}

static const char *breach_of(const struct journal *journal, size_t action, uint32_t guests)
{
    struct thread thread = {.action = &journal->entries[action].action};
    const char *wrong = NULL;

    for (size_t i = action + 1; i < journal->count && !wrong; i++) {
        const struct journal_entry *entry = &journal->entries[i];

        if (voids(entry, thread.action))
            return NULL;
        if (answers(entry, thread.action))
            wrong = follow(&thread, &entry->event, guests);
    }
    return wrong;
}

static bool was_asked(const struct journal *journal, size_t answer)
{
    for (size_t i = 0; i < answer; i++) {
        const struct journal_entry *entry = &journal->entries[i];

        if (entry->is_action && answers(&journal->entries[answer], &entry->action))
            return true;
    }
    return false;
}

const char *vmres__journal_breach(const struct journal *journal, uint32_t guests)
{
    const char *wrong = NULL;

    if (journal->torn)
        return "no memory for the journal";
    for (size_t i = 0; i < journal->count && !wrong; i++) {
        const struct journal_entry *entry = &journal->entries[i];

        if (entry->is_action && answer_to(&entry->action))
            wrong = breach_of(journal, i, guests);
        else if (is_answer(entry) && !was_asked(journal, i))
            wrong = "an answer answers nothing that was asked";
    }
    return wrong;
}
