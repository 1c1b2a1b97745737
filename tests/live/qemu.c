/* SPDX-License-Identifier: MIT */
/*
 * Starting, watching and ending QEMU, and a QMP client that blocks: the opposite in all of the
 * library's own, so that what one says checks the other.
 */
#define _GNU_SOURCE /* prctl */
#include "live/qemu.h"

#include <errno.h>
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
#include <time.h>
#include <unistd.h>

#include "support/check.h"

#define BOOT_MS 300000u
#define REPLY_MS 30000
#define ARGUMENTS 64
#define SWAP_SIZE (256 << 20)

uint64_t qemu_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void qemu_pause_ms(unsigned ms)
{
    (void)poll(NULL, 0, (int)ms);
}

const char *qemu_directory(int count, char **arguments)
{
    if (count != 2) {
        fprintf(stderr, "usage: %s DIRECTORY, as filled by tests/live/fetch\n", arguments[0]);
        exit(2);
    }
    return arguments[1];
}

/* --- the process --- */

static void read_word(const char *directory, const char *name, char *word, size_t room)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", directory, name);
    file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(word, (int)room, file));
    word[strcspn(word, "\n")] = '\0';
    fclose(file);
}

static void run(struct qemu *qemu, const char *const *arguments)
{
    qemu->pid = fork();
    assert_true(qemu->pid >= 0);
    if (qemu->pid > 0)
        return;
    /* It must not outlive a test that crashed. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!freopen("/dev/null", "r", stdin) || !freopen(qemu->complaints, "w", stderr))
        _exit(1);
    execvp(arguments[0], (char *const *)(uintptr_t)arguments);
    _exit(1);
}

static void make_swap(const struct qemu *qemu)
{
    int fd = open(qemu->swap, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, SWAP_SIZE), 0);
    close(fd);
}

/* What an agent needs: arguments that live as long as the texts they are written into. */
static size_t add_agent(struct qemu *qemu, const struct qemu_options *options, char texts[3][256],
                        const char **arguments)
{
    const char *const added[] = {"-device",  "virtio-serial-pci",
                                 "-chardev", texts[0],
                                 "-device",  "virtserialport,chardev=agent,name=org.vmres.agent.0",
                                 "-chardev", texts[1],
                                 "-device",  "virtserialport,chardev=shell,name=org.vmres.test.0",
                                 "-drive",   texts[2]};

    snprintf(qemu->agent, sizeof qemu->agent, "%s/%s.agent", options->directory, options->name);
    snprintf(qemu->shell, sizeof qemu->shell, "%s/%s.shell", options->directory, options->name);
    snprintf(qemu->swap, sizeof qemu->swap, "%s/%s.swap", options->directory, options->name);
    snprintf(texts[0], 256, "socket,id=agent,path=%s,server=on,wait=off", qemu->agent);
    snprintf(texts[1], 256, "socket,id=shell,path=%s,server=on,wait=off", qemu->shell);
    snprintf(texts[2], 256, "file=%s,if=virtio,format=raw,cache=unsafe", qemu->swap);
    make_swap(qemu);
    memcpy(arguments, added, sizeof added);
    return sizeof added / sizeof *added;
}

void qemu_place(struct qemu *qemu, const char *directory, const char *name)
{
    memset(qemu, 0, sizeof *qemu);
    qemu->fd = -1;
    qemu->shell_fd = -1;
    snprintf(qemu->socket, sizeof qemu->socket, "%s/%s.qmp", directory, name);
    snprintf(qemu->own, sizeof qemu->own, "%s/%s.own", directory, name);
    snprintf(qemu->console, sizeof qemu->console, "%s/%s.out", directory, name);
    snprintf(qemu->complaints, sizeof qemu->complaints, "%s/%s.err", directory, name);
}

void qemu_start(struct qemu *qemu, const struct qemu_options *options)
{
    char accelerator[16], accel[32], memory[48], kernel[256], initrd[256], append[256];
    char qmp[160], own[160], serial[160], texts[3][256];
    const char *arguments[ARGUMENTS] = {"qemu-system-x86_64",
                                        "-M",
                                        "q35",
                                        "-accel",
                                        accel,
                                        "-m",
                                        memory,
                                        "-nodefaults",
                                        "-display",
                                        "none",
                                        "-kernel",
                                        kernel,
                                        "-initrd",
                                        initrd,
                                        "-append",
                                        append,
                                        "-qmp",
                                        qmp,
                                        "-qmp",
                                        own,
                                        "-serial",
                                        serial,
                                        "-device",
                                        "virtio-balloon-pci,id=bal0,deflate-on-oom=on"};
    size_t count = 0;

    qemu_place(qemu, options->directory, options->name);
    read_word(options->directory, "accelerator", accelerator, sizeof accelerator);
    (void)unlink(qemu->console);
    snprintf(accel, sizeof accel, "%s", strcmp(accelerator, "kvm") ? "tcg,tb-size=32" : "kvm");
    snprintf(memory, sizeof memory, "%uM,slots=1,maxmem=1G", options->mib);
    snprintf(kernel, sizeof kernel, "%s/kernel", options->directory);
    snprintf(initrd, sizeof initrd, "%s/initrd", options->directory);
    snprintf(append, sizeof append,
             "console=ttyS0 panic=-1 quiet swiotlb=noforce no_timer_check %s", options->words);
    snprintf(qmp, sizeof qmp, "unix:%s,server=on,wait=off", qemu->socket);
    snprintf(own, sizeof own, "unix:%s,server=on,wait=off", qemu->own);
    snprintf(serial, sizeof serial, "file:%s", qemu->console);
    while (arguments[count])
        count++;
    if (!options->reboots)
        arguments[count++] = "-no-reboot";
    if (options->agent)
        count += add_agent(qemu, options, texts, arguments + count);
    for (size_t i = 0; options->extra && options->extra[i]; i++) {
        assert_true(count < ARGUMENTS - 1);
        arguments[count++] = options->extra[i];
    }
    run(qemu, arguments);
}

void qemu_end(struct qemu *qemu)
{
    if (qemu->pid <= 0)
        return;
    (void)kill(qemu->pid, SIGKILL);
    (void)waitpid(qemu->pid, NULL, 0);
    qemu->pid = 0;
    if (qemu->fd >= 0)
        (void)close(qemu->fd);
    qemu->fd = -1;
    if (qemu->shell_fd >= 0)
        (void)close(qemu->shell_fd);
    qemu->shell_fd = -1;
    (void)unlink(qemu->socket);
    (void)unlink(qemu->own);
    (void)unlink(qemu->agent);
    (void)unlink(qemu->shell);
    (void)unlink(qemu->swap);
}

unsigned qemu_said(const struct qemu *qemu, const char *text)
{
    FILE *file = fopen(qemu->console, "r");
    char line[256];
    unsigned said = 0;

    while (file && fgets(line, sizeof line, file))
        said += strstr(line, text) != NULL;
    if (file)
        fclose(file);
    return said;
}

void qemu_wait(struct qemu *qemu)
{
    uint64_t begin = qemu_now_ms();

    while (qemu_said(qemu, "guest: ready") == 0) {
        if (waitpid(qemu->pid, NULL, WNOHANG) == qemu->pid)
            fail_msg("QEMU ended; see %s", qemu->complaints);
        if (qemu_now_ms() - begin > BOOT_MS)
            fail_msg("the guest did not come up; see %s", qemu->console);
        qemu_pause_ms(20);
    }
}

uint64_t qemu_resident(const struct qemu *qemu)
{
    char path[64], line[256];
    uint64_t resident = 0;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/status", (int)qemu->pid);
    file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, "VmRSS:", 6) == 0)
            resident = strtoull(line + 6, NULL, 10) * 1024;
    if (file)
        fclose(file);
    return resident;
}

uint64_t qemu_overhead(const struct qemu *qemu)
{
    const uint64_t guest = (uint64_t)100 << 20;
    uint64_t begin = 0, end = 0, overhead = 0;
    char path[64], line[512];
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/smaps", (int)qemu->pid);
    file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        (void)sscanf(line, "%" SCNx64 "-%" SCNx64 " ", &begin, &end);
        if (strncmp(line, "Rss:", 4) == 0 && end - begin < guest)
            overhead += strtoull(line + 4, NULL, 10) * 1024;
    }
    fclose(file);
    return overhead;
}

/* --- QMP --- */

/* The next line that contains `word`; all others, events mostly, are passed over. */
static void read_line(struct qemu *qemu, const char *word, char *line, size_t room)
{
    size_t length = 0;

    for (;;) {
        struct pollfd ready = {.fd = qemu->fd, .events = POLLIN};

        if (poll(&ready, 1, REPLY_MS) != 1 || length == room - 1 ||
            read(qemu->fd, line + length, 1) != 1)
            fail_msg("QEMU does not answer");
        if (line[length++] != '\n')
            continue;
        line[length] = '\0';
        if (strstr(line, word))
            return;
        length = 0;
    }
}

static void ask(struct qemu *qemu, const char *command, char *reply, size_t room)
{
    size_t length = strlen(command);

    assert_int_equal(write(qemu->fd, command, length), (ssize_t)length);
    read_line(qemu, "\"return\"", reply, room);
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%.107s", path);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

int qemu_occupy(const struct qemu *qemu)
{
    return connect_to(qemu->socket);
}

static void connect_own(struct qemu *qemu)
{
    char line[4096];

    if (qemu->fd >= 0)
        return;
    qemu->fd = connect_to(qemu->own);
    read_line(qemu, "\"QMP\"", line, sizeof line);
    ask(qemu, "{\"execute\": \"qmp_capabilities\"}\n", line, sizeof line);
}

void qemu_do(struct qemu *qemu, const char *command)
{
    char line[128], reply[4096];

    connect_own(qemu);
    snprintf(line, sizeof line, "{\"execute\": \"%s\"}\n", command);
    ask(qemu, line, reply, sizeof reply);
}

void qemu_balloon(struct qemu *qemu, uint64_t size)
{
    char command[128], reply[4096];

    connect_own(qemu);
    snprintf(command, sizeof command,
             "{\"execute\": \"balloon\", \"arguments\": {\"value\": %" PRIu64 "}}\n", size);
    ask(qemu, command, reply, sizeof reply);
}

/* The number that the reply to a command has after a key. */
static uint64_t ask_number(struct qemu *qemu, const char *command, const char *key)
{
    char reply[4096];
    const char *at;

    connect_own(qemu);
    ask(qemu, command, reply, sizeof reply);
    at = strstr(reply, key);
    assert_non_null(at);
    return strtoull(at + strlen(key), NULL, 10);
}

uint64_t qemu_actual(struct qemu *qemu)
{
    return ask_number(qemu, "{\"execute\": \"query-balloon\"}\n", "\"actual\": ");
}

void qemu_plug(struct qemu *qemu, uint64_t size)
{
    char command[192], reply[4096];

    connect_own(qemu);
    snprintf(command, sizeof command,
             "{\"execute\": \"qom-set\", \"arguments\": {\"path\": \"/machine/peripheral/mem0\", "
             "\"property\": \"requested-size\", \"value\": %" PRIu64 "}}\n",
             size);
    ask(qemu, command, reply, sizeof reply);
}

uint64_t qemu_plugged(struct qemu *qemu)
{
    return ask_number(qemu,
                      "{\"execute\": \"qom-get\", \"arguments\": {\"path\": "
                      "\"/machine/peripheral/mem0\", \"property\": \"size\"}}\n",
                      "\"return\": ");
}

void qemu_tell(struct qemu *qemu, const char *command)
{
    if (qemu->shell_fd < 0)
        qemu->shell_fd = connect_to(qemu->shell);
    assert_true(dprintf(qemu->shell_fd, "%s\n", command) > 0);
}
