/* SPDX-License-Identifier: MIT */
/*
 * Bytes are read as an event log and replayed: as they are, and once more with every record's
 * checksum put right, so that what is behind it is reached too.
 */
#include <string.h>

#include <vmres/replay.h>

#include "driver/log.h"
#include "driver/wire.h"
#include "fuzz/heap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *data;
    size_t left;
};

static size_t read_some(void *user, void *data, size_t size)
{
    struct input *input = user;
    size_t n = size < input->left ? size : input->left;

    memcpy(data, input->data, n);
    input->data += n;
    input->left -= n;
    return n;
}

static void replay(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    struct vmres_replay_options options;
    struct vmres_replay_result result;
    struct heap heap;

    heap_init(&heap);
    vmres_replay_options_init(&options);
    options.read = read_some;
    options.user = &input;
    options.allocator = &heap.allocator;
    (void)!vmres_replay_run(&options, &result, NULL);
    heap_expect_empty(&heap);
}

/* Puts the checksums right of a log's records, as far as their sizes can be followed. */
static void mend(uint8_t *log, size_t size)
{
    size_t at = VMRES__LOG_HEAD;

    while (at < size && size - at >= VMRES__LOG_HEAD) {
        uint32_t body;

        vmres__wire_get32(log + at, &body);
        if (body > size - at - VMRES__LOG_HEAD)
            return;
        vmres__wire_put32(log + at + 8, vmres__wire_crc(vmres__wire_crc(0, log + at, 8),
                                                        log + at + VMRES__LOG_HEAD, body));
        at += VMRES__LOG_HEAD + body;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size + 1);

    replay(data, size);
    if (copy) {
        memcpy(copy, data, size);
        mend(copy, size);
        replay(copy, size);
    }
    free(copy);
    return 0;
}
