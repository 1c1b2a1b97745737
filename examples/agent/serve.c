/* SPDX-License-Identifier: MIT */
/*
 * The loop: a sample at every tick, an answer to every question, a notice when the alarm rings. It
 * waits in one place. Notices are for a host that said hello, which is known to understand them.
 */
#include <poll.h>

#include "agent.h"

#define FRESH_US 20000u   /* a sample is as good as a new one for so long */
#define SCOLD_US 1000000u /* nonsense is complained of so often */

static bool has_pressure(const struct agent *agent)
{
    return agent->measure.pressure >= 0;
}

static const struct sample *measure_again(struct agent *agent)
{
    struct sample sample;

    if (measure_take(&agent->measure, &sample))
        ring_add(&agent->ring, &sample);
    return ring_last(&agent->ring);
}

static void give_notice(struct agent *agent, const char *why, const struct sample *sample)
{
    char line[ANSWER_MOST];

    if (!agent->greeted || !sample)
        return;
    port_write(&agent->port, line, answer_notice(line, why, sample, has_pressure(agent)));
}

static void tick(struct agent *agent)
{
    const struct sample *sample = measure_again(agent);
    const char *why = sample ? alarm_look(&agent->alarm, sample) : NULL;

    if (why)
        give_notice(agent, why, sample);
    port_revive(&agent->port);
}

/* --- what the host asks --- */

static size_t hello(struct agent *agent, const struct request *request, char *line)
{
    agent->greeted = request->oldest <= PROTOCOL_NEWEST && request->newest >= PROTOCOL_OLDEST;
    if (!agent->greeted)
        return answer_error(line, request->id, "version");
    return answer_hello(line, request->id, agent->period_ms, has_pressure(agent));
}

static size_t report(struct agent *agent, const struct request *request, char *line)
{
    const struct sample *last = ring_last(&agent->ring);
    struct summary summary;

    if (!agent->greeted)
        return answer_error(line, request->id, "hello");
    if (!last || measure_now_us() - last->time_us >= FRESH_US)
        last = measure_again(agent);
    if (!last)
        return answer_error(line, request->id, "proc");
    summary = ring_tell(&agent->ring);
    return answer_report(line, request->id, last, &summary, has_pressure(agent));
}

static size_t scold(struct agent *agent, char *line)
{
    uint64_t now = measure_now_us();

    if (agent->scolded_us != 0 && now - agent->scolded_us < SCOLD_US)
        return 0;
    agent->scolded_us = now;
    return answer_error(line, 0, "request");
}

static size_t answer(struct agent *agent, const struct request *request, char *line)
{
    switch (request->ask) {
    case ASK_HELLO:
        return hello(agent, request, line);
    case ASK_REPORT:
        return report(agent, request, line);
    case ASK_UNKNOWN:
        return answer_error(line, request->id, "ask");
    case ASK_NONSENSE:
        break;
    }
    return scold(agent, line);
}

static void take_requests(struct agent *agent)
{
    char asked[REQUEST_MOST], line[ANSWER_MOST];
    enum port_line status;
    size_t length;

    while ((status = port_read(&agent->port, asked, &length)) == PORT_LINE ||
           status == PORT_TOO_LONG) {
        struct request request = {.ask = ASK_NONSENSE};

        if (length == 0)
            continue; /* a host says that to end what another may have left unfinished */
        if (status == PORT_LINE)
            request = request_parse(asked, length);
        port_write(&agent->port, line, answer(agent, &request, line));
    }
    if (status == PORT_GONE)
        agent->greeted = false;
}

/* --- the loop --- */

static void look(struct agent *agent, const struct pollfd *port, const struct pollfd *alarm)
{
    if (alarm->revents && alarm_rang(&agent->alarm, alarm->revents))
        give_notice(agent, "stall", measure_again(agent));
    if (port->revents & POLLOUT)
        port_flush(&agent->port);
    if (port->revents & (POLLIN | POLLERR))
        take_requests(agent);
    if (port->revents & (POLLHUP | POLLNVAL)) {
        port_leave(&agent->port);
        agent->greeted = false;
    }
}

void agent_serve(struct agent *agent)
{
    uint64_t period_us = (uint64_t)agent->period_ms * 1000;
    uint64_t due = 0;

    for (;;) {
        uint64_t now = measure_now_us();
        struct pollfd fds[2] = {{.events = POLLIN}, {.events = POLLPRI}};

        if (now >= due) {
            tick(agent);
            due = now + period_us;
        }
        fds[0].fd = agent->port.away ? -1 : agent->port.fd;
        fds[0].events = port_events(&agent->port);
        fds[1].fd = agent->alarm.fd;
        if (poll(fds, 2, (int)((due - now) / 1000) + 1) > 0)
            look(agent, &fds[0], &fds[1]);
    }
}
