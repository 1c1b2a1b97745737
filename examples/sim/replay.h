/* SPDX-License-Identifier: MIT */
/* Running an event log again. */
#ifndef VMRES_SIM_REPLAY_H
#define VMRES_SIM_REPLAY_H

#include "options.h"

enum exit_code replay(const struct options *options);

#endif
