/* SPDX-License-Identifier: MIT */
/*
 * vmres: moves memory, CPU rate and the like between the virtual machines of a host while they run.
 *
 * What a VM needs varies; a fixed allotment leaves one VM with memory it does not use and another
 * waiting for memory it does not have. So host and VMs co-operate, for as long as they run. Eight
 * steps (Fujitsu, JP S64-2145), and what they are called here:
 *
 *     (1) examine      the VM finds what it uses and what not         action INQUIRE
 *     (2) report       answering, or unasked when short               event  REPORT
 *     (3) judge        excess or deficiency per VM; a plan, or none   policy, planner
 *     (4) request      ask the VM with excess to remove some          action REQUEST_REMOVAL
 *     (5) remove       it lets go and says so, piece by piece         event  REMOVED
 *     (6) reassign     the books and the VM's configuration change    action REASSIGN
 *     (7) notify       the VM in need is told: this is now yours      action NOTIFY
 *     (8) incorporate  it takes it into use                           event  INCORPORATED
 *
 * At the centre is an *engine* (engine.h), a pure function: events in, actions out. It keeps a
 * double-entry ledger per resource kind and never sends a command that could make the VMs hold more
 * than the host has, whatever the guests do or say. A *policy* (policy.h) judges; a *backend*
 * (backend.h) carries actions to a hypervisor; a *driver* (driver.h) joins engine and backend and
 * keeps names and log; uv.h runs a driver on a libuv loop. sim.h is a whole host in virtual time.
 *
 * To embed vmres in a hypervisor manager: create a backend, create a driver with it, start it, and
 * call vmres_driver_pump() whenever vmres_driver_deadline() has come or the backend has posted. Or
 * leave driver and backend out and step an engine with events of your own.
 *
 * Nothing here installs signal handlers, writes to a standard stream, starts a thread or keeps a
 * global. Distinct objects may be used from distinct threads.
 */
#ifndef VMRES_VMRES_H
#define VMRES_VMRES_H

#include <vmres/action.h>
#include <vmres/allocator.h>
#include <vmres/backend.h>
#include <vmres/clock.h>
#include <vmres/driver.h>
#include <vmres/engine.h>
#include <vmres/event.h>
#include <vmres/null.h>
#include <vmres/operate.h>
#include <vmres/option.h>
#include <vmres/policies.h>
#include <vmres/policy.h>
#include <vmres/query.h>
#include <vmres/resource.h>
#include <vmres/status.h>
#include <vmres/trace.h>
#include <vmres/units.h>
#include <vmres/version.h>

#endif
