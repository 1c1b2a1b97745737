/* SPDX-License-Identifier: MIT */
/*
 * Starting and ending QEMU as a manager would, and listening to the guest. The guest's console is
 * QEMU's standard input and output, so no socket of it is left behind; the QMP socket is used here
 * for one word, before the library takes it over. What comes from the guest is cut to a line's
 * length and believed as far as a picture goes.
 */
#define _GNU_SOURCE /* prctl */
#include "guest.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define SWAP_BYTES ((off_t)1 << 30) /* of a file with holes */
#define CONNECT_TRIES 200           /* 10 ms each */

/* --- what the guest says --- */

static void take_line(struct guest *guest)
{
    unsigned long swapped;
    unsigned percent;

    if (strcmp(guest->line, "ready") == 0) {
        guest->state = GUEST_READY;
    } else if (strcmp(guest->line, "done") == 0) {
        guest->state = GUEST_DONE;
    } else if (strcmp(guest->line, "low") == 0) {
        guest->low_ms = uv_now(guest->console.loop);
    } else if (sscanf(guest->line, "at %u %lu", &percent, &swapped) == 2) {
        guest->percent = percent <= 100 ? percent : 100;
        guest->swapped = swapped <= SWAP_BYTES / 1024 ? (uint64_t)swapped * 1024 : 0;
    }
}

static void make_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct guest *guest = handle->data;

    (void)suggested;
    *buffer = uv_buf_init(guest->bytes, sizeof guest->bytes);
}

static void take_bytes(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
    struct guest *guest = stream->data;

    if (length < 0) {
        guest->state = GUEST_ENDED;
        uv_read_stop(stream);
    }
    for (ssize_t i = 0; i < length; i++) {
        char c = buffer->base[i];

        if (c == '\n') {
            guest->line[guest->length] = '\0';
            take_line(guest);
            guest->length = 0;
        } else if (c != '\r' && guest->length < sizeof guest->line - 1) {
            guest->line[guest->length++] = c;
        }
    }
}

/* --- QEMU --- */

/* In the child. It must not outlive us, and a Ctrl-C is for us to hear, not for it. */
static void become_qemu(const struct guest *guest, const char *const *arguments, int console)
{
    int complaints = open(guest->complaints, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setsid();
    if (dup2(console, 0) < 0 || dup2(console, 1) < 0 || dup2(complaints, 2) < 0)
        _exit(1);
    execvp(arguments[0], (char *const *)(uintptr_t)arguments);
    _exit(1);
}

static bool make_swap(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    bool made = fd >= 0 && ftruncate(fd, SWAP_BYTES) == 0;

    if (fd >= 0)
        close(fd);
    return made;
}

static bool spawn(struct guest *guest, const struct guest_options *options, int console)
{
    char memory[16], kernel[256], initrd[256], append[256], qmp[160], agent[176], swap[128];
    char drive[224];
    const char *const arguments[] = {"qemu-system-x86_64",
                                     "-M",
                                     "q35",
                                     "-accel",
                                     options->kvm ? "kvm" : "tcg,tb-size=64",
                                     "-m",
                                     memory,
                                     "-nodefaults",
                                     "-display",
                                     "none",
                                     "-no-reboot",
                                     "-kernel",
                                     kernel,
                                     "-initrd",
                                     initrd,
                                     "-append",
                                     append,
                                     "-qmp",
                                     qmp,
                                     "-chardev",
                                     "stdio,id=console,signal=off",
                                     "-serial",
                                     "chardev:console",
                                     "-device",
                                     "virtio-balloon-pci,id=balloon,deflate-on-oom=on",
                                     "-device",
                                     "virtio-serial-pci",
                                     "-chardev",
                                     agent,
                                     "-device",
                                     "virtserialport,chardev=agent,name=org.vmres.agent.0",
                                     "-drive",
                                     drive,
                                     "-device",
                                     "virtio-blk-pci,drive=swap",
                                     NULL};

    snprintf(memory, sizeof memory, "%uM", options->mib);
    snprintf(kernel, sizeof kernel, "%s/kernel", options->directory);
    snprintf(initrd, sizeof initrd, "%s/demo-initrd", options->directory);
    snprintf(append, sizeof append,
             "console=ttyS0 panic=-1 quiet swiotlb=noforce no_timer_check -- %s", options->words);
    snprintf(qmp, sizeof qmp, "unix:%s,server=on,wait=off", guest->socket);
    snprintf(agent, sizeof agent, "socket,id=agent,path=%s,server=on,wait=off", guest->agent);
    snprintf(swap, sizeof swap, "%s/%s.swap", options->scratch, guest->name);
    snprintf(drive, sizeof drive, "file=%s,if=none,id=swap,format=raw,cache=unsafe", swap);
    if (!make_swap(swap))
        return false;
    guest->pid = fork();
    if (guest->pid == 0)
        become_qemu(guest, arguments, console);
    return guest->pid > 0;
}

bool guest_start(struct guest *guest, uv_loop_t *loop, const struct guest_options *options)
{
    int pair[2];

    *guest = (struct guest){.name = options->name};
    snprintf(guest->socket, sizeof guest->socket, "%s/%s.qmp", options->scratch, guest->name);
    snprintf(guest->agent, sizeof guest->agent, "%s/%s.agent", options->scratch, guest->name);
    snprintf(guest->complaints, sizeof guest->complaints, "%s/%s.err", options->scratch,
             guest->name);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return false;
    uv_pipe_init(loop, &guest->console, 0);
    guest->console.data = guest;
    guest->console_open = true;
    if (uv_pipe_open(&guest->console, pair[0]) != 0)
        close(pair[0]);
    else if (spawn(guest, options, pair[1]))
        uv_read_start((uv_stream_t *)&guest->console, make_room, take_bytes);
    close(pair[1]);
    if (guest->pid > 0)
        return true;
    fprintf(stderr,
            "kvm-demo: %s cannot be started; run examples/kvm-demo/run, which prepares %s\n",
            guest->name, options->directory);
    return false;
}

void guest_end(struct guest *guest)
{
    if (guest->pid > 0) {
        (void)kill(guest->pid, SIGKILL);
        (void)waitpid(guest->pid, NULL, 0);
    }
    guest->pid = 0;
    if (guest->console_open)
        uv_close((uv_handle_t *)&guest->console, NULL);
    guest->console_open = false;
}

void guest_go(struct guest *guest)
{
    uv_buf_t word = uv_buf_init((char[]){"go\n"}, 3);

    (void)uv_try_write((uv_stream_t *)&guest->console, &word, 1);
}

/* --- one word in QMP --- */

/* QEMU listens soon after it was started. */
static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    for (int tries = 0; fd >= 0 && tries < CONNECT_TRIES; tries++) {
        if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
            return fd;
        (void)poll(NULL, 0, 10);
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Sends a command, if any, and waits for a line with the word. */
static bool say(FILE *qmp, const char *command, const char *word)
{
    char line[4096];

    if (fputs(command, qmp) < 0 || fflush(qmp) != 0)
        return false;
    while (fgets(line, sizeof line, qmp))
        if (strstr(line, word))
            return true;
    return false;
}

/* What QEMU itself had to say stands in a file that is soon gone. */
static void complain(const struct guest *guest)
{
    FILE *file = fopen(guest->complaints, "r");
    char words[160];

    if (!file || !fgets(words, sizeof words, file))
        snprintf(words, sizeof words, "it said nothing");
    if (file)
        fclose(file);
    words[strcspn(words, "\n")] = '\0';
    fprintf(stderr,
            "kvm-demo: the QEMU of %s does not answer (%s); run examples/kvm-demo/run anew\n",
            guest->name, words);
}

bool guest_allot(struct guest *guest, uint64_t size)
{
    int fd = connect_to(guest->socket);
    FILE *qmp = fd >= 0 ? fdopen(fd, "r+") : NULL;
    char command[128];
    bool told;

    snprintf(command, sizeof command,
             "{\"execute\": \"balloon\", \"arguments\": {\"value\": %" PRIu64 "}}\n", size);
    told = qmp && say(qmp, "", "\"QMP\"") &&
           say(qmp, "{\"execute\": \"qmp_capabilities\"}\n", "\"return\"") &&
           say(qmp, command, "\"return\"");
    if (!told)
        complain(guest);
    if (qmp)
        fclose(qmp);
    else if (fd >= 0)
        close(fd);
    return told;
}
