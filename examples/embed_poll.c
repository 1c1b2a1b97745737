/* SPDX-License-Identifier: MIT */
/*
 * An embedder with a loop of its own: poll(2), which waits for the reports of guests
 * (here lines on the standard input, such as "busy 1GiB") and no longer than until the driver's
 * deadline.
 *
 *     (echo idle 200MiB; echo busy 1GiB) | embed_poll
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <vmres/vmres.h>

enum { VMS = 2, RUN_MS = 1000, LINE_ROOM = 128 };

static void print(void *names, const struct vmres_trace_record *record)
{
    char line[200];

    vmres_trace_format(record, names, line, sizeof line);
    puts(line);
}

static const char *name_of(void *driver, uint32_t vm)
{
    return vmres_driver_vm_name(*(struct vmres_driver **)driver, vm);
}

/* "NAME SIZE": this VM uses so much. */
static void hear(struct vmres_driver *driver, const char *line)
{
    struct vmres_event report = vmres_event_make(VMRES_EVENT_REPORT, 0, 0, 0);
    char name[LINE_ROOM], size[LINE_ROOM];

    if (sscanf(line, "%127s %127s", name, size) != 2 ||
        vmres_parse_size(size, &report.as.report.used) != VMRES_OK) {
        fprintf(stderr, "embed_poll: \"%s\" is no report; write NAME SIZE, as busy 1GiB\n", line);
        return;
    }
    report.vm = vmres_driver_vm_id(driver, name);
    report.valid = VMRES_VALID_USED;
    if (vmres_driver_post(driver, &report) != VMRES_OK)
        fprintf(stderr, "embed_poll: there is no VM \"%s\"; there are idle and busy\n", name);
}

/* Reads what there is and hands on whole lines. 0: no more will come. */
static int read_lines(struct vmres_driver *driver)
{
    static char text[LINE_ROOM];
    static size_t length;
    ssize_t got = read(STDIN_FILENO, text + length, sizeof text - 1 - length);
    char *end;

    if (got <= 0)
        return 0;
    length += (size_t)got;
    text[length] = '\0';
    while ((end = strchr(text, '\n')) != NULL) {
        *end = '\0';
        hear(driver, text);
        length -= (size_t)(end + 1 - text);
        memmove(text, end + 1, length + 1);
    }
    if (length == sizeof text - 1) /* no line is so long */
        length = 0;
    return 1;
}

/* The loop: what it has of vmres is the wait until the driver's deadline, and the pump. */
static void loop(struct vmres_driver *driver)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    uint64_t end = vmres_clock_ms() + RUN_MS;

    while (vmres_clock_ms() < end) {
        uint64_t deadline = vmres_driver_deadline(driver);

        if (poll(&input, 1, vmres_clock_wait(deadline < end ? deadline : end)) > 0 &&
            !read_lines(driver))
            input.fd = -1; /* poll ignores it from now on */
        vmres_driver_pump(driver, vmres_clock_ms());
    }
}

int main(void)
{
    const struct vmres_resource memory = {
        .name = "memory", .granule = VMRES_MIB, .capacity = 2 * VMRES_GIB};
    const struct vmres_policy usage = {.ops = vmres_policy_find("usage")};
    const struct vmres_vm_limits limits = {
        .ceiling = 2 * VMRES_GIB, .initial = VMRES_GIB, .participation = VMRES_PARTICIPATE_BOTH};
    const char *const vm_names[VMS] = {"idle", "busy"};
    struct vmres_driver *driver = NULL;
    struct vmres_trace_names names = {name_of, &driver, &memory, 1};
    struct vmres_driver_options options;
    struct vmres_error error;
    uint32_t vm;

    vmres_driver_options_init(&options);
    options.engine.max_vms = VMS;
    options.engine.kinds = 1;
    options.engine.resources = &memory;
    options.engine.policies = &usage;
    options.engine.period_ms = 200;
    options.engine.tracer = (struct vmres_tracer){print, &names, VMRES_TRACE_INFO};
    if (vmres_null_create(NULL, &options.backend) != VMRES_OK)
        return 1;
    if (vmres_driver_create(&options, &driver, &error) != VMRES_OK ||
        vmres_driver_start(driver, vmres_clock_ms(), &error) != VMRES_OK) {
        fprintf(stderr, "embed_poll: %s\n", error.message);
        return 1;
    }
    for (int i = 0; i < VMS; i++) {
        const struct vmres_vm_spec spec = {.name = vm_names[i], .limits = &limits};

        if (vmres_driver_add_vm(driver, &spec, &vm) != VMRES_OK)
            return 1;
    }
    if (vmres_driver_allot(driver) != VMRES_OK)
        return 1;
    vmres_driver_pump(driver, vmres_clock_ms()); /* they have 1 GiB each and run */
    loop(driver);
    vmres_driver_destroy(driver);
    vmres_backend_destroy(options.backend);
    return 0;
}
