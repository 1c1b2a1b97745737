/* SPDX-License-Identifier: MIT */
/*
 * The mailbox: what other threads post, until the pump takes it out. A bounded ring under a lock,
 * held for as long as it takes to copy one event. The only part of the library that two threads
 * may be in at once.
 */
#ifndef VMRES_DRIVER_MAILBOX_H
#define VMRES_DRIVER_MAILBOX_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <vmres/allocator.h>
#include <vmres/event.h>
#include <vmres/status.h>

struct vmres__mailbox {
    pthread_mutex_t lock;
    struct vmres_event *events; /* [capacity], a ring */
    uint32_t capacity, first;
    atomic_uint count; /* changed under the lock, read without */
};

/* VMRES_NOMEM, or VMRES_OK; then vmres__mailbox_finish() with the same allocator. */
enum vmres_status vmres__mailbox_init(struct vmres__mailbox *mailbox, uint32_t capacity,
                                      const struct vmres_allocator *allocator);
/* Nobody may post any more. A mailbox that is all 0 is left alone. */
void vmres__mailbox_finish(struct vmres__mailbox *mailbox, const struct vmres_allocator *allocator);

/* Any thread. VMRES_LIMIT: full. *was_empty: whoever takes out may not know that there is some. */
enum vmres_status vmres__mailbox_put(struct vmres__mailbox *mailbox,
                                     const struct vmres_event *event, int *was_empty);
/* Takes the oldest. 0: there is none. */
int vmres__mailbox_take(struct vmres__mailbox *mailbox, struct vmres_event *event);
/* How many there are. Any thread. */
uint32_t vmres__mailbox_count(const struct vmres__mailbox *mailbox);

#endif
