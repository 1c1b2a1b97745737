/* SPDX-License-Identifier: MIT */
/*
 * Runs the tests one by one, each in a world of its own, and tells what came of them. After every
 * test, whatever it was about, the laws of the journal are checked, and that the engine never had
 * to refuse a word as against the contract.
 */
#include <stdio.h>

#include "suite.h"

enum { TEXT_ROOM = 320 };

struct teller {
    void (*report)(void *user, const struct vmres_conformance_result *result);
    void *user;
};

static const struct {
    uint32_t capability;
    const char *name;
} names[] = {
    {1u << VMRES_HARM_PARTIAL, "partial release"},
    {1u << VMRES_HARM_REFUSE, "refusal"},
    {1u << VMRES_HARM_IGNORE, "VM that ignores requests"},
    {1u << VMRES_HARM_VANISH, "VM that vanishes"},
    {1u << VMRES_HARM_REBOOT, "reboot"},
    {1u << VMRES_HARM_RETAKE, "VM that retakes"},
    {1u << VMRES_HARM_LINK, "link that breaks"},
    {VMRES_CONFORMANCE_SLOW, "removals that take time"},
    {VMRES_CONFORMANCE_REPORTS, "guests that report"},
    {VMRES_CONFORMANCE_ADOPTS, "VMs that go on without a driver"},
};

/* What of a test's needs this world lacks; NULL: nothing. */
static const char *missing(const struct vmres_conformance_fixture *fixture, uint32_t needs)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (needs & names[i].capability & ~fixture->capabilities)
            return names[i].name;
    }
    return NULL;
}

static void check_laws(struct suite *suite)
{
    const char *breach = vmres__journal_breach(&suite->journal, suite->guests);
    struct vmres_counters counters;

    if (breach) { /* it is the cause of whatever the test has seen */
        suite->wrong.status = VMRES_OK;
        vmres__suite_fail(suite, "%s", breach);
    }
    if (!suite->driver)
        return;
    vmres_engine_counters(vmres_driver_engine(suite->driver), &counters);
    vmres__suite_expect(suite, counters.refused_contract == 0,
                        "the engine refused an event as against the contract");
    vmres__suite_expect(suite, counters.refused_invalid == 0,
                        "the engine refused an event as malformed");
}

static bool run(const struct vmres_conformance_fixture *fixture, const struct suite_test *test,
                const struct teller *teller)
{
    struct suite suite = {.fixture = fixture};
    struct vmres_conformance_result result = {
        .fixture = fixture->name, .test = test->name, .text = suite.wrong.message};
    const char *lacks = missing(fixture, test->needs);
    char text[TEXT_ROOM];

    if (lacks) {
        (void)snprintf(text, sizeof text, "this world has no %s", lacks);
        result.outcome = VMRES_CONFORMANCE_SKIPPED;
        result.text = text;
        teller->report(teller->user, &result);
        return true;
    }
    vmres__world_open(&suite, test->vms);
    vmres__world_connect(&suite);
    if (suite_is_well(&suite))
        test->run(&suite);
    check_laws(&suite);
    vmres__world_close(&suite);
    if (!suite_is_well(&suite))
        result.outcome = VMRES_CONFORMANCE_FAILED;
    teller->report(teller->user, &result);
    return suite_is_well(&suite);
}

static bool is_complete(const struct vmres_conformance_fixture *fixture)
{
    uint32_t harms = (1u << (VMRES_HARM_LINK + 1)) - 2;

    return fixture && fixture->size >= sizeof *fixture && fixture->name && fixture->open &&
           fixture->connect && (fixture->tick || (fixture->now && fixture->run_until)) &&
           (fixture->hurt || !(fixture->capabilities & harms));
}

int vmres_conformance_run(const struct vmres_conformance_fixture *fixture,
                          void (*report)(void *user, const struct vmres_conformance_result *result),
                          void *user)
{
    const struct suite_test *const lists[] = {vmres__suite_must, vmres__suite_may};
    const struct teller teller = {report, user};
    int failures = 0;

    if (!is_complete(fixture) || !report)
        return -1;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        for (const struct suite_test *test = lists[i]; test->name; test++)
            failures += !run(fixture, test, &teller);
    }
    return failures;
}

void vmres_conformance_print(void *file, const struct vmres_conformance_result *result)
{
    static const char *const words[] = {
        [VMRES_CONFORMANCE_PASSED] = "passed",
        [VMRES_CONFORMANCE_FAILED] = "FAILED",
        [VMRES_CONFORMANCE_SKIPPED] = "skipped",
    };

    (void)fprintf(file, "%s: %-7s %s%s%s\n", result->fixture, words[result->outcome], result->test,
                  result->text[0] ? ": " : "", result->text);
}
