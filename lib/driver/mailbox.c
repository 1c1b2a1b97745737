/* SPDX-License-Identifier: MIT */
/*
 * A ring under a lock. Invariant: the `count` events from `first` on are whole; nobody looks at one
 * while it is written.
 */
#include "driver/mailbox.h"

enum vmres_status vmres__mailbox_init(struct vmres__mailbox *mailbox, uint32_t capacity,
                                      const struct vmres_allocator *allocator)
{
    mailbox->events = vmres_allocate(allocator, capacity, sizeof *mailbox->events);
    if (!mailbox->events)
        return VMRES_NOMEM;
    if (pthread_mutex_init(&mailbox->lock, NULL) != 0) {
        vmres_release(allocator, mailbox->events, capacity, sizeof *mailbox->events);
        mailbox->events = NULL;
        return VMRES_NOMEM;
    }
    mailbox->capacity = capacity;
    return VMRES_OK;
}

void vmres__mailbox_finish(struct vmres__mailbox *mailbox, const struct vmres_allocator *allocator)
{
    if (!mailbox->events)
        return;
    (void)pthread_mutex_destroy(&mailbox->lock);
    vmres_release(allocator, mailbox->events, mailbox->capacity, sizeof *mailbox->events);
    mailbox->events = NULL;
}

enum vmres_status vmres__mailbox_put(struct vmres__mailbox *mailbox,
                                     const struct vmres_event *event, int *was_empty)
{
    enum vmres_status status = VMRES_LIMIT;
    uint32_t count;

    (void)pthread_mutex_lock(&mailbox->lock);
    count = atomic_load(&mailbox->count);
    if (count < mailbox->capacity) {
        uint32_t to_end = mailbox->capacity - mailbox->first;

        mailbox->events[count < to_end ? mailbox->first + count : count - to_end] = *event;
        atomic_store(&mailbox->count, count + 1);
        *was_empty = count == 0;
        status = VMRES_OK;
    }
    (void)pthread_mutex_unlock(&mailbox->lock);
    return status;
}

int vmres__mailbox_take(struct vmres__mailbox *mailbox, struct vmres_event *event)
{
    uint32_t count;

    (void)pthread_mutex_lock(&mailbox->lock);
    count = atomic_load(&mailbox->count);
    if (count > 0) {
        *event = mailbox->events[mailbox->first];
        mailbox->first = mailbox->first + 1 == mailbox->capacity ? 0 : mailbox->first + 1;
        atomic_store(&mailbox->count, count - 1);
    }
    (void)pthread_mutex_unlock(&mailbox->lock);
    return count > 0;
}

uint32_t vmres__mailbox_count(const struct vmres__mailbox *mailbox)
{
    return atomic_load(&mailbox->count);
}
