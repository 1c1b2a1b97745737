/* SPDX-License-Identifier: MIT */
/* cmocka together with the headers it wants before it, and the checks of ours. */
#ifndef VMRES_TESTS_CHECK_H
#define VMRES_TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <vmres/status.h>

/* Expects a status; says both by name when they differ. */
#define EXPECT_STATUS(got, wanted) \
    assert_string_equal(vmres_status_name(got), vmres_status_name(wanted))

#define EXPECT_OK(got) EXPECT_STATUS(got, VMRES_OK)

#endif
