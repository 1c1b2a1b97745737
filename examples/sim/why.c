/* SPDX-License-Identifier: MIT */
/*
 * Why a VM has what it has: the engine's own answer, at the end of the tick that was asked about.
 * So a question about the time of a line in the log is answered right after that line. A question
 * is VM@TIME; a VM alone, in whose name there may be an @, is asked about at the end. Invariant:
 * every question is answered once.
 */
#include "why.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <vmres/query.h>
#include <vmres/units.h>

enum { LINE_ROOM = 512 };

static enum exit_code complain(const char *question, const char *what)
{
    (void)fprintf(stderr, "vmres-sim: --why %s: %s\n", question, what);
    return EXIT_WRONG;
}

/* The VM whose name is the first `length` bytes, or VMRES_VM_NONE. */
static uint32_t find_vm(const struct vmres_config *config, const char *name, size_t length)
{
    for (uint32_t vm = 0; vm < config->vm_count; vm++) {
        const char *other = config->vms[vm].spec.name;

        if (strncmp(other, name, length) == 0 && other[length] == '\0')
            return vm;
    }
    return VMRES_VM_NONE;
}

static enum exit_code read_question(const struct run *run, const char *text,
                                    struct question *question)
{
    const char *at = strrchr(text, '@');
    uint64_t end_ms = run_ticks(run) * run->config->sim.tick_ms;

    question->at_ms = end_ms - 1;
    question->vm = find_vm(run->config, text, strlen(text));
    if (question->vm != VMRES_VM_NONE)
        return EXIT_NOT_YET;
    question->vm = find_vm(run->config, text, at ? (size_t)(at - text) : 0);
    if (question->vm == VMRES_VM_NONE)
        return complain(text, "there is no such VM in the scenario; write VM@TIME");
    if (vmres_parse_time(at + 1, &question->at_ms))
        return complain(text, "this is no time; write one in ms, s, min or h after the @");
    if (question->at_ms >= end_ms)
        return complain(text, "by then the scenario has ended; choose an earlier time");
    return EXIT_NOT_YET;
}

enum exit_code why_open(struct run *run)
{
    enum exit_code code = EXIT_NOT_YET;

    for (uint32_t i = 0; i < run->options->whys && code == EXIT_NOT_YET; i++)
        code = read_question(run, run->options->why[i], &run->questions[i]);
    return code;
}

static void answer(const struct run *run, uint32_t vm, uint64_t at_ms)
{
    const struct vmres_config *config = run->config;
    struct vmres_sim_state state = {.vm = VMRES_VM_NONE};
    char line[LINE_ROOM];

    for (uint8_t kind = 0; kind < config->engine.kinds; kind++) {
        (void)!vmres_sim_vm(run->sim, vm, kind, &state);
        if (vmres_engine_why(vmres_driver_engine(run->driver), state.vm, kind, line, sizeof line) ==
            0)
            (void)strcpy(line, "is not there");
        (void)fprintf(run->notes, "[%5" PRIu64 ".%03" PRIu64 "] why %s %s: %s\n", at_ms / 1000,
                      at_ms % 1000, config->vms[vm].spec.name, config->engine.resources[kind].name,
                      line);
    }
}

void why_tick(const struct run *run, uint64_t at_ms)
{
    for (uint32_t i = 0; i < run->options->whys; i++) {
        const struct question *question = &run->questions[i];

        if (question->at_ms >= at_ms && question->at_ms - at_ms < run->config->sim.tick_ms)
            answer(run, question->vm, at_ms);
    }
}
