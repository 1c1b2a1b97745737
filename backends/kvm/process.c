/* SPDX-License-Identifier: MIT */
/*
 * Which process a VM is. A pid alone is no identity, for the kernel uses it again; with the time at
 * which the process started it is one. Where processes are looked at can be changed, for tests and
 * for hosts that mount it elsewhere.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

#define START_FIELD 22 /* of /proc/PID/stat, see proc(5) */

FILE *vmres__kvm_process_open(const struct vmres_kvm *kvm, int64_t pid, const char *name)
{
    char path[512];
    int length = snprintf(path, sizeof path, "%s/%" PRId64 "/%s", kvm->proc, pid, name);

    if (pid <= 0 || length < 0 || (size_t)length >= sizeof path)
        return NULL;
    return fopen(path, "re");
}

/* The name in parentheses may hold anything, parentheses too: the fields begin after the last. */
static bool parse(const char *stat, struct kvm_process *found)
{
    const char *at = strrchr(stat, ')');
    char state;

    if (!at || at[1] != ' ')
        return false;
    state = at[2];
    at += 2;
    for (int field = 3; field < START_FIELD && at; field++) {
        at = strchr(at, ' ');
        at = at ? at + 1 : NULL;
    }
    if (!at || state == 'Z' || state == 'X')
        return false;
    found->started = strtoull(at, NULL, 10);
    return true;
}

bool vmres__kvm_process_look(const struct vmres_kvm *kvm, int64_t pid, struct kvm_process *found)
{
    FILE *file = vmres__kvm_process_open(kvm, pid, "stat");
    char stat[1024];
    size_t length;

    if (!file)
        return false;
    length = fread(stat, 1, sizeof stat - 1, file);
    stat[length] = '\0';
    (void)fclose(file);
    found->pid = pid;
    return parse(stat, found);
}

/* It may lie where QEMU can write: what it is must not hold us up. */
int64_t vmres__kvm_process_pidfile(const char *path)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    char text[32];
    ssize_t length;
    long long pid;

    if (file < 0)
        return 0;
    length = read(file, text, sizeof text - 1);
    (void)close(file);
    text[length > 0 ? length : 0] = '\0';
    pid = strtoll(text, NULL, 10);
    return pid > 0 ? pid : 0;
}
