/* SPDX-License-Identifier: MIT */
/*
 * The rules that keep the promises, by name, so that a test can break one at a time and see that it
 * would be missed (tests/mutation). In the library BROKEN() is 0 and nothing of this is left.
 */
#ifndef VMRES_CORE_RULE_H
#define VMRES_CORE_RULE_H

enum rule {
    RULE_NONE,
    RULE_VERIFY,      /* nothing leaves a charge before a witness agrees */
    RULE_CHARGE,      /* a charge covers every grow command that is sent */
    RULE_FREE,        /* only what is free is granted */
    RULE_INCARNATION, /* a former life's words are dropped */
    RULE_STALE,       /* nobody is shrunk on the strength of an old report */
    RULE_CHARGE_BACK, /* a grant that failed stays charged until the VM was seen */
    RULE_FLOOR,       /* no target below a floor */
    RULE_CEILING,     /* no target above a ceiling */
    RULE_ENTITLEMENT, /* nobody in need is put below its share */
    RULE_DISPUTE,     /* what is not believed is not counted as gone */
    RULE_FINAL,       /* a command has one final answer */
    RULE_DEFICIT,     /* nothing is granted while there is a deficit */
    RULE_COUNT,
};

#ifdef VMRES_MUTATIONS
extern enum rule vmres__broken_rule;
#define BROKEN(name) (vmres__broken_rule == RULE_##name)
#else
#define BROKEN(name) 0
#endif

#endif
