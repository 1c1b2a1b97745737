/* SPDX-License-Identifier: MIT */
/*
 * Joins an engine and a backend: creation, start, stop. All memory is taken here, with the engine's
 * allocator, and given back in vmres_driver_destroy(). It knows neither what events mean nor what a
 * hypervisor is.
 */
#include "driver/internal.h"

#include <stddef.h>

#include "core/error.h"

#define MAX_POSTS 1024u /* of other threads, waiting for the pump, unless the options say else */

void vmres_driver_options_init(struct vmres_driver_options *options)
{
    if (!options)
        return;
    *options = (struct vmres_driver_options){.size = sizeof *options};
    vmres_engine_options_init(&options->engine);
}

static enum vmres_status check(const struct vmres_driver_options *options,
                               struct vmres_driver **driver, struct vmres_error *error)
{
    if (!options || !driver)
        return vmres__error_set(error, VMRES_INVALID, "options and driver must be given");
    if (options->size < sizeof *options)
        return vmres__error_set(error, VMRES_INVALID,
                                "driver options: start from vmres_driver_options_init()");
    if (!options->backend || !options->backend->ops)
        return vmres__error_set(error, VMRES_INVALID,
                                "driver options: backend is missing, create one first");
    return VMRES_OK;
}

/* Fills a zeroed driver. On failure what it has is left for vmres_driver_destroy(). */
static enum vmres_status build(struct vmres_driver *driver,
                               const struct vmres_driver_options *options,
                               struct vmres_error *error)
{
    const struct vmres_engine_options *engine = &options->engine;
    enum vmres_status status;

    driver->backend = options->backend;
    driver->log.recorder = options->recorder;
    driver->wake = options->wake;
    driver->wake_user = options->wake_user;
    driver->kinds = engine->kinds;
    /* The engine comes first: it checks the sizes that the others count on. */
    status = vmres_engine_create(engine, &driver->engine, error);
    if (status == VMRES_OK) {
        status =
            vmres__queue_init(&driver->queue, engine->max_vms, engine->kinds, &driver->allocator);
        if (status == VMRES_OK)
            status = vmres__registry_init(&driver->registry, engine->max_vms, &driver->allocator);
        if (status == VMRES_OK)
            status = vmres__mailbox_init(&driver->mailbox,
                                         options->max_posts ? options->max_posts : MAX_POSTS,
                                         &driver->allocator);
        if (status != VMRES_OK)
            vmres__error_set(error, status, "no memory for a driver of %u VMs", engine->max_vms);
    }
    return status;
}

enum vmres_status vmres_driver_create(const struct vmres_driver_options *options,
                                      struct vmres_driver **driver, struct vmres_error *error)
{
    enum vmres_status status = check(options, driver, error);
    struct vmres_driver *created;

    if (status != VMRES_OK)
        return status;
    created = vmres_allocate(options->engine.allocator, 1, sizeof *created);
    if (!created)
        return vmres__error_set(error, VMRES_NOMEM, "no memory for a driver");
    if (options->engine.allocator)
        created->allocator = *options->engine.allocator;
    status = build(created, options, error);
    if (status != VMRES_OK) {
        vmres_driver_destroy(created);
        return status;
    }
    vmres__log_begin(&created->log, &options->engine);
    *driver = created;
    return VMRES_OK;
}

void vmres_driver_destroy(struct vmres_driver *driver)
{
    struct vmres_allocator allocator;

    if (!driver)
        return;
    vmres_driver_stop(driver, driver->now_ms);
    vmres__mailbox_finish(&driver->mailbox, &driver->allocator);
    vmres__registry_finish(&driver->registry, &driver->allocator);
    vmres__queue_finish(&driver->queue, &driver->allocator);
    vmres_engine_destroy(driver->engine);
    allocator = driver->allocator;
    vmres_release(&allocator, driver, 1, sizeof *driver);
}

enum vmres_status vmres_driver_start(struct vmres_driver *driver, uint64_t now_ms,
                                     struct vmres_error *error)
{
    struct vmres_backend *backend;
    enum vmres_status status;

    if (!driver)
        return vmres__error_set(error, VMRES_INVALID, "driver must be given");
    backend = driver->backend;
    if (backend->driver)
        return vmres__error_set(error, VMRES_STATE, "backend %s is started already, stop it first",
                                backend->ops->name);
    vmres__pump_advance(driver, now_ms);
    backend->driver = driver;
    status = backend->ops->start(backend, driver, error);
    if (status != VMRES_OK) {
        backend->driver = NULL;
        return status;
    }
    driver->started = 1;
    if (driver->stopped)
        vmres__pump_last(driver, VMRES_EVENT_BACKEND_READY);
    return VMRES_OK;
}

void vmres_driver_stop(struct vmres_driver *driver, uint64_t now_ms)
{
    if (!driver || !driver->started)
        return;
    driver->started = 0;
    driver->backend->ops->stop(driver->backend);
    driver->backend->driver = NULL;
    vmres__pump_advance(driver, now_ms);
    /* What the backend still said is true. Nothing is asked for on the strength of it, and the
     * engine closes every open command when it hears that the backend is lost. */
    vmres__pump_last(driver, VMRES_EVENT_BACKEND_LOST);
    driver->stopped = 1;
}
