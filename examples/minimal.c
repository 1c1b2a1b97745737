/* SPDX-License-Identifier: MIT */
/* Two VMs, no hypervisor, no clock: one transfer, printed in the eight steps of the method. */
#include <stdio.h>
#include <vmres/vmres.h>

static void print(void *names, const struct vmres_trace_record *record)
{
    char line[200];

    vmres_trace_format(record, names, line, sizeof line);
    puts(line);
}

static const char *name_of(void *user, uint32_t vm)
{
    (void)user;
    return vm == 0 ? "idle" : "busy";
}

static enum vmres_status report(struct vmres_driver *driver, uint32_t vm, uint64_t used)
{
    struct vmres_event event = vmres_event_make(VMRES_EVENT_REPORT, 0, vm, 0);

    event.valid = VMRES_VALID_USED;
    event.as.report.used = used;
    return vmres_driver_post(driver, &event);
}

int main(void)
{
    const struct vmres_resource memory = {
        .name = "memory", .granule = VMRES_MIB, .capacity = 2 * VMRES_GIB};
    const struct vmres_policy usage = {.ops = vmres_policy_find("usage")};
    struct vmres_trace_names names = {name_of, NULL, &memory, 1};
    const struct vmres_vm_limits limits = {
        .ceiling = 2 * VMRES_GIB, .initial = VMRES_GIB, .participation = VMRES_PARTICIPATE_BOTH};
    const struct vmres_vm_spec a = {"idle", 0, 0, &limits}, b = {"busy", 0, 0, &limits};
    struct vmres_driver_options options;
    struct vmres_driver *driver;
    uint32_t idle, busy;

    vmres_driver_options_init(&options);
    options.engine.max_vms = 2;
    options.engine.kinds = 1;
    options.engine.resources = &memory;
    options.engine.policies = &usage;
    options.engine.tracer = (struct vmres_tracer){print, &names, VMRES_TRACE_DEBUG};
    if (vmres_null_create(NULL, &options.backend) || vmres_driver_create(&options, &driver, NULL) ||
        vmres_driver_start(driver, 0, NULL) || vmres_driver_add_vm(driver, &a, &idle) ||
        vmres_driver_add_vm(driver, &b, &busy) || vmres_driver_allot(driver))
        return 1;
    vmres_driver_pump(driver, 0);    /* they start with 1 GiB each */
    vmres_driver_pump(driver, 1000); /* (1) a round begins */
    if (report(driver, idle, 200 * VMRES_MIB) || report(driver, busy, VMRES_GIB))
        return 1;
    vmres_driver_pump(driver, 1250); /* (2) to (8) */
    vmres_driver_destroy(driver);
    vmres_backend_destroy(options.backend);
    return 0;
}
