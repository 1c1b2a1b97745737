/* SPDX-License-Identifier: MIT */
/*
 * What a VM is, by asking QEMU: does it run, is it on its way to another host, how much memory has
 * it, and which devices can move some of that. Versions are never asked for: what a QEMU does not
 * know it says, and then it is not there. Invariant: the parts in use are replaced as a whole, by
 * the last answer of a probe, and those that are still there keep what they were told.
 */
#include <stdio.h>
#include <string.h>

#include "internal.h"

#define STATISTICS_SECONDS 1
#define SUM_MOST ((uint64_t)1 << 53) /* as of a single amount */

static json_t *qom_list(const char *path)
{
    return json_pack("{s:s, s:{s:s}}", "execute", "qom-list", "arguments", "path", path);
}

json_t *vmres__kvm_probe_ask(struct kvm_vm *vm, enum kvm_question question)
{
    static const char *const plain[] = {
        [KVM_ASK_STATUS] = "query-status",
        [KVM_ASK_MIGRATION] = "query-migrate",
        [KVM_ASK_SIZE] = "query-memory-size-summary",
        [KVM_ASK_DEVICES] = "query-memory-devices",
    };

    switch (question) {
    case KVM_ASK_EVENTS: /* of migrations: off by default */
        return json_pack("{s:s, s:{s:[{s:s, s:b}]}}", "execute", "migrate-set-capabilities",
                         "arguments", "capabilities", "capability", "events", "state", 1);
    case KVM_ASK_GUARD:
        return json_pack("{s:s, s:{s:s, s:s}}", "execute", "qom-get", "arguments", "path",
                         "/machine", "property", "confidential-guest-support");
    case KVM_ASK_NAMED:
        return qom_list("/machine/peripheral");
    case KVM_ASK_UNNAMED:
        return qom_list("/machine/peripheral-anon");
    case KVM_ASK_HUSH:
    case KVM_ASK_INTERVAL:
        return json_pack("{s:s, s:{s:s, s:s, s:i}}", "execute", "qom-set", "arguments", "path",
                         vmres__kvm_part_find(&vm->parts, VMRES_KVM_BALLOON)->path, "property",
                         "guest-stats-polling-interval", "value",
                         question == KVM_ASK_HUSH ? 0 : STATISTICS_SECONDS);
    default:
        return json_pack("{s:s}", "execute", plain[question]);
    }
}

void vmres__kvm_probe_again(struct kvm_vm *vm)
{
    memset(&vm->probe, 0, sizeof vm->probe);
    vm->probe.next = KVM_ASK_STATUS;
    vm->looks = 0;
}

/* Why the guest does not run, by the reply to query-status. */
static const char *why_stopped(const json_t *status)
{
    static const struct {
        const char *word, *why;
    } words[] = {
        {"save-vm", "a snapshot is being taken of it"},
        {"restore-vm", "it is being set back to a snapshot"},
        {"inmigrate", "it is on its way from another host"},
        {"finish-migrate", "it is on its way to another host"},
        {"postmigrate", "it has gone to another host"},
        {"internal-error", "QEMU stopped it after an error"},
        {"io-error", "QEMU stopped it after an error"},
    };
    const char *word = vmres__kvm_json_text(status, "status");

    if (!status || json_is_true(json_object_get(status, "running")))
        return NULL;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(word, words[i].word) == 0)
            return words[i].why;
    return "it is paused";
}

bool vmres__kvm_probe_migrates(const json_t *data)
{
    static const char *const over[] = {"", "none", "completed", "failed", "cancelled"};
    const char *status = vmres__kvm_json_text(data, "status");

    for (size_t i = 0; i < sizeof over / sizeof *over; i++)
        if (strcmp(status, over[i]) == 0)
            return false;
    return true;
}

static struct kvm_part *add_part(struct kvm_probe *probe, const struct kvm_mechanism *mechanism,
                                 const char *place, const char *name)
{
    struct kvm_parts *found = &probe->found;
    struct kvm_part *part = &found->parts[found->count];
    int length;

    if (found->count == KVM_PARTS_MAX)
        return NULL;
    *part = (struct kvm_part){.mechanism = mechanism, .block = KVM_PAGE, .told = KVM_UNKNOWN};
    length = snprintf(part->path, sizeof part->path, "%s/%s", place, name);
    if (*name == '\0' || length < 0 || (size_t)length >= sizeof part->path)
        return NULL;
    found->count++;
    return part;
}

static void add_up(uint64_t *sum, uint64_t amount)
{
    *sum = kvm_min(*sum + amount, SUM_MOST);
}

/* Without an id, or as one of too many, it cannot be spoken of; but what somebody else has it plug
 * is the guest's all the same. */
static void take_virtio_mem(struct kvm_probe *probe, const json_t *data)
{
    struct kvm_part *part;
    uint64_t most;

    if (!vmres__kvm_json_amount(json_object_get(data, "max-size"), &most))
        return;
    part = add_part(probe, &vmres__kvm_virtio_mem, "/machine/peripheral",
                    vmres__kvm_json_text(data, "id"));
    if (part && vmres__kvm_json_amount(json_object_get(data, "block-size"), &part->block) &&
        vmres__kvm_json_amount(json_object_get(data, "requested-size"), &part->requested) &&
        part->block > 0) {
        part->most = most;
        return;
    }
    if (part)
        probe->found.count--;
    add_up(&probe->beyond, most);
}

/* A balloon's size counts DIMMs, and no NVDIMMs: those are storage, and no more of a VM's memory
 * than its disks are. */
static void take_devices(struct kvm_probe *probe, const json_t *list)
{
    size_t index;
    json_t *device;

    json_array_foreach(list, index, device)
    {
        const char *type = vmres__kvm_json_text(device, "type");
        const json_t *data = json_object_get(device, "data");
        uint64_t size;

        if (strcmp(type, "virtio-mem") == 0)
            take_virtio_mem(probe, data);
        else if (strcmp(type, "dimm") == 0 &&
                 vmres__kvm_json_amount(json_object_get(data, "size"), &size))
            add_up(&probe->dimms, size);
    }
}

static void take_peripherals(struct kvm_probe *probe, const json_t *list, const char *place)
{
    size_t index;
    json_t *entry;

    json_array_foreach(list, index, entry)
    {
        const char *type = vmres__kvm_json_text(entry, "type");

        if (strncmp(type, "child<virtio-balloon", strlen("child<virtio-balloon")) == 0 &&
            !vmres__kvm_part_find(&probe->found, VMRES_KVM_BALLOON))
            (void)add_part(probe, &vmres__kvm_balloon, place, vmres__kvm_json_text(entry, "name"));
        if (strncmp(type, "child<vfio-", strlen("child<vfio-")) == 0)
            probe->vfio = true;
    }
}

/* What a balloon gives is of no use where its pages are pinned, encrypted or part of a larger one.
 * Blocks are another matter: QEMU refuses the device where they could not be freed. */
static const char *why_fixed(struct kvm_vm *vm)
{
    uint64_t half = vm->probe.base / 2;

    vmres__kvm_witness_look(vm);
    if (vm->probe.vfio)
        return "a device of the host is passed through: its memory is pinned";
    if (vm->probe.encrypted)
        return "its memory is encrypted: a balloon frees none";
    if (vm->witness.huge > half)
        return "its memory lies in huge pages: a balloon frees none";
    if (vm->witness.locked > half)
        return "its memory is locked: nothing that is given up would be free";
    return NULL;
}

static void fix_balloon(struct kvm_vm *vm)
{
    vm->fixed_why = why_fixed(vm);
    for (uint32_t i = 0; i < vm->parts.count; i++)
        vm->parts.parts[i].fixed =
            vm->fixed_why && vm->parts.parts[i].mechanism->device == VMRES_KVM_BALLOON;
}

/* A part that was there before keeps what is known of it. */
static void inherit(struct kvm_part *part, const struct kvm_parts *old)
{
    part->now = part->most;
    part->wanted = KVM_UNKNOWN;
    for (uint32_t i = 0; i < old->count; i++) {
        if (strcmp(old->parts[i].path, part->path) != 0)
            continue;
        part->now = kvm_min(old->parts[i].now, part->most);
        part->wanted = old->parts[i].wanted;
        part->told = old->parts[i].told;
        part->spurned = old->parts[i].spurned;
    }
}

static void finish(struct kvm_vm *vm)
{
    struct kvm_parts *found = &vm->probe.found;
    uint64_t fixed = vm->probe.base + vm->probe.dimms;

    found->rest = fixed + vm->probe.beyond;
    for (uint32_t i = 0; i < found->count; i++) {
        struct kvm_part *part = &found->parts[i];

        if (part->mechanism->device == VMRES_KVM_BALLOON) {
            part->most = fixed;
            found->rest = vm->probe.beyond;
        }
        inherit(part, &vm->parts);
    }
    if (vm->probe.base > 0) { /* else QEMU does not say how large it is: too old, perhaps */
        vm->parts = *found;
        vmres__kvm_survey_expect(vm);
    }
    fix_balloon(vm);
    vm->probe.next =
        vmres__kvm_part_find(&vm->parts, VMRES_KVM_BALLOON) ? KVM_ASK_INTERVAL : KVM_ASK_PROBED;
}

/* All is known: read what it holds, for the first time or anew. */
static void probed(struct kvm_vm *vm)
{
    vmres__kvm_agenda_look(vm);
    if (vm->parts.count == 0)
        vmres__kvm_agenda_seen(vm);
    vmres__kvm_standing_tell(vm);
}

void vmres__kvm_probe_take(struct kvm_vm *vm, enum kvm_question question, struct kvm_reply reply)
{
    struct kvm_probe *probe = &vm->probe;

    if (question != probe->next)
        return; /* begun anew meanwhile */
    probe->next = question + 1;
    switch (question) {
    case KVM_ASK_STATUS:
        vm->stopped = why_stopped(reply.value);
        break;
    case KVM_ASK_MIGRATION:
        vm->migrating = vmres__kvm_probe_migrates(reply.value);
        break;
    case KVM_ASK_SIZE:
        (void)vmres__kvm_json_amount(json_object_get(reply.value, "base-memory"), &probe->base);
        break;
    case KVM_ASK_DEVICES:
        take_devices(probe, reply.value);
        break;
    case KVM_ASK_GUARD: /* a path, or "" */
        probe->encrypted = reply.value && json_string_length(reply.value) > 0;
        break;
    case KVM_ASK_NAMED:
        take_peripherals(probe, reply.value, "/machine/peripheral");
        break;
    case KVM_ASK_UNNAMED:
        take_peripherals(probe, reply.value, "/machine/peripheral-anon");
        finish(vm);
        break;
    default:
        break;
    }
    if (probe->next == KVM_ASK_PROBED)
        probed(vm);
}
