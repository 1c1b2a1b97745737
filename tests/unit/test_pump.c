/* SPDX-License-Identifier: MIT */
/*
 * The pump between an engine and a backend that are both puppets here: what each is told, in which
 * order, and that nothing runs for ever. The engine's functions are defined in this file, so that
 * the library's own are not linked in.
 */
#include <string.h>

#include <vmres/driver.h>

#include "driver/internal.h"
#include "support/check.h"

enum { ROOM = 400 };

/* --- the engine: answers the n-th step with what the test has put there --- */

static struct {
    struct vmres_event told[ROOM];
    int tolds; /* events; steps for more are in `mores` */
    int mores;
    int calls;                      /* in which there may be several events */
    struct vmres_action actions[8]; /* handed out by the next step, `batch` at a time */
    uint32_t count, batch, handed;
    int again; /* the actions are handed out on every event, not once */
    enum vmres_status refuse;
    uint64_t deadline;
    int deadline_stays;
} engine;

struct vmres_engine {
    int unused;
};

void vmres_engine_options_init(struct vmres_engine_options *options)
{
    *options = (struct vmres_engine_options){.size = sizeof *options};
}

enum vmres_status vmres_engine_create(const struct vmres_engine_options *options,
                                      struct vmres_engine **created, struct vmres_error *error)
{
    static struct vmres_engine only;

    (void)options, (void)error;
    *created = &only;
    return VMRES_OK;
}

void vmres_engine_destroy(struct vmres_engine *destroyed)
{
    (void)destroyed;
}

uint64_t vmres_engine_deadline(const struct vmres_engine *asked)
{
    (void)asked;
    return engine.deadline;
}

enum vmres_status vmres_engine_step(struct vmres_engine *stepped, const struct vmres_event *event,
                                    struct vmres_actions *actions)
{
    uint32_t left;

    (void)stepped;
    *actions = (struct vmres_actions){0};
    if (event) {
        if (engine.tolds < ROOM)
            engine.told[engine.tolds] = *event;
        engine.tolds++;
        if (engine.refuse)
            return engine.refuse;
        if (event->type == VMRES_EVENT_TIMEOUT && !engine.deadline_stays)
            engine.deadline = UINT64_MAX;
        if (engine.again)
            engine.handed = 0;
    } else {
        engine.mores++;
    }
    left = engine.count - engine.handed;
    actions->items = engine.actions + engine.handed;
    actions->count = engine.batch && engine.batch < left ? engine.batch : left;
    engine.handed += actions->count;
    return engine.handed < engine.count ? VMRES_MORE : VMRES_OK;
}

enum vmres_status vmres_engine_steps(struct vmres_engine *stepped, const struct vmres_event *events,
                                     uint32_t count, uint32_t *taken, struct vmres_actions *actions)
{
    enum vmres_status status = VMRES_OK;

    engine.calls++;
    for (*taken = 0; *taken < count && status == VMRES_OK && actions->count == 0; ++*taken)
        status = vmres_engine_step(stepped, &events[*taken], actions);
    return status;
}

/* --- the backend --- */

static struct {
    struct vmres_backend backend;
    struct vmres_action submitted[ROOM];
    int submits, cancels, stops;
    uint64_t cancelled;
    enum vmres_status answer;
    int pumps_back; /* calls the pump from submit, which it must not notice */
    int answers;    /* posts a final answer from submit */
} puppet;

static enum vmres_status start(struct vmres_backend *backend, struct vmres_driver *driver,
                               struct vmres_error *error)
{
    (void)backend, (void)driver, (void)error;
    return VMRES_OK;
}

static enum vmres_status submit(struct vmres_backend *backend, const struct vmres_action *action)
{
    int tolds = engine.tolds;

    if (puppet.submits < ROOM)
        puppet.submitted[puppet.submits] = *action;
    puppet.submits++;
    if (puppet.answers) {
        struct vmres_event final =
            vmres_event_make(VMRES_EVENT_REMOVED, 0, action->vm, action->incarnation);

        final.id = action->id;
        final.flags = VMRES_FLAG_FINAL;
        EXPECT_OK(vmres_driver_post(backend->driver, &final));
    }
    if (puppet.pumps_back)
        vmres_driver_pump(backend->driver, 1000000);
    assert_int_equal(engine.tolds, tolds);
    return puppet.answer;
}

static void cancel(struct vmres_backend *backend, uint64_t command)
{
    (void)backend;
    puppet.cancels++;
    puppet.cancelled = command;
}

static void stop(struct vmres_backend *backend)
{
    (void)backend;
    puppet.stops++;
}

static struct vmres_backend_ops ops = {
    .size = sizeof ops,
    .name = "puppet",
    .start = start,
    .submit = submit,
    .stop = stop,
    .destroy = stop,
};

static struct vmres_driver *driver;
static int woken;

static void wake(void *user)
{
    (void)user;
    woken++;
}

static int setup(void **state)
{
    static const struct vmres_resource memory = {.name = "memory", .granule = 1, .capacity = 100};
    static const struct vmres_vm_limits limits = {.ceiling = 100};
    static const struct vmres_vm_spec spec = {.name = "vm", .limits = &limits};
    struct vmres_driver_options options;
    uint32_t vm;

    (void)state;
    memset(&engine, 0, sizeof engine);
    memset(&puppet, 0, sizeof puppet);
    woken = 0;
    engine.deadline = UINT64_MAX;
    ops.cancel = cancel;
    EXPECT_OK(vmres_backend_init(&puppet.backend, &ops, NULL));
    vmres_driver_options_init(&options);
    options.engine.max_vms = 2;
    options.engine.kinds = 1;
    options.engine.resources = &memory;
    options.backend = &puppet.backend;
    options.wake = wake;
    EXPECT_OK(vmres_driver_create(&options, &driver, NULL));
    EXPECT_OK(vmres_driver_start(driver, 10, NULL));
    EXPECT_OK(vmres_driver_add_vm(driver, &spec, &vm));
    assert_int_equal(vm, 0);
    vmres_driver_pump(driver, 10);
    assert_int_equal(engine.tolds, 2); /* VM_ADDED, VM_LIMITS */
    engine.tolds = 0;
    woken = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    vmres_driver_destroy(driver);
    return 0;
}

static void post(enum vmres_event_type type)
{
    struct vmres_event event = vmres_event_make(type, 0, 0, 0);

    EXPECT_OK(vmres_driver_post(driver, &event));
}

static void ask_for(uint32_t count, enum vmres_action_type type)
{
    engine.count = count;
    engine.handed = 0;
    for (uint32_t i = 0; i < count; i++)
        engine.actions[i] =
            (struct vmres_action){.id = 100 + i, .type = (uint8_t)type, .incarnation = 1};
}

/* --- tests --- */

static void events_are_stamped_and_told_in_order(void **state)
{
    (void)state;
    post(VMRES_EVENT_VM_LIVE);
    post(VMRES_EVENT_REPORT);
    post(VMRES_EVENT_ALLOT);
    vmres_driver_pump(driver, 20);
    assert_int_equal(engine.tolds, 3);
    assert_int_equal(engine.told[0].type, VMRES_EVENT_VM_LIVE);
    assert_int_equal(engine.told[1].type, VMRES_EVENT_REPORT);
    assert_int_equal(engine.told[2].type, VMRES_EVENT_ALLOT);
    assert_int_equal(engine.told[2].time_ms, 20);
    assert_int_equal(engine.told[0].incarnation, 1);
}

/* Each of another life, or the newest would replace the others. */
static void post_reports(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct vmres_event report = vmres_event_make(VMRES_EVENT_REPORT, 0, 0, i + 1);

        EXPECT_OK(vmres__queue_post(&driver->queue, &report));
    }
}

static void reports_go_in_at_once(void **state)
{
    (void)state;
    post_reports(6);
    post(VMRES_EVENT_ALLOT);
    vmres_driver_pump(driver, 20);
    assert_int_equal(engine.tolds, 7);
    assert_int_equal(engine.calls, 1);
    for (uint32_t i = 0; i < 6; i++) {
        assert_int_equal(engine.told[i].incarnation, i + 1);
        assert_int_equal(engine.told[i].time_ms, 20);
    }
    assert_int_equal(engine.told[6].type, VMRES_EVENT_ALLOT);
}

/* Answers that a backend posts at once stand behind what was there before. */
static void reports_that_ask_for_something_are_looked_at(void **state)
{
    (void)state;
    post_reports(5);
    puppet.answers = 1;
    ask_for(3, VMRES_ACTION_REQUEST_REMOVAL);
    engine.batch = 2;
    vmres_driver_pump(driver, 20);
    assert_int_equal(engine.calls, 2);
    assert_int_equal(engine.mores, 1);
    assert_int_equal(puppet.submits, 3);
    assert_int_equal(engine.tolds, 8);
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(engine.told[i].incarnation, i + 1);
    for (uint32_t i = 5; i < 8; i++)
        assert_int_equal(engine.told[i].type, VMRES_EVENT_REMOVED);
}

static void time_never_goes_backwards(void **state)
{
    (void)state;
    post(VMRES_EVENT_ALLOT);
    vmres_driver_pump(driver, 20);
    post(VMRES_EVENT_ALLOT);
    vmres_driver_pump(driver, 5);
    assert_int_equal(engine.told[1].time_ms, 20);
}

static void timeouts_come_when_due_and_after_what_is_queued(void **state)
{
    (void)state;
    engine.deadline = 50;
    vmres_driver_pump(driver, 49);
    assert_int_equal(engine.tolds, 0);
    assert_int_equal(vmres_driver_deadline(driver), 50);
    post(VMRES_EVENT_ALLOT);
    assert_int_equal(vmres_driver_deadline(driver), 0);
    vmres_driver_pump(driver, 51);
    assert_int_equal(engine.tolds, 2);
    assert_int_equal(engine.told[0].type, VMRES_EVENT_ALLOT);
    assert_int_equal(engine.told[1].type, VMRES_EVENT_TIMEOUT);
    assert_int_equal(engine.told[1].time_ms, 51);
    assert_true(vmres_driver_deadline(driver) == UINT64_MAX);
}

static void a_deadline_that_stays_does_not_hang_the_pump(void **state)
{
    (void)state;
    engine.deadline = 50;
    engine.deadline_stays = 1;
    vmres_driver_pump(driver, 60);
    assert_true(engine.tolds > 1 && engine.tolds < ROOM);
}

static void engine_and_backend_cannot_chat_for_ever(void **state)
{
    (void)state;
    engine.again = 1;
    puppet.answers = 1;
    ask_for(1, VMRES_ACTION_REQUEST_REMOVAL);
    post(VMRES_EVENT_ALLOT);
    vmres_driver_pump(driver, 60); /* returns, and wants to be called again at once */
    assert_true(engine.tolds > ROOM);
    assert_int_equal(vmres_driver_deadline(driver), 0);
}

static void all_batches_are_fetched(void **state)
{
    (void)state;
    ask_for(7, VMRES_ACTION_REQUEST_REMOVAL);
    engine.batch = 2;
    post(VMRES_EVENT_ALLOT);
    vmres_driver_pump(driver, 20);
    assert_int_equal(engine.mores, 3);
    assert_int_equal(puppet.submits, 7);
    for (int i = 0; i < 7; i++)
        assert_int_equal(puppet.submitted[i].id, 100 + i);
}

static void a_refusal_is_answered_in_the_backend_s_place(void **state)
{
    static const struct {
        enum vmres_action_type action;
        enum vmres_event_type answer;
    } pairs[] = {
        {VMRES_ACTION_REQUEST_REMOVAL, VMRES_EVENT_REMOVED},
        {VMRES_ACTION_REASSIGN, VMRES_EVENT_REASSIGNED},
        {VMRES_ACTION_NOTIFY, VMRES_EVENT_INCORPORATED},
        {VMRES_ACTION_PIN, VMRES_EVENT_PINNED},
    };

    (void)state;
    puppet.answer = VMRES_IO;
    for (int i = 0; i < 4; i++) {
        const struct vmres_event *told = &engine.told[1];

        engine.tolds = 0;
        ask_for(1, pairs[i].action);
        post(VMRES_EVENT_ALLOT);
        vmres_driver_pump(driver, 20);
        assert_int_equal(engine.tolds, 2);
        assert_int_equal(told->type, pairs[i].answer);
        assert_int_equal(told->id, 100);
        assert_int_equal(told->vm, 0);
        assert_int_equal(told->incarnation, 1);
        assert_int_equal(told->flags, VMRES_FLAG_FINAL);
        assert_int_equal(told->result, VMRES_RESULT_REFUSED);
        assert_int_equal(told->valid, 0);
    }
    assert_int_equal(driver->queue.owing, 0);
}

static void a_refused_inquiry_has_no_answer(void **state)
{
    struct vmres_driver_counters counters;

    (void)state;
    puppet.answer = VMRES_IO;
    ask_for(1, VMRES_ACTION_INQUIRE);
    engine.actions[0].vm = VMRES_VM_NONE;
    post(VMRES_EVENT_ALLOT);
    vmres_driver_pump(driver, 20);
    assert_int_equal(engine.tolds, 1);
    vmres_driver_counters(driver, &counters);
    assert_int_equal(counters.submitted, 1);
    assert_int_equal(counters.refused, 1);
}

static void cancel_has_its_own_operation(void **state)
{
    (void)state;
    ask_for(1, VMRES_ACTION_CANCEL);
    engine.actions[0].as.cancel.command = 4711;
    post(VMRES_EVENT_ALLOT);
    vmres_driver_pump(driver, 20);
    assert_int_equal(puppet.submits, 0);
    assert_int_equal(puppet.cancels, 1);
    assert_int_equal(puppet.cancelled, 4711);
    ops.cancel = NULL;
    ask_for(1, VMRES_ACTION_CANCEL);
    post(VMRES_EVENT_ALLOT);
    vmres_driver_pump(driver, 20);
    assert_int_equal(puppet.submits, 0);
    assert_int_equal(puppet.cancels, 1);
}

static void a_pump_within_the_pump_does_nothing(void **state)
{
    (void)state;
    puppet.pumps_back = 1;
    puppet.answers = 1;
    ask_for(2, VMRES_ACTION_REQUEST_REMOVAL);
    post(VMRES_EVENT_ALLOT);
    vmres_driver_pump(driver, 20); /* submit() checks */
    assert_int_equal(puppet.submits, 2);
    assert_int_equal(engine.tolds, 3);
    assert_int_equal(engine.told[2].time_ms, 20);
}

static void only_the_first_post_wakes(void **state)
{
    (void)state;
    post(VMRES_EVENT_ALLOT);
    post(VMRES_EVENT_ALLOT);
    assert_int_equal(woken, 1);
    puppet.answers = 1;
    ask_for(1, VMRES_ACTION_REQUEST_REMOVAL);
    vmres_driver_pump(driver, 20); /* posts within a pump do not */
    assert_int_equal(woken, 1);
    post(VMRES_EVENT_ALLOT);
    assert_int_equal(woken, 2);
}

static void a_backend_that_never_answers_is_asked_no_more(void **state)
{
    struct vmres_driver_counters counters;

    (void)state;
    engine.again = 1;
    ask_for(8, VMRES_ACTION_REQUEST_REMOVAL);
    for (int i = 0; i < 100; i++) {
        post(VMRES_EVENT_ALLOT);
        vmres_driver_pump(driver, 20);
    }
    vmres_driver_counters(driver, &counters);
    assert_true(counters.unanswerable > 0);
    assert_int_equal(counters.submitted + counters.unanswerable, 800);
    assert_int_equal(driver->queue.owing, counters.submitted);
    /* Its VM goes: nothing is owed, and there is room again. */
    engine.count = engine.handed = 0;
    post(VMRES_EVENT_VM_GONE);
    vmres_driver_pump(driver, 30);
    assert_int_equal(driver->queue.owing, 0);
}

static void a_command_for_a_former_life_is_not_submitted(void **state)
{
    struct vmres_event reborn = vmres_event_make(VMRES_EVENT_OBSERVED, 0, 0, 2);

    (void)state;
    ask_for(1, VMRES_ACTION_REQUEST_REMOVAL);
    post(VMRES_EVENT_ALLOT);
    EXPECT_OK(vmres_driver_post(driver, &reborn));
    vmres_driver_pump(driver, 20); /* asks on ALLOT, has not heard of the reboot yet */
    assert_int_equal(puppet.submits, 0);
    assert_int_equal(driver->queue.owing, 0);
}

static void a_vm_the_engine_refused_leaves_its_name(void **state)
{
    static const struct vmres_vm_limits limits = {.ceiling = 100};
    static const struct vmres_vm_spec spec = {.name = "other", .limits = &limits};
    uint32_t vm;

    (void)state;
    EXPECT_OK(vmres_driver_add_vm(driver, &spec, &vm));
    assert_string_equal(vmres_driver_vm_name(driver, vm), "other");
    engine.refuse = VMRES_NOROOM;
    vmres_driver_pump(driver, 20);
    assert_null(vmres_driver_vm_name(driver, vm));
    /* A departure that it refused is none. */
    post(VMRES_EVENT_VM_GONE);
    vmres_driver_pump(driver, 20);
    assert_string_equal(vmres_driver_vm_name(driver, 0), "vm");
}

static void the_last_word_of_a_departed_vm_harms_nobody(void **state)
{
    static const struct vmres_vm_limits limits = {.ceiling = 100};
    static const struct vmres_vm_spec spec = {.name = "next", .limits = &limits};
    struct vmres_event late = vmres_event_make(VMRES_EVENT_VM_GONE, 0, 0, 1);
    uint32_t vm;

    (void)state;
    post(VMRES_EVENT_VM_GONE);
    vmres_driver_pump(driver, 20);
    EXPECT_STATUS(vmres_driver_post(driver, &late), VMRES_UNKNOWN);
    EXPECT_OK(vmres_driver_add_vm(driver, &spec, &vm));
    assert_int_equal(vm, 0);
    EXPECT_STATUS(vmres_driver_post(driver, &late), VMRES_STALE);
    assert_string_equal(vmres_driver_vm_name(driver, 0), "next");
}

static void stopping_delivers_what_was_said_and_then_the_loss(void **state)
{
    (void)state;
    ask_for(1, VMRES_ACTION_REQUEST_REMOVAL);
    post(VMRES_EVENT_REPORT);
    vmres_driver_stop(driver, 70);
    assert_int_equal(puppet.stops, 1);
    assert_int_equal(puppet.submits, 0);
    assert_int_equal(engine.tolds, 2);
    assert_int_equal(engine.told[0].type, VMRES_EVENT_REPORT);
    assert_int_equal(engine.told[1].type, VMRES_EVENT_BACKEND_LOST);
    assert_int_equal(engine.told[1].time_ms, 70);
    assert_null(puppet.backend.driver);
    assert_true(vmres_driver_deadline(driver) == UINT64_MAX);
    vmres_driver_pump(driver, 80);
    assert_int_equal(engine.tolds, 2);
    vmres_driver_stop(driver, 90);
    assert_int_equal(puppet.stops, 1);
}

static void starting_again_says_that_the_backend_is_ready(void **state)
{
    (void)state;
    vmres_driver_stop(driver, 70);
    engine.tolds = 0;
    EXPECT_OK(vmres_driver_start(driver, 80, NULL));
    assert_int_equal(engine.tolds, 1);
    assert_int_equal(engine.told[0].type, VMRES_EVENT_BACKEND_READY);
}

static void a_lost_backend_owes_no_answers(void **state)
{
    (void)state;
    ask_for(3, VMRES_ACTION_REQUEST_REMOVAL);
    post(VMRES_EVENT_ALLOT);
    vmres_driver_pump(driver, 20);
    assert_int_equal(driver->queue.owing, 3);
    post(VMRES_EVENT_BACKEND_LOST);
    vmres_driver_pump(driver, 20);
    assert_int_equal(driver->queue.owing, 0);
}

#define WITH_PUPPETS(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PUPPETS(events_are_stamped_and_told_in_order),
        WITH_PUPPETS(reports_go_in_at_once),
        WITH_PUPPETS(reports_that_ask_for_something_are_looked_at),
        WITH_PUPPETS(time_never_goes_backwards),
        WITH_PUPPETS(timeouts_come_when_due_and_after_what_is_queued),
        WITH_PUPPETS(a_deadline_that_stays_does_not_hang_the_pump),
        WITH_PUPPETS(engine_and_backend_cannot_chat_for_ever),
        WITH_PUPPETS(all_batches_are_fetched),
        WITH_PUPPETS(a_refusal_is_answered_in_the_backend_s_place),
        WITH_PUPPETS(a_refused_inquiry_has_no_answer),
        WITH_PUPPETS(cancel_has_its_own_operation),
        WITH_PUPPETS(a_pump_within_the_pump_does_nothing),
        WITH_PUPPETS(only_the_first_post_wakes),
        WITH_PUPPETS(a_backend_that_never_answers_is_asked_no_more),
        WITH_PUPPETS(a_command_for_a_former_life_is_not_submitted),
        WITH_PUPPETS(a_vm_the_engine_refused_leaves_its_name),
        WITH_PUPPETS(the_last_word_of_a_departed_vm_harms_nobody),
        WITH_PUPPETS(stopping_delivers_what_was_said_and_then_the_loss),
        WITH_PUPPETS(starting_again_says_that_the_backend_is_ready),
        WITH_PUPPETS(a_lost_backend_owes_no_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
