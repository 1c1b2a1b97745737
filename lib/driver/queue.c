/* SPDX-License-Identifier: MIT */
/*
 * Owns the ring, the index by which a newer word finds the older one it replaces, and the credit.
 *
 * The index is a table of hints. For each VM, kind and class it holds the place where the newest
 * event of that class was put; it is never cleaned up. A hint is good if the event at that place is
 * in the ring and is of that VM, kind and class: putting such an event there wrote the hint, and a
 * newer one would have overwritten it.
 */
#include "driver/queue.h"

#include <stddef.h>

/* Events that replace each other. What the host saw is one class: an answer and an observation both
 * say what a VM holds, so neither may overtake the other. */
enum class {
    CLASS_ASKED = 0,   /* REPORT that answers an inquiry */
    CLASS_UNASKED = 1, /* REPORT of the guest's own accord */
    CLASS_SAMPLES = 2,
    CLASS_HOST = 3, /* OBSERVED and the four answers */
    CLASSES = 4,
};

#define NOWHERE UINT32_MAX

static enum class class_of(const struct vmres_event *event) {
    switch (event->type){
        case VMRES_EVENT_REPORT : return event->id ? CLASS_ASKED : CLASS_UNASKED;
        case VMRES_EVENT_SAMPLES : return CLASS_SAMPLES;
        case VMRES_EVENT_OBSERVED : case VMRES_EVENT_REMOVED : case VMRES_EVENT_REASSIGNED : case
        VMRES_EVENT_INCORPORATED : case VMRES_EVENT_PINNED : return CLASS_HOST;
        default : return CLASSES;
    }
}

static int is_answer(const struct vmres_event *event)
{
    return class_of(event) == CLASS_HOST && event->type != VMRES_EVENT_OBSERVED;
}

static int is_final(const struct vmres_event *event)
{
    return is_answer(event) && (event->flags & VMRES_FLAG_FINAL);
}

static uint32_t *hints_of(const struct vmres__queue *queue, uint32_t vm)
{
    return queue->latest + (size_t)vm * queue->kinds * CLASSES;
}

enum vmres_status vmres__queue_init(struct vmres__queue *queue, uint32_t vms, uint32_t kinds,
                                    const struct vmres_allocator *allocator)
{
    /* What a VM can have waiting: its coming and going, and per kind a report, samples and an
     * observation; and per kind the answers to a removal or a pin, a reassignment, a notice, and
     * two that were superseded. A ring for a million VMs is large, but what is not reached is not
     * touched. */
    uint32_t ordinary = 64 + vms * (4 + 3 * kinds);
    uint32_t answers = vms * 5 * kinds;

    *queue = (struct vmres__queue){
        .capacity = ordinary + answers, .headroom = answers, .vms = vms, .kinds = kinds};
    queue->events = vmres_allocate(allocator, queue->capacity, sizeof *queue->events);
    queue->latest = vmres_allocate(allocator, (size_t)vms * kinds * CLASSES, sizeof *queue->latest);
    queue->owed = vmres_allocate(allocator, vms, sizeof *queue->owed);
    if (queue->events && queue->latest && queue->owed)
        return VMRES_OK;
    vmres__queue_finish(queue, allocator);
    return VMRES_NOMEM;
}

void vmres__queue_finish(struct vmres__queue *queue, const struct vmres_allocator *allocator)
{
    vmres_release(allocator, queue->events, queue->capacity, sizeof *queue->events);
    vmres_release(allocator, queue->latest, (size_t)queue->vms * queue->kinds * CLASSES,
                  sizeof *queue->latest);
    vmres_release(allocator, queue->owed, queue->vms, sizeof *queue->owed);
    *queue = (struct vmres__queue){0};
}

int vmres__queue_fits(const struct vmres__queue *queue, uint32_t events)
{
    return (uint64_t)queue->count + events + queue->headroom <= queue->capacity;
}

/* The newest waiting event of this one's VM, kind and class, or NULL. */
static struct vmres_event *find_latest(const struct vmres__queue *queue,
                                       const struct vmres_event *event, uint32_t hint)
{
    uint32_t depth =
        hint >= queue->first ? hint - queue->first : hint + (queue->capacity - queue->first);
    struct vmres_event *found;

    if (hint >= queue->capacity || depth >= queue->count)
        return NULL;
    found = &queue->events[hint];
    if (found->vm != event->vm || found->kind != event->kind || class_of(found) != class_of(event))
        return NULL;
    return found;
}

/* A final is never replaced, nor is the word of another life or on another command. */
static int may_replace(const struct vmres_event *older, const struct vmres_event *newer)
{
    return older->type == newer->type && older->incarnation == newer->incarnation &&
           !is_final(older) && (older->id == newer->id || !is_answer(newer));
}

/* From here on what is said of this VM is put behind, not into what was said before. */
static void forget_latest(struct vmres__queue *queue, uint32_t vm)
{
    uint32_t *hints = hints_of(queue, vm);

    for (uint32_t i = 0; i < queue->kinds * CLASSES; i++)
        hints[i] = NOWHERE;
}

static uint32_t append(struct vmres__queue *queue, const struct vmres_event *event)
{
    uint32_t to_end = queue->capacity - queue->first;
    uint32_t place = queue->count < to_end ? queue->first + queue->count : queue->count - to_end;

    queue->events[place] = *event;
    queue->count++;
    return place;
}

/* Whether the event may take one more place; an answer with credit pays for it. */
static int admit(struct vmres__queue *queue, const struct vmres_event *event)
{
    if (!is_final(event) || queue->owed[event->vm] == 0)
        return vmres__queue_fits(queue, 1);
    queue->owed[event->vm]--;
    queue->owing--;
    return 1;
}

enum vmres_status vmres__queue_post(struct vmres__queue *queue, const struct vmres_event *event)
{
    enum class class = class_of(event);
    uint32_t *hint = NULL;
    uint32_t place;

    queue->posted++;
    if (class != CLASSES) {
        struct vmres_event *older;

        hint = hints_of(queue, event->vm) + (size_t)event->kind * CLASSES + class;
        older = is_final(event) ? NULL : find_latest(queue, event, *hint);
        if (older && may_replace(older, event)) {
            *older = *event;
            queue->coalesced++;
            return VMRES_OK;
        }
    }
    if (!admit(queue, event)) {
        queue->dropped++;
        return VMRES_LIMIT;
    }
    if (event->type == VMRES_EVENT_VM_ADDED || event->type == VMRES_EVENT_VM_LIVE ||
        event->type == VMRES_EVENT_VM_GONE)
        forget_latest(queue, event->vm);
    place = append(queue, event);
    if (hint)
        *hint = place;
    return VMRES_OK;
}

int vmres__queue_pop(struct vmres__queue *queue, struct vmres_event *event)
{
    if (queue->count == 0)
        return 0;
    *event = queue->events[queue->first];
    vmres__queue_drop(queue, 1);
    return 1;
}

uint32_t vmres__queue_reports(const struct vmres__queue *queue, struct vmres_event **events)
{
    uint32_t to_end = queue->capacity - queue->first;
    uint32_t most = queue->count < to_end ? queue->count : to_end;
    uint32_t found = 0;

    *events = &queue->events[queue->first];
    while (found < most && (*events)[found].type == VMRES_EVENT_REPORT)
        found++;
    return found;
}

void vmres__queue_drop(struct vmres__queue *queue, uint32_t events)
{
    queue->count -= events;
    queue->first += events;
    if (queue->count == 0 || queue->first == queue->capacity)
        queue->first = 0;
}

int vmres__queue_credit(struct vmres__queue *queue, uint32_t vm)
{
    if (queue->owing == queue->headroom || queue->count + queue->owing == queue->capacity)
        return 0;
    queue->owed[vm]++;
    queue->owing++;
    return 1;
}

void vmres__queue_forgive(struct vmres__queue *queue, uint32_t vm)
{
    queue->owing -= queue->owed[vm];
    queue->owed[vm] = 0;
}
