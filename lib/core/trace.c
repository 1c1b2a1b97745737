/* SPDX-License-Identifier: MIT */
/*
 * Making trace records: fills in the time, turns granules into units, leaves out what nobody wants
 * to hear. How a record reads as a line is trace_format.c's business.
 */
#include "internal.h"

void vmres__trace(const struct vmres_engine *engine, struct vmres_trace_record record)
{
    if (!is_traced(engine, record.level))
        return;
    if (record.time_ms < engine->now) /* but of an event that was refused, whose time is not ours */
        record.time_ms = engine->now;
    record.amount = units_of(&engine->kinds[record.kind], record.amount);
    record.target = units_of(&engine->kinds[record.kind], record.target);
    record.front = units_of(&engine->kinds[record.kind], record.front);
    record.size = units_of(&engine->kinds[record.kind], record.size);
    record.block = units_of(&engine->kinds[record.kind], record.block);
    engine->tracer.function(engine->tracer.user, &record);
}
