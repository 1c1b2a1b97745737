/* SPDX-License-Identifier: MIT */
/*
 * virtio-balloon. QEMU speaks of the VM's size, not the balloon's: base memory and DIMMs less what
 * the balloon holds, virtio-mem not counted. Setting it is answered at once and says nothing; only
 * the size read back counts, and that is the guest's own word.
 */
#include "internal.h"

static json_t *set(const struct kvm_part *part, uint64_t size)
{
    (void)part;
    return json_pack("{s:s, s:{s:I}}", "execute", "balloon", "arguments", "value",
                     (json_int_t)size);
}

static json_t *read(const struct kvm_part *part)
{
    (void)part;
    return json_pack("{s:s}", "execute", "query-balloon");
}

static bool size_of(const json_t *value, uint64_t *size)
{
    return vmres__kvm_json_amount(json_object_get(value, "actual"), size);
}

const struct kvm_mechanism vmres__kvm_balloon = {VMRES_KVM_BALLOON, 0, set, read, size_of};
