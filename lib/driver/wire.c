/* SPDX-License-Identifier: MIT */
/*
 * Owns the byte order of what is stored. No struct is ever copied as it lies in memory. It does not
 * judge what it reads: any 64 bytes are an event, and the engine refuses what makes no sense.
 */
#include "driver/wire.h"

static unsigned char *put16(unsigned char *at, uint16_t value)
{
    at[0] = (unsigned char)(value & 0xff);
    at[1] = (unsigned char)(value >> 8);
    return at + 2;
}

static const unsigned char *get16(const unsigned char *at, uint16_t *value)
{
    *value = (uint16_t)(at[0] | at[1] << 8);
    return at + 2;
}

unsigned char *vmres__wire_put32(unsigned char *at, uint32_t value)
{
    at = put16(at, (uint16_t)(value & 0xffff));
    return put16(at, (uint16_t)(value >> 16));
}

unsigned char *vmres__wire_put64(unsigned char *at, uint64_t value)
{
    at = vmres__wire_put32(at, (uint32_t)(value & 0xffffffff));
    return vmres__wire_put32(at, (uint32_t)(value >> 32));
}

const unsigned char *vmres__wire_get32(const unsigned char *at, uint32_t *value)
{
    uint16_t low, high;

    at = get16(at, &low);
    at = get16(at, &high);
    *value = (uint32_t)high << 16 | low;
    return at;
}

const unsigned char *vmres__wire_get64(const unsigned char *at, uint64_t *value)
{
    uint32_t low, high;

    at = vmres__wire_get32(at, &low);
    at = vmres__wire_get32(at, &high);
    *value = (uint64_t)high << 32 | low;
    return at;
}

/* The last word of these two is a pair of 32-bit fields at the same place in both. */
static int ends_in_pair(const struct vmres_event *event)
{
    return event->type == VMRES_EVENT_REPORT || event->type == VMRES_EVENT_VM_LIMITS;
}

void vmres__wire_put_event(unsigned char bytes[VMRES__WIRE_EVENT], const struct vmres_event *event)
{
    unsigned char *at = bytes;

    at = vmres__wire_put64(at, event->time_ms);
    at = vmres__wire_put64(at, event->id);
    at = vmres__wire_put32(at, event->vm);
    *at++ = event->type;
    *at++ = event->kind;
    at = put16(at, event->flags);
    at = vmres__wire_put32(at, event->incarnation);
    at = put16(at, event->valid);
    at = put16(at, event->result);
    for (int i = 0; i < 3; i++)
        at = vmres__wire_put64(at, event->as.words[i]);
    if (ends_in_pair(event)) {
        at = vmres__wire_put32(at, event->as.limits.weight);
        vmres__wire_put32(at, event->as.limits.participation);
    } else {
        vmres__wire_put64(at, event->as.words[3]);
    }
}

void vmres__wire_get_event(const unsigned char bytes[VMRES__WIRE_EVENT], struct vmres_event *event)
{
    const unsigned char *at = bytes;

    at = vmres__wire_get64(at, &event->time_ms);
    at = vmres__wire_get64(at, &event->id);
    at = vmres__wire_get32(at, &event->vm);
    event->type = *at++;
    event->kind = *at++;
    at = get16(at, &event->flags);
    at = vmres__wire_get32(at, &event->incarnation);
    at = get16(at, &event->valid);
    at = get16(at, &event->result);
    for (int i = 0; i < 3; i++)
        at = vmres__wire_get64(at, &event->as.words[i]);
    if (ends_in_pair(event)) {
        at = vmres__wire_get32(at, &event->as.limits.weight);
        vmres__wire_get32(at, &event->as.limits.participation);
    } else {
        vmres__wire_get64(at, &event->as.words[3]);
    }
}

void vmres__wire_put_action(unsigned char bytes[VMRES__WIRE_EVENT],
                            const struct vmres_action *action)
{
    unsigned char *at = bytes;

    at = vmres__wire_put64(at, action->time_ms);
    at = vmres__wire_put64(at, action->id);
    at = vmres__wire_put32(at, action->vm);
    *at++ = action->type;
    *at++ = action->kind;
    at = put16(at, action->flags);
    at = vmres__wire_put32(at, action->incarnation);
    at = vmres__wire_put32(at, action->reserved);
    for (int i = 0; i < 4; i++)
        at = vmres__wire_put64(at, action->as.words[i]);
}

void vmres__wire_get_action(const unsigned char bytes[VMRES__WIRE_EVENT],
                            struct vmres_action *action)
{
    const unsigned char *at = bytes;

    at = vmres__wire_get64(at, &action->time_ms);
    at = vmres__wire_get64(at, &action->id);
    at = vmres__wire_get32(at, &action->vm);
    action->type = *at++;
    action->kind = *at++;
    at = get16(at, &action->flags);
    at = vmres__wire_get32(at, &action->incarnation);
    at = vmres__wire_get32(at, &action->reserved);
    for (int i = 0; i < 4; i++)
        at = vmres__wire_get64(at, &action->as.words[i]);
}

uint32_t vmres__wire_crc(uint32_t crc, const void *data, size_t size)
{
    static const uint32_t nibbles[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
                                         0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                         0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                         0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    const unsigned char *bytes = data;

    crc = ~crc;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        crc = crc >> 4 ^ nibbles[crc & 15];
        crc = crc >> 4 ^ nibbles[crc & 15];
    }
    return ~crc;
}
