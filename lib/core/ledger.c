/* SPDX-License-Identifier: MIT */
/*
 * The ledger's entries. Each is atomic: it takes from one place what it gives to another, and the
 * books balance before and after (asserted). No entry knows why it is made.
 */
#include "ledger.h"

#include <assert.h>

void vmres__ledger_open(struct ledger *ledger, uint64_t capacity, uint64_t reserve)
{
    *ledger = (struct ledger){.capacity = capacity, .reserve = reserve, .free = capacity - reserve};
}

bool vmres__ledger_balanced(const struct ledger *ledger)
{
    return ledger->free + ledger->charged + ledger->transit + ledger->reserve ==
               ledger->capacity + ledger->deficit &&
           (ledger->deficit == 0 || ledger->free == 0);
}

uint64_t vmres__ledger_grantable(const struct ledger *ledger)
{
    return ledger->deficit > 0 ? 0 : ledger->free;
}

/* What comes back works off the deficit first; only the rest is free. */
static void give_back(struct ledger *ledger, uint64_t amount)
{
    uint64_t owed = amount < ledger->deficit ? amount : ledger->deficit;

    ledger->deficit -= owed;
    ledger->free += amount - owed;
}

/* What is taken without being asked comes out of the free part while there is any. */
static void take_away(struct ledger *ledger, uint64_t amount)
{
    uint64_t had = amount < ledger->free ? amount : ledger->free;

    ledger->free -= had;
    ledger->deficit += amount - had;
}

void vmres__ledger_release(struct ledger *ledger, uint32_t *charge, uint32_t amount)
{
    assert(amount <= *charge);
    *charge -= amount;
    ledger->charged -= amount;
    ledger->transit += amount;
    assert(vmres__ledger_balanced(ledger));
}

void vmres__ledger_place(struct ledger *ledger, uint32_t *charge, uint32_t amount)
{
    assert(amount <= ledger->transit && ledger->deficit == 0);
    ledger->transit -= amount;
    ledger->charged += amount;
    *charge += amount;
    assert(vmres__ledger_balanced(ledger));
}

void vmres__ledger_park(struct ledger *ledger, uint32_t amount)
{
    assert(amount <= ledger->transit);
    ledger->transit -= amount;
    give_back(ledger, amount);
    assert(vmres__ledger_balanced(ledger));
}

void vmres__ledger_draw(struct ledger *ledger, uint32_t amount)
{
    assert(amount <= vmres__ledger_grantable(ledger));
    ledger->free -= amount;
    ledger->transit += amount;
    assert(vmres__ledger_balanced(ledger));
}

void vmres__ledger_shed(struct ledger *ledger, uint32_t *charge, uint32_t amount)
{
    assert(amount <= *charge);
    *charge -= amount;
    ledger->charged -= amount;
    give_back(ledger, amount);
    assert(vmres__ledger_balanced(ledger));
}

void vmres__ledger_seize(struct ledger *ledger, uint32_t *charge, uint32_t amount)
{
    *charge += amount;
    ledger->charged += amount;
    take_away(ledger, amount);
    assert(vmres__ledger_balanced(ledger));
}

void vmres__ledger_resize(struct ledger *ledger, uint64_t capacity, uint64_t reserve)
{
    uint64_t usable = ledger->capacity - ledger->reserve;
    uint64_t wanted = capacity - reserve;

    ledger->capacity = capacity;
    ledger->reserve = reserve;
    if (wanted >= usable)
        give_back(ledger, wanted - usable);
    else
        take_away(ledger, usable - wanted);
    assert(vmres__ledger_balanced(ledger));
}
