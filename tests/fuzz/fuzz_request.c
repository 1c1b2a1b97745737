/* SPDX-License-Identifier: MIT */
/*
 * Bytes are read as a host's request by the agent, out of memory of just their size. What is taken
 * must be within bounds, and be taken with blanks around it and a member more as well.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect_same(const struct request *first, const char *line, size_t length)
{
    struct request second = request_parse(line, length);

    if (second.ask != first->ask || second.id != first->id || second.oldest != first->oldest ||
        second.newest != first->newest)
        abort();
}

static void repeat(const struct request *request, const char *line, size_t length)
{
    static const char more[] = ",\"another key\":1} ";
    size_t most = length + sizeof more;
    char *longer = malloc(most);
    size_t end = length;

    if (!longer)
        abort();
    memcpy(longer, line, length);
    while (longer[--end] != '}')
        ;
    memcpy(longer + end, more, sizeof more - 1);
    expect_same(request, longer, end + sizeof more - 1);
    free(longer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *line = malloc(size ? size : 1);
    struct request request;

    if (!line)
        abort();
    if (size > 0)
        memcpy(line, data, size);
    request = request_parse(line, size);
    if (request.id > NUMBER_MOST || request.oldest > NUMBER_MOST || request.newest > NUMBER_MOST)
        abort();
    if (request.ask != ASK_NONSENSE)
        repeat(&request, line, size);
    free(line);
    return 0;
}
