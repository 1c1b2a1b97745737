/* SPDX-License-Identifier: MIT */
/*
 * Form a: the peers' rules on known cases. Proxmox's are those of its own test, squeezed's the
 * eight hosts it is tested on; the others were worked out by hand from the rules.
 */
#include <math.h>

#include "peers/peer.h"
#include "support/check.h"

static void expect_near(double got, double wanted, double tolerance)
{
    if (!(fabs(got - wanted) <= tolerance))
        fail_msg("%.3f, not %.3f", got, wanted);
}

/* --- MOM --- */

static void mom_grows_all_or_shrinks_all(void **state)
{
    static const struct mom_setting mom = {.threshold = 0.20, .critical = 0.05};
    static const struct mom_setting vdsm = {.threshold = 0.20, .critical = 0.05, .vdsm = true};
    const struct peer_vm vm = {.floor = 200, .ceiling = 2000, .held = 1000};
    const struct peer_vm full = {.floor = 200, .ceiling = 1000, .held = 1000};
    const struct peer_vm low = {.floor = 200, .ceiling = 1000, .held = 150};

    (void)state;
    /* Enough: a twentieth more, or what it uses and a fifth, never above the ceiling. */
    expect_near(mom_target(&mom, 0.5, 700, &vm), 1050, 1e-9);
    expect_near(mom_target(&mom, 0.5, 950, &vm), 1150, 1e-9);
    expect_near(mom_target(&mom, 0.5, 1900, &vm), 2000, 1e-9);
    expect_near(mom_target(&mom, 0.5, 700, &full), 1000, 1e-9);
    /* Short: a twentieth less, but what it uses and a reserve that dwindles with the host's. */
    expect_near(mom_target(&mom, 0.1, 700, &vm), 950, 1e-9);
    expect_near(mom_target(&mom, 0.1, 870, &vm), 970, 1e-9);
    expect_near(mom_target(&mom, 0.1, 990, &vm), 1000, 1e-9);
    expect_near(mom_target(&mom, 0.1, 898, &vm), 1000, 1e-9); /* by 0.2 %: not worth it */
    /* Critical: the reserve is below nothing. */
    expect_near(mom_target(&mom, 0.02, 990, &vm), 960, 1e-9);
    /* vdsm: the same reserve when growing, and never below the floor. */
    expect_near(mom_target(&vdsm, 0.5, 700, &vm), 1200, 1e-9);
    expect_near(mom_target(&vdsm, 0.1, 0, &low), 200, 1e-9);
}

/* --- Proxmox, in its own test's megabytes --- */

enum { MOST = 100, LEAST = 10 };

/* Until nothing changes; what a guest is given or loses is free memory of it. */
static void spread_all(struct peer_host *host, double goal)
{
    double moved = 1;

    while (moved > 0) {
        moved = 0;
        proxmox_spread(host, goal, LEAST, MOST);
        for (uint32_t i = 0; i < host->count; i++) {
            struct peer_vm *vm = &host->vms[i];
            double change = vm->target - vm->held;

            vm->unused = fmax(0, vm->unused + change);
            vm->held = vm->target;
            goal -= change;
            moved += fabs(change);
        }
    }
}

static void expect_targets(const struct peer_host *host, double first, double second)
{
    expect_near(host->vms[0].target, first, 1e-9);
    expect_near(host->vms[1].target, second, 1e-9);
}

static void proxmox_spreads_by_shares(void **state)
{
    static const struct {
        double goal, first, second;
        bool repeat;
    } cases[] = {
        {0, 1000, 1000, false},   {90, 1060, 1030, false}, {150, 1100, 1050, false},
        {270, 1100, 1090, false}, {180, 1120, 1060, true}, {270, 1180, 1090, true},
        {600, 1300, 1300, true},  {900, 1600, 1300, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct peer_vm vms[] = {
            {.floor = 1000, .ceiling = 2000, .held = 1000, .target = 1000, .weight = 2},
            {.floor = 1000, .ceiling = 2000, .held = 1000, .target = 1000, .weight = 1},
        };
        struct peer_host host = {.count = 2, .vms = vms};

        if (cases[i].repeat)
            spread_all(&host, cases[i].goal);
        else
            proxmox_spread(&host, cases[i].goal, LEAST, MOST);
        expect_targets(&host, cases[i].first, cases[i].second);
    }
}

static void proxmox_passes_by_those_at_their_ceiling(void **state)
{
    struct peer_vm vms[] = {
        {.floor = 2000, .ceiling = 2000, .held = 2000, .target = 2000, .weight = 2},
        {.floor = 1000, .ceiling = 2000, .held = 1000, .target = 1000, .weight = 1},
    };
    struct peer_host host = {.count = 2, .vms = vms};

    (void)state;
    proxmox_spread(&host, 18, LEAST, MOST);
    expect_targets(&host, 2000, 1018);
    proxmox_spread(&host, 500, LEAST, MOST);
    expect_targets(&host, 2000, 1100);
}

static void proxmox_takes_from_those_with_much_free(void **state)
{
    static const double goals[] = {11, 80, 200}, wanted[] = {1018, 1087, 1107};
    static const double more[] = {593, -200, -400, -593};
    static const double after[][2] = {{1300, 1300}, {1200, 1200}, {1200, 1000}, {1007, 1000}};

    (void)state;
    for (size_t i = 0; i < 7; i++) {
        struct peer_vm vms[] = {
            {.floor = 2000, .ceiling = 2000, .held = 2000, .target = 2000, .weight = 2},
            {.floor = 1000, .ceiling = 2000, .held = 1007, .target = 1007, .weight = 1},
            {.floor = 1000,
             .ceiling = 2000,
             .held = 1000,
             .target = 1000,
             .weight = 1,
             .unused = 512},
        };
        struct peer_host host = {.count = 3, .vms = vms};

        if (i < 3) {
            proxmox_spread(&host, goals[i], LEAST, MOST);
            expect_near(vms[1].target, wanted[i], 1e-9);
            continue;
        }
        spread_all(&host, more[0]);
        if (i > 3)
            spread_all(&host, more[i - 3]);
        expect_near(vms[1].target, after[i - 3][0], 1e-9);
        expect_near(vms[2].target, after[i - 3][1], 1e-9);
    }
}

/* --- squeezed --- */

enum { STEPS_A_SECOND = 4, PATIENCE_S = 600, INEXACT = 2 };

struct domain {
    double floor, target, ceiling, held; /* as xapi knows it */
    double hidden_floor, hidden_ceiling; /* 0: none */
    double rate, pause_s;                /* a second; stands still every other so long */
    bool stuck;
};

struct case_of_squeezed {
    const char *name;
    struct domain domains[2];
    double free, need;
    bool one_phase, uncorrected;
    enum squeezed_verdict verdict;
    int blamed; /* who is named as stuck; -1: nobody */
};

/* Devices come to within INEXACT of their targets. */
static void turn_device(const struct domain *domain, struct peer_vm *vm, double at_s)
{
    double step = (domain->rate > 0 ? domain->rate : 1000) / STEPS_A_SECOND;
    double way = vm->target - vm->held, next;

    if (domain->stuck || fabs(way) <= INEXACT)
        return;
    if (domain->pause_s > 0 && fmod(floor(at_s / domain->pause_s), 2) == 1)
        return;
    way += way > 0 ? -INEXACT : INEXACT;
    next = vm->held + fmax(-step, fmin(step, way));
    if (domain->hidden_floor > 0)
        next = fmax(next, fmin(vm->held, domain->hidden_floor));
    if (domain->hidden_ceiling > 0)
        next = fmin(next, fmax(vm->held, domain->hidden_ceiling));
    vm->held = next;
}

struct outcome {
    enum squeezed_verdict verdict;
    struct squeezed_vm watch[2];
    struct peer_vm vms[2];
    double least_free;
};

static struct outcome squeeze(const struct case_of_squeezed *given)
{
    const struct squeezed_need need = {.required = given->need,
                                       .inexact = INEXACT,
                                       .one_phase = given->one_phase,
                                       .uncorrected = given->uncorrected};
    struct outcome outcome = {.verdict = SQUEEZED_AGAIN, .least_free = given->free};
    struct peer_host host = {.count = 2, .vms = outcome.vms, .unallocated = given->free};
    double total = given->free;

    for (int i = 0; i < 2; i++) {
        const struct domain *domain = &given->domains[i];

        outcome.vms[i] = (struct peer_vm){.floor = domain->floor,
                                          .ceiling = domain->ceiling,
                                          .held = domain->held,
                                          .target = domain->target};
        total += domain->held;
    }
    squeezed_begin(outcome.watch, &host);
    for (int step = 0; step < PATIENCE_S * STEPS_A_SECOND; step++) {
        host.now_s = (double)step / STEPS_A_SECOND;
        host.unallocated = total - outcome.vms[0].held - outcome.vms[1].held;
        outcome.least_free = fmin(outcome.least_free, host.unallocated);
        if (step % STEPS_A_SECOND == 0)
            outcome.verdict = squeezed_turn(&need, outcome.watch, &host);
        if (outcome.verdict != SQUEEZED_AGAIN)
            break;
        for (int i = 0; i < 2; i++)
            turn_device(&given->domains[i], &outcome.vms[i], host.now_s);
    }
    return outcome;
}

#define A_FLOOR \
    { \
        1000, 1500, 2000, 1500, .hidden_floor = 1250, .rate = 100 \
    }
#define A_PAUSE \
    { \
        2500, 3500, 4500, 3500, .rate = 500, .pause_s = 0.25 \
    }
static const struct case_of_squeezed cases_of_squeezed[] = {
    {"A", {A_FLOOR, A_PAUSE}, .need = 1000, .verdict = SQUEEZED_DONE, .blamed = 0},
    {"B",
     {{.floor = 500, .target = 3500, .ceiling = 4500, .held = 3500, .rate = 100, .pause_s = 3},
      {.floor = 500, .target = 1500, .ceiling = 2500, .held = 1500, .rate = 100, .pause_s = 1.5}},
     .need = 1000,
     .verdict = SQUEEZED_DONE,
     .blamed = -1},
    {"C",
     {{.floor = 1000, .target = 1500, .ceiling = 2000, .held = 1500},
      {.floor = 2000, .target = 2500, .ceiling = 3000, .held = 2500}},
     .need = 1500,
     .verdict = SQUEEZED_FAILED,
     .blamed = -1},
    {"D",
     {{.floor = 1000, .target = 1500, .ceiling = 2000, .held = 1500},
      {.floor = 2000, .target = 2500, .ceiling = 3000, .held = 2500, .hidden_floor = 2250}},
     .need = 1000,
     .verdict = SQUEEZED_FAILED,
     .blamed = 1},
    {"E",
     {{.floor = 5000, .target = 7000, .ceiling = 7000, .held = 7000, .stuck = true},
      {.floor = 5000, .target = 6000, .ceiling = 11000, .held = 6000}},
     .need = 1000 - 5 * INEXACT, /* all that the good one can be sure to have let go */
     .verdict = SQUEEZED_DONE,
     .blamed = 0},
    {"G",
     {A_FLOOR, A_PAUSE},
     .need = 1000,
     .uncorrected = true,
     .verdict = SQUEEZED_FAILED,
     .blamed = 0},
    {"H",
     {{.floor = 1000, .target = 1500, .ceiling = 2000, .held = 1500, .hidden_ceiling = 1500},
      {.floor = 1000, .target = 1500, .ceiling = 2000, .held = 1500}},
     .free = 1000,
     .verdict = SQUEEZED_DONE,
     .blamed = 0},
};

static void squeezed_ends_as_on_its_own_hosts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases_of_squeezed / sizeof cases_of_squeezed[0]; i++) {
        const struct case_of_squeezed *given = &cases_of_squeezed[i];
        struct outcome outcome = squeeze(given);

        if (outcome.verdict != given->verdict)
            fail_msg("%s ended as %d", given->name, (int)outcome.verdict);
        for (int vm = 0; vm < 2; vm++) {
            if (outcome.watch[vm].stuck != (vm == given->blamed))
                fail_msg("%s: VM %d is %sstuck", given->name, vm + 1,
                         outcome.watch[vm].stuck ? "" : "not ");
        }
        assert_true(outcome.least_free >= 0);
        if (given->name[0] == 'H')
            expect_near(outcome.vms[1].held, 2000, INEXACT);
    }
}

/* F: who grows before others have shrunk is given memory that nobody has. */
static void squeezed_needs_two_phases(void **state)
{
    const struct case_of_squeezed one_phase = {
        "F",
        {{.floor = 5000, .target = 7000, .ceiling = 7000, .held = 7000, .stuck = true},
         {.floor = 5000, .target = 6000, .ceiling = 11000, .held = 6000}},
        .need = 1000,
        .one_phase = true};

    (void)state;
    assert_true(squeeze(&one_phase).least_free < 0);
}

/* --- qmemman --- */

static struct peer_vm qube(double demand, double held, double ceiling)
{
    return (struct peer_vm){.floor = 0,
                            .ceiling = ceiling * PEER_MIB,
                            .held = held * PEER_MIB,
                            .target = held * PEER_MIB,
                            .demand = demand * PEER_MIB};
}

static void qmemman_hands_out_all_in_proportion(void **state)
{
    struct peer_vm vms[] = {qube(1000, 2000, 9000), qube(100, 2000, 9000), qube(1000, 1000, 1400)};
    struct peer_host host = {.count = 3, .vms = vms, .unallocated = 1050 * PEER_MIB};
    double wanted[3];

    (void)state;
    /* Preferred 1300, 200, 1300; 6000 in all: 3200 more, 1.1429 of what is preferred. The last can
     * take 100 of its 1486, what is over goes to the others. */
    qmemman_balance(&host, wanted);
    expect_near(wanted[0] / PEER_MIB, 0.999 * 2785.714 + 0.999 * 0.5 * 1382.929, 2);
    expect_near(wanted[1] / PEER_MIB, 0.999 * 428.571 + 0.999 * 0.5 * 1382.929, 2);
    expect_near(wanted[2] / PEER_MIB, 1400, 1e-6);
    assert_true(qmemman_significant(&host, wanted));
}

static void qmemman_collects_first_and_gives_a_turn_later(void **state)
{
    struct peer_vm vms[] = {qube(4000, 2000, 9000), qube(1000, 2000, 9000)};
    struct peer_host host = {.count = 2, .vms = vms, .unallocated = 50 * PEER_MIB};
    double wanted[2];

    (void)state;
    qmemman_balance(&host, wanted);
    expect_near(wanted[0] / PEER_MIB, 2000, 1e-6);
    expect_near(wanted[1] / PEER_MIB, 1300, 1e-6);
    vms[1].held = vms[1].target = wanted[1];
    host.unallocated = 750 * PEER_MIB;
    qmemman_balance(&host, wanted);
    expect_near(wanted[0] / PEER_MIB, 0.999 * 2560, 1e-3); /* four fifths of 700 */
}

static void qmemman_leaves_trifles(void **state)
{
    struct peer_vm vms[] = {qube(1000, 1500, 9000), qube(1000, 1500, 9000)};
    struct peer_host host = {.count = 2, .vms = vms, .unallocated = 53 * PEER_MIB};
    double wanted[2];

    (void)state;
    qmemman_balance(&host, wanted);
    assert_false(qmemman_significant(&host, wanted));
    host.unallocated = 30 * PEER_MIB; /* under the reserve */
    assert_true(qmemman_significant(&host, wanted));
}

/* --- ESX --- */

/* In the end nobody can outbid anybody: prices are alike, but at floors and ceilings. */
static void esx_prices_meet(void **state)
{
    struct peer_vm vms[] = {
        {.floor = 100, .ceiling = 4000, .weight = 1}, {.floor = 100, .ceiling = 4000, .weight = 2},
        {.floor = 800, .ceiling = 4000, .weight = 1}, {.floor = 100, .ceiling = 500, .weight = 4},
        {.floor = 100, .ceiling = 4000, .weight = 1},
    };
    const double active[] = {900, 100, 100, 400, 3000};
    struct peer_host host = {.count = 5, .vms = vms, .capacity = 5000};
    double price, sum = 0;

    (void)state;
    esx_balance(&host, active, 0.75);
    for (int i = 0; i < 5; i++)
        sum += vms[i].target;
    expect_near(sum, 5000, 1e-3);
    price = esx_price(&vms[0], active[0], vms[0].target, 0.75);
    expect_near(esx_price(&vms[1], active[1], vms[1].target, 0.75) / price, 1, 1e-6);
    expect_near(esx_price(&vms[4], active[4], vms[4].target, 0.75) / price, 1, 1e-6);
    expect_near(vms[2].target, 800, 1e-9); /* at its floor it may be too poor, */
    assert_true(esx_price(&vms[2], active[2], 800, 0.75) < price);
    expect_near(vms[3].target, 500, 1e-9); /* at its ceiling too rich */
    assert_true(esx_price(&vms[3], active[3], 500, 0.75) > price);
    /* Without a tax only shares count. */
    esx_balance(&host, active, 0);
    expect_near(vms[1].target / vms[0].target, 2, 1e-6);
}

/* An idle page costs four times an active one. */
static void esx_taxes_what_is_idle(void **state)
{
    const struct peer_vm vm = {.weight = 1};

    (void)state;
    expect_near(esx_price(&vm, 1000, 1000, 0.75) / esx_price(&vm, 0, 1000, 0.75), 4, 1e-9);
}

/* --- Hyper-V --- */

static void judge_hyperv(struct peer_host *host)
{
    const struct peer peer = {.name = "hyper-v", .rule = &hyperv_rule, .tuning = 0.20};

    peer.rule->judge(&peer, NULL, NULL, host);
}

static void hyperv_takes_excess_in_proportion(void **state)
{
    struct peer_vm vms[] = {
        {.floor = 100, .ceiling = 4000, .weight = 1, .held = 1000, .demand = 1000},
        {.floor = 100, .ceiling = 4000, .weight = 1, .held = 1600, .demand = 1000},
        {.floor = 100, .ceiling = 4000, .weight = 1, .held = 1300, .demand = 1000},
        {.floor = 100, .ceiling = 4000, .weight = 1, .held = 1210, .demand = 1000},
    };
    struct peer_host host = {.count = 4, .vms = vms, .capacity = 5210, .unallocated = 100};

    (void)state;
    judge_hyperv(&host); /* 200 needed, 100 there, 400 and 100 too much */
    expect_near(vms[0].target, 1200, 1e-9);
    expect_near(vms[1].target, 1520, 1e-9);
    expect_near(vms[2].target, 1280, 1e-9);
    expect_near(vms[3].target, 1210, 1e-9); /* within 2 %: left alone */
}

static void hyperv_shrinks_buffers_alike(void **state)
{
    struct peer_vm vms[] = {
        {.floor = 100, .ceiling = 4000, .weight = 1, .held = 1300, .demand = 2000},
        {.floor = 100, .ceiling = 4000, .weight = 3, .held = 2000, .demand = 1000},
    };
    struct peer_host host = {.count = 2, .vms = vms, .capacity = 3300};

    (void)state;
    judge_hyperv(&host); /* 300 are left for buffers of 600 */
    expect_near(vms[0].target, 2200, 1e-3);
    expect_near(vms[1].target, 1100, 1e-3);
}

static void hyperv_drops_buffers_then_goes_by_weight(void **state)
{
    struct peer_vm vms[] = {
        {.floor = 100, .ceiling = 4000, .weight = 1, .held = 1000, .demand = 2000},
        {.floor = 100, .ceiling = 4000, .weight = 3, .held = 1000, .demand = 3000},
        {.floor = 100, .ceiling = 4000, .weight = 1, .held = 600, .demand = 300},
    };
    struct peer_host host = {.count = 3, .vms = vms, .capacity = 2600};

    (void)state;
    judge_hyperv(&host); /* 2000 are left for the first two, beyond their floors, at 1 to 3 */
    expect_near(vms[2].target, 300, 1e-3);
    expect_near(vms[0].target, 100 + 525, 1e-3);
    expect_near(vms[1].target, 100 + 1575, 1e-3);
}

/* --- all --- */

static void every_peer_keeps_within_limits(void **state)
{
    (void)state;
    for (uint32_t i = 0; peer_at(i); i++) {
        const struct peer *peer = peer_at(i);
        struct peer_vm vms[] = {qube(900, 400, 800), qube(0, 400, 800), qube(300, 400, 800)};
        struct peer_host host = {.capacity = 1400 * PEER_MIB, .count = 3, .vms = vms};
        struct peer_memory memory;

        assert_ptr_equal(peer_find(peer->name), peer);
        assert_true(peer_open(&memory, peer, 3));
        for (uint32_t vm = 0; vm < 3; vm++) {
            vms[vm].floor = 300 * PEER_MIB;
            vms[vm].weight = 1;
        }
        for (host.now_s = 0; host.now_s < 120; host.now_s++) {
            host.unallocated = host.capacity;
            host.free = host.capacity;
            for (uint32_t vm = 0; vm < 3; vm++) {
                vms[vm].available = vms[vm].unused = fmax(0, vms[vm].held - vms[vm].demand);
                host.unallocated -= vms[vm].held;
                host.free -= fmin(vms[vm].held, vms[vm].demand);
            }
            peer_turn(peer, &memory, &host);
            for (uint32_t vm = 0; vm < 3; vm++) {
                assert_true(vms[vm].target >= vms[vm].floor);
                assert_true(vms[vm].target <= vms[vm].ceiling);
                vms[vm].held = vms[vm].target;
            }
        }
        peer_close(&memory);
    }
    assert_null(peer_find("nobody"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mom_grows_all_or_shrinks_all),
        cmocka_unit_test(proxmox_spreads_by_shares),
        cmocka_unit_test(proxmox_passes_by_those_at_their_ceiling),
        cmocka_unit_test(proxmox_takes_from_those_with_much_free),
        cmocka_unit_test(squeezed_ends_as_on_its_own_hosts),
        cmocka_unit_test(squeezed_needs_two_phases),
        cmocka_unit_test(qmemman_hands_out_all_in_proportion),
        cmocka_unit_test(qmemman_collects_first_and_gives_a_turn_later),
        cmocka_unit_test(qmemman_leaves_trifles),
        cmocka_unit_test(esx_prices_meet),
        cmocka_unit_test(esx_taxes_what_is_idle),
        cmocka_unit_test(hyperv_takes_excess_in_proportion),
        cmocka_unit_test(hyperv_shrinks_buffers_alike),
        cmocka_unit_test(hyperv_drops_buffers_then_goes_by_weight),
        cmocka_unit_test(every_peer_keeps_within_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
