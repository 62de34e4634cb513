/* What only we can break: a lock is held, a table is sorted, an engine is there.
 *
 * Rule: never for anything that comes from a guest, a client or a file; that is refused with
 * a sentence. A build with INVARIANTS=0 does not check (and does not evaluate the condition).
 */
#ifndef MINIKVM_INVARIANT_H
#define MINIKVM_INVARIANT_H

#include <stdio.h>
#include <stdlib.h>

#ifdef INVARIANTS
#define INVARIANT(condition)                                                                       \
    ((condition) ? (void)0 : invariant_broken(#condition, __FILE__, __LINE__))
#else
#define INVARIANT(condition) ((void)sizeof(!(condition)))
#endif

_Noreturn static inline void invariant_broken(const char *what, const char *file, int line) {
    fprintf(stderr, "%s:%d: broken invariant: %s; this is a bug of minikvm, please report it\n",
            file, line, what);
    abort();
}

#endif
