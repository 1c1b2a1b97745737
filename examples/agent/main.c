/* SPDX-License-Identifier: MIT */
/*
 * vmres-agent: measures a guest's memory and tells the host, when asked and when it is short. See
 * README.md. It locks itself into memory and asks not to be killed when there is none: whoever
 * reports a shortage must live through it.
 */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"

#define PORT "/dev/virtio-ports/org.vmres.agent.0"

static const char usage[] = "usage: vmres-agent [--port PATH] [--period MS] [--proc DIRECTORY]\n"
                            "\n"
                            "  --port PATH   the port to the host; default " PORT "\n"
                            "  --period MS   between two samples, 50 to 10000; default 250\n"
                            "  --proc DIR    where the kernel tells of memory; default /proc\n"
                            "  --help, --version\n";

static int fail(const char *what, const char *remedy)
{
    (void)fprintf(stderr, "vmres-agent: %s: %s\n", what, remedy);
    return 2;
}

static int say(const char *text)
{
    if (fputs(text, stdout) >= 0 && fflush(stdout) == 0)
        return 0;
    (void)fputs("vmres-agent: standard output could not be written to the end; make room for it\n",
                stderr);
    return 2;
}

/* It need not be there yet. */
static bool may_be_port(const char *path)
{
    struct stat what;

    return stat(path, &what) != 0 || S_ISCHR(what.st_mode);
}

static bool parse_period(const char *text, uint32_t *period_ms)
{
    char *end;
    unsigned long period = strtoul(text, &end, 10);

    *period_ms = (uint32_t)period;
    return *text >= '0' && *text <= '9' && *end == '\0' && period >= 50 && period <= 10000;
}

/* Without these it works as well, as long as there is memory. */
static void stay_alive(const char *proc)
{
    char path[256];
    int fd;

    if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0)
        (void)fail("its memory may be swapped out, unless it runs as root", strerror(errno));
    (void)snprintf(path, sizeof path, "%s/self/oom_score_adj", proc);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "-1000", 5) != 5)
        (void)fail("the kernel may kill it when memory is short, unless it runs as root",
                   strerror(errno));
    if (fd >= 0)
        (void)close(fd);
}

int main(int count, char **arguments)
{
    static struct agent agent = {.period_ms = 250};
    const char *port = PORT, *proc = "/proc";

    for (int i = 1; i < count; i += 2) {
        const char *option = arguments[i], *value = i + 1 < count ? arguments[i + 1] : NULL;

        if (strcmp(option, "--help") == 0)
            return say(usage);
        if (strcmp(option, "--version") == 0)
            return say("vmres-agent " AGENT_VERSION "\n");
        if (!value)
            return fail(option, "is no option, or needs a value; see --help");
        if (strcmp(option, "--port") == 0)
            port = value;
        else if (strcmp(option, "--proc") == 0)
            proc = value;
        else if (strcmp(option, "--period") != 0)
            return fail(option, "is no option; see --help");
        else if (!parse_period(value, &agent.period_ms))
            return fail(value, "is no period; write 50 to 10000, in milliseconds");
    }
    if (!measure_open(&agent.measure, proc))
        return fail(proc, "there is no meminfo in it; mount /proc, or say where with --proc");
    if (!may_be_port(port))
        return fail(port, "is no device; name the port to the host, see /dev/virtio-ports");
    stay_alive(proc);
    (void)signal(SIGPIPE, SIG_IGN);
    alarm_open(&agent.alarm, proc);
    port_init(&agent.port, port);
    port_revive(&agent.port);
    if (agent.port.fd < 0)
        (void)fail(port, "it cannot be opened, and is tried again at every sample; see "
                         "/dev/virtio-ports");
    agent_serve(&agent);
}
