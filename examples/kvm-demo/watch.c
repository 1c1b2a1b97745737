/* SPDX-License-Identifier: MIT */
/*
 * Ten readings a second into the history, one line a second into the table. What a VM wants is what
 * it uses and what of it is swapped out; both are the guest's own words, and so is a notice that it
 * is short, which its agent gives unasked.
 */
#include "watch.h"

#define LINE_MS 1000u

static unsigned long mib(uint64_t bytes)
{
    return (unsigned long)(bytes / VMRES_MIB);
}

static void put_line(struct watch *watch, const struct host *host)
{
    uint64_t now = host_now_ms(host);

    fprintf(watch->table, "[%5lu.%03lu]", (unsigned long)(now / 1000), (unsigned long)(now % 1000));
    for (uint32_t i = 0; i < HOST_GUESTS; i++) {
        struct host_vm vm = host_look(host, i);
        char swapped[32] = "";

        if (vm.swapped > 0)
            snprintf(swapped, sizeof swapped, " + %lu swapped out", mib(vm.swapped));
        fprintf(watch->table, "%s %s %3lu of %3lu MiB%s%s", i ? "," : "", host->guests[i].name,
                mib(vm.used), mib(vm.held), swapped,
                vm.notices > watch->notices[i] ? " (notice)" : "");
        watch->notices[i] = vm.notices;
    }
    fprintf(watch->table, "; work %u %%\n", host->guests[0].percent);
    fflush(watch->table);
}

static void take(struct host *host)
{
    struct watch *watch = host->user;

    if (watch->ticks < HISTORY_POINTS) {
        for (uint32_t i = 0; i < HOST_GUESTS; i++) {
            struct host_vm vm = host_look(host, i);
            const struct reading reading = {.demand = vm.used + vm.swapped, .held = vm.held};

            history_add(watch->history, 0, i, watch->ticks, &reading);
        }
        watch->ticks++;
    }
    if (host_now_ms(host) < watch->due_ms)
        return;
    put_line(watch, host);
    watch->due_ms += LINE_MS;
}

bool watch_begin(struct watch *watch, struct host *host, FILE *table)
{
    *watch = (struct watch){.table = table};
    watch->history = history_open(1, HOST_GUESTS, HISTORY_POINTS, HOST_TICK_MS);
    host->ticked = take;
    host->user = watch;
    return watch->history != NULL;
}

void watch_end(struct watch *watch, const struct host *host)
{
    put_line(watch, host);
    history_cut(watch->history, watch->ticks);
}

void watch_csv(const struct watch *watch, const char *const *names, FILE *file)
{
    fputs("t_s", file);
    for (uint32_t i = 0; i < HOST_GUESTS; i++)
        fprintf(file, ",%s.memory.demand,%s.memory.held", names[i], names[i]);
    fputc('\n', file);
    for (uint32_t tick = 0; tick < watch->ticks; tick++) {
        fprintf(file, "%.1f", tick * HOST_TICK_MS / 1000.0);
        for (uint32_t i = 0; i < HOST_GUESTS; i++) {
            const struct point *point = &history_of(watch->history, 0, i)[tick];

            fprintf(file, ",%lu,%lu", mib(point->demand.last), mib(point->held.last));
        }
        fputc('\n', file);
    }
}

void watch_free(struct watch *watch)
{
    history_close(watch->history);
    *watch = (struct watch){0};
}
