/* SPDX-License-Identifier: MIT */
/*
 * The queue between backend and engine: a ring of events, bounded and sized once.
 *
 * Three promises. Order: what the host saw of a VM is never reordered. Floods: the newest word
 * replaces an undelivered older one in place, so that a chatty guest costs one place. Credit: the
 * answer owed to each submitted action has its place from then on, so that posting it cannot fail.
 *
 * It knows events by their head only; not the engine, not the backend, not names.
 */
#ifndef VMRES_DRIVER_QUEUE_H
#define VMRES_DRIVER_QUEUE_H

#include <stdint.h>
#include <vmres/allocator.h>
#include <vmres/event.h>
#include <vmres/status.h>

struct vmres__queue {
    struct vmres_event *events; /* [capacity], a ring; starts over at 0 whenever it is empty */
    uint32_t *latest; /* [vms][kinds][classes]: where the newest of a class may lie; see queue.c */
    uint32_t *owed;   /* [vms]: answers to submitted actions, not yet posted */
    uint32_t capacity, first, count;
    uint32_t headroom; /* of the capacity, what ordinary events leave to answers */
    uint32_t owing;    /* sum of owed; <= headroom, and count + owing <= capacity, always */
    uint32_t vms, kinds;
    uint64_t posted, coalesced, dropped;
};

/* VMRES_NOMEM, or VMRES_OK; then vmres__queue_finish() with the same allocator. */
enum vmres_status vmres__queue_init(struct vmres__queue *queue, uint32_t vms, uint32_t kinds,
                                    const struct vmres_allocator *allocator);
void vmres__queue_finish(struct vmres__queue *queue, const struct vmres_allocator *allocator);

/* Whether `events` more ordinary ones would fit. */
int vmres__queue_fits(const struct vmres__queue *queue, uint32_t events);

/* Puts an event in; its vm and kind are in range wherever its type has them. VMRES_LIMIT: full, and
 * the event is no answer for which there is credit. */
enum vmres_status vmres__queue_post(struct vmres__queue *queue, const struct vmres_event *event);

/* Takes the oldest out into *event. 0: there is none. */
int vmres__queue_pop(struct vmres__queue *queue, struct vmres_event *event);

/* How many of the oldest are reports and lie in a row, at *events: to be changed and dropped, while
 * nothing is put in. */
uint32_t vmres__queue_reports(const struct vmres__queue *queue, struct vmres_event **events);

/* Takes the oldest `events` out. */
void vmres__queue_drop(struct vmres__queue *queue, uint32_t events);

/* Keeps a place for the answer to an action on `vm`. 0: so many are owed that there is none. */
int vmres__queue_credit(struct vmres__queue *queue, uint32_t vm);

/* Nothing is owed for this VM any more: it is gone. */
void vmres__queue_forgive(struct vmres__queue *queue, uint32_t vm);

#endif
