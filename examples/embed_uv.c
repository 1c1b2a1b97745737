/* SPDX-License-Identifier: MIT */
/*
 * The same on a libuv loop: vmres-uv pumps the driver, the embedder's own callbacks only post. Here
 * a timer stands for the guests, which report ten times a second; another ends the run.
 */
#include <stdio.h>
#include <uv.h>
#include <vmres/uv.h>
#include <vmres/vmres.h>

struct host {
    struct vmres_driver *driver;
    struct vmres_uv *uv;
    uint32_t idle, busy;
    uv_timer_t guests, end;
};

static void print(void *names, const struct vmres_trace_record *record)
{
    char line[200];

    vmres_trace_format(record, names, line, sizeof line);
    puts(line);
}

static const char *name_of(void *user, uint32_t vm)
{
    const struct host *host = user;

    return vmres_driver_vm_name(host->driver, vm);
}

static void report(struct host *host, uint32_t vm, uint64_t used)
{
    struct vmres_event event = vmres_event_make(VMRES_EVENT_REPORT, 0, vm, 0);

    event.valid = VMRES_VALID_USED;
    event.as.report.used = used;
    if (vmres_driver_post(host->driver, &event) != VMRES_OK)
        fputs("embed_uv: a report was not taken\n", stderr);
}

static void guests_report(uv_timer_t *timer)
{
    struct host *host = timer->data;

    report(host, host->idle, 200 * VMRES_MIB);
    report(host, host->busy, VMRES_GIB);
}

/* Everything is closed from within the loop; uv_run() then returns by itself. */
static void finish(uv_timer_t *timer)
{
    struct host *host = timer->data;

    vmres_uv_close(host->uv, NULL, NULL);
    uv_close((uv_handle_t *)&host->guests, NULL);
    uv_close((uv_handle_t *)&host->end, NULL);
}

/* Two VMs of 1 GiB each, on a driver that runs on this loop. */
static enum vmres_status open_host(struct host *host, uv_loop_t *loop, struct vmres_error *error)
{
    const struct vmres_vm_limits limits = {
        .ceiling = 2 * VMRES_GIB, .initial = VMRES_GIB, .participation = VMRES_PARTICIPATE_BOTH};
    const struct vmres_vm_spec idle = {.name = "idle", .limits = &limits};
    const struct vmres_vm_spec busy = {.name = "busy", .limits = &limits};
    enum vmres_status status;

    status = vmres_uv_create(loop, NULL, &host->uv);
    if (status == VMRES_OK)
        status = vmres_uv_start(host->uv, host->driver, error);
    if (status == VMRES_OK)
        status = vmres_driver_add_vm(host->driver, &idle, &host->idle);
    if (status == VMRES_OK)
        status = vmres_driver_add_vm(host->driver, &busy, &host->busy);
    if (status == VMRES_OK)
        status = vmres_driver_allot(host->driver);
    return status;
}

static void run(struct host *host, uv_loop_t *loop)
{
    uv_timer_init(loop, &host->guests);
    uv_timer_init(loop, &host->end);
    host->guests.data = host;
    host->end.data = host;
    uv_timer_start(&host->guests, guests_report, 0, 100);
    uv_timer_start(&host->end, finish, 1000, 0);
    uv_run(loop, UV_RUN_DEFAULT);
    uv_loop_close(loop);
}

int main(void)
{
    const struct vmres_resource memory = {
        .name = "memory", .granule = VMRES_MIB, .capacity = 2 * VMRES_GIB};
    const struct vmres_policy usage = {.ops = vmres_policy_find("usage")};
    struct host host = {0};
    struct vmres_trace_names names = {name_of, &host, &memory, 1};
    struct vmres_driver_options options;
    struct vmres_error error;
    uv_loop_t loop;

    vmres_driver_options_init(&options);
    options.engine.max_vms = 2;
    options.engine.kinds = 1;
    options.engine.resources = &memory;
    options.engine.policies = &usage;
    options.engine.period_ms = 200;
    options.engine.tracer = (struct vmres_tracer){print, &names, VMRES_TRACE_INFO};
    if (uv_loop_init(&loop) != 0 || vmres_null_create(NULL, &options.backend) != VMRES_OK ||
        vmres_driver_create(&options, &host.driver, &error) != VMRES_OK ||
        open_host(&host, &loop, &error) != VMRES_OK) {
        fputs("embed_uv: could not start\n", stderr);
        return 1;
    }
    run(&host, &loop);
    vmres_driver_destroy(host.driver);
    vmres_backend_destroy(options.backend);
    return 0;
}
