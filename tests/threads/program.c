/* SPDX-License-Identifier: MIT */
/*
 * Four threads post 10,000 events each while the driver's own pumps. None is lost, none comes
 * twice, those of one thread come in order, and whoever is woken finds something to do. Needs no
 * test framework, so that threads/check can build it with the thread sanitizer.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <vmres/vmres.h>

enum { THREADS = 4, POSTS = 10000 };

static struct vmres_driver *driver;
static atomic_uint wakes;
static uint64_t expected[THREADS]; /* the next number of each thread's; the pump's thread alone */
static uint64_t out_of_order;

static void wake(void *user)
{
    (void)user;
    atomic_fetch_add(&wakes, 1);
}

/* Each event is a reservation of nothing: its owner says whose it is, its maximum which. */
static void *post(void *user)
{
    uint64_t thread = (uint64_t)(uintptr_t)user;

    for (uint64_t i = 0; i < POSTS; i++) {
        struct vmres_event event = vmres_event_make(VMRES_EVENT_RESERVE, 0, VMRES_VM_NONE, 0);

        event.id = 1 + thread * POSTS + i;
        event.as.terms.owner = thread;
        event.as.terms.maximum = i;
        event.as.terms.within_ms = 1;
        while (vmres_driver_post_threadsafe(driver, &event) == VMRES_LIMIT)
            sched_yield();
    }
    return NULL;
}

/* The tracer sees each of them taken, in the pump's thread. */
static void see(void *user, const struct vmres_trace_record *record)
{
    uint64_t thread = (record->transfer - 1) / POSTS;

    (void)user;
    if (record->type != VMRES_TRACE_RESERVED || record->level != VMRES_TRACE_INFO ||
        thread >= THREADS || record->reason[0] != 'a') /* "asked for", not what became of it */
        return;
    out_of_order += (record->transfer - 1) % POSTS != expected[thread];
    expected[thread]++;
}

static void create(struct vmres_backend *backend)
{
    static const struct vmres_resource memory = {.name = "memory", .granule = 1, .capacity = 100};
    struct vmres_driver_options options;

    vmres_driver_options_init(&options);
    options.engine.max_vms = 1;
    options.engine.kinds = 1;
    options.engine.resources = &memory;
    options.engine.max_reservations = 64;
    options.engine.tracer = (struct vmres_tracer){see, NULL, VMRES_TRACE_INFO};
    options.backend = backend;
    options.max_posts = 32;
    options.wake = wake;
    if (vmres_driver_create(&options, &driver, NULL) || vmres_driver_start(driver, 0, NULL))
        abort();
}

int main(void)
{
    struct vmres_backend *backend;
    struct vmres_driver_counters counters = {0};
    pthread_t threads[THREADS];
    uint64_t now = 0;

    if (vmres_null_create(NULL, &backend))
        abort();
    create(backend);
    for (uintptr_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, post, (void *)i) != 0)
            abort();
    while (counters.mail < THREADS * POSTS) {
        if (vmres_driver_deadline(driver) == 0)
            vmres_driver_pump(driver, ++now);
        else
            vmres_driver_pump(driver, now += 2); /* what was reserved expires */
        vmres_driver_counters(driver, &counters);
    }
    for (uint32_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    vmres_driver_destroy(driver);
    vmres_backend_destroy(backend);
    printf("%llu delivered, %llu refused, %llu out of order, woken %u times\n",
           (unsigned long long)counters.mail, (unsigned long long)counters.mail_refused,
           (unsigned long long)out_of_order, atomic_load(&wakes));
    for (uint32_t i = 0; i < THREADS; i++)
        out_of_order += expected[i] != POSTS;
    return counters.mail_refused > 0 || out_of_order > 0 || atomic_load(&wakes) == 0;
}
