/* SPDX-License-Identifier: MIT */
/* The rig's guests, as the rig itself sees them. */
#ifndef VMRES_TESTS_RIG_GUEST_H
#define VMRES_TESTS_RIG_GUEST_H

#include "support/rig.h"

/* An action has reached the guest, or all of them. */
void rig_guest_hears(struct rig *rig, const struct vmres_action *action);

#endif
