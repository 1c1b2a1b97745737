/* SPDX-License-Identifier: MIT */
/*
 * virtio-mem: memory in blocks, each plugged or not. The host asks by the property requested-size;
 * the guest plugs and unplugs what it can, and the property size says how far it came. Where it
 * cannot there is no error, and no event. Linux gives up its own memory blocks, of 128 MiB mostly,
 * each in one step if it is asked for all of it, and in steps of 2 MiB if it is asked for less:
 * in the same time, and with no step that can fail as a whole.
 */
#include "internal.h"

#define PIECE (64 * VMRES_MIB)

static json_t *set(const struct kvm_part *part, uint64_t size)
{
    return json_pack("{s:s, s:{s:s, s:s, s:I}}", "execute", "qom-set", "arguments", "path",
                     part->path, "property", "requested-size", "value", (json_int_t)size);
}

static json_t *read(const struct kvm_part *part)
{
    return json_pack("{s:s, s:{s:s, s:s}}", "execute", "qom-get", "arguments", "path", part->path,
                     "property", "size");
}

static bool size_of(const json_t *value, uint64_t *size)
{
    return vmres__kvm_json_amount(value, size);
}

const struct kvm_mechanism vmres__kvm_virtio_mem = {VMRES_KVM_VIRTIO_MEM, PIECE, set, read,
                                                    size_of};
