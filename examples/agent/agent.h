/* SPDX-License-Identifier: MIT */
/*
 * The agent from within. Data walks one way:
 *
 *     /proc -> measure.c -> ring.c -> answer.c -> port.c -> host
 *     host -> port.c -> request.c -> serve.c;   /proc/pressure -> alarm.c -> serve.c
 *
 * Nothing is allocated once it runs, and no file but the port is opened anew, for it must go on
 * when there is no memory left. What is said over the port, and its bounds, is in README.md.
 */
#ifndef VMRES_AGENT_H
#define VMRES_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AGENT_VERSION "0.1.0"
#define PROTOCOL_OLDEST 1u
#define PROTOCOL_NEWEST 1u
#define REQUEST_MOST ((size_t)256) /* bytes of a line, its end included */
#define ANSWER_MOST ((size_t)1024)
#define NUMBER_MOST ((uint64_t)1 << 53)

/* --- measure.c: what the kernel says --- */

struct sample {
    uint64_t time_us; /* since the guest booted */
    uint64_t total, free, available, cache, swap_total, swap_used;
    uint64_t some_us, full_us; /* stalled for so long in all: some task, all tasks */
    uint64_t refaults, refaults_anon, oom_kills;
};
struct measure {
    int meminfo, vmstat, pressure; /* kept open; pressure -1: a kernel without */
    char text[16384];
};
/* false: there is no meminfo in this directory. */
bool measure_open(struct measure *measure, const char *proc);
bool measure_take(struct measure *measure, struct sample *sample);
uint64_t measure_now_us(void);

/* --- ring.c: the stored samples --- */

#define RING_ROOM 64u

struct ring {
    struct sample samples[RING_ROOM];
    uint64_t taken, told; /* of all times: samples, and those an inquiry was answered with */
};
struct summary { /* of `used`, since the last inquiry */
    uint64_t count, most, mean;
};
void ring_add(struct ring *ring, const struct sample *sample);
/* NULL: there is none yet. */
const struct sample *ring_last(const struct ring *ring);
/* What was stored since it was last asked for: at least the last sample. */
struct summary ring_tell(struct ring *ring);

static inline uint64_t used_of(const struct sample *sample)
{
    return sample->total - sample->available;
}

/* --- request.c: what the host asks --- */

enum request_ask { ASK_NONSENSE, ASK_UNKNOWN, ASK_HELLO, ASK_REPORT };
struct request {
    enum request_ask ask;
    uint64_t id, oldest, newest;
};
struct request request_parse(const char *line, size_t length);

/* --- answer.c: lines for the host; each returns a length, at most ANSWER_MOST --- */

size_t answer_hello(char *line, uint64_t id, uint32_t period_ms, bool pressure);
size_t answer_error(char *line, uint64_t id, const char *why);
size_t answer_report(char *line, uint64_t id, const struct sample *sample,
                     const struct summary *summary, bool pressure);
size_t answer_notice(char *line, const char *why, const struct sample *sample, bool pressure);

/* --- port.c: a channel on which there may be nobody --- */

struct port {
    const char *path;
    int fd;        /* -1: not open */
    bool terminal; /* it is one, not a virtio port */
    bool away;     /* the host's end is closed: not to be polled until port_revive() */
    char in[REQUEST_MOST], out[4 * ANSWER_MOST];
    size_t in_length, out_length;
    bool skips; /* the rest of a line that is too long */
};
enum port_line { PORT_NOTHING, PORT_LINE, PORT_TOO_LONG, PORT_GONE };
void port_init(struct port *port, const char *path);
/* To be called now and then: looks for it, and for the host. */
void port_revive(struct port *port);
/* The host went away: what was on its way from or to it is forgotten. */
void port_leave(struct port *port);
/* What poll() should wait for. */
short port_events(const struct port *port);
/* The next line, without its end, which is '\0' then. PORT_GONE: port_leave() was called. */
enum port_line port_read(struct port *port, char line[REQUEST_MOST], size_t *length);
/* A line that does not fit is dropped: a host that does not read misses nothing it would want. */
void port_write(struct port *port, const char *line, size_t length);
void port_flush(struct port *port);

/* --- alarm.c: when memory is short --- */

struct alarm {
    int fd;             /* a trigger of the kernel's; -1: it has none, samples are looked at */
    uint64_t at_us;     /* of the last notice by a sample */
    uint64_t oom_kills; /* that are no news */
};
void alarm_open(struct alarm *alarm, const char *proc);
/* Whether the kernel's trigger went off, by what poll() says of it. */
bool alarm_rang(struct alarm *alarm, short events);
/* Why this sample is worth a notice, or NULL. */
const char *alarm_look(struct alarm *alarm, const struct sample *sample);

/* --- serve.c: the loop --- */

struct agent {
    struct measure measure;
    struct ring ring;
    struct port port;
    struct alarm alarm;
    uint32_t period_ms;
    bool greeted;        /* the host that is there now has said hello */
    uint64_t scolded_us; /* when nonsense was last complained of */
};
/* Never returns. */
_Noreturn void agent_serve(struct agent *agent);

#endif
