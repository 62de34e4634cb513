/* The undo journal; see layout.h. */
#include "vmm/memory/layout.h"

#include <stdlib.h>
#include <string.h>

#include "vmm/base/invariant.h"

struct note {
    uint8_t *at;
    uint8_t was[8];
    size_t length;
};

struct journal {
    struct memory_journal base;
    struct note *notes; /* in the order of the writes */
    size_t count, room;
};

static bool add_note(struct journal *t, uint8_t *at, size_t length) {
    if (t->count == t->room) {
        size_t room = 2 * t->room + 16;
        struct note *more = realloc(t->notes, room * sizeof *more);
        if (!more)
            return false;
        t->notes = more;
        t->room = room;
    }
    struct note *n = &t->notes[t->count++];
    *n = (struct note){.at = at, .length = length};
    memcpy(n->was, at, length);
    return true;
}

static void write_noted(struct memory_journal *base, uint8_t *at, const uint8_t *from,
                        size_t length) {
    struct journal *t = (struct journal *)base;
    for (size_t done = 0, n; done < length; done += n) {
        n = length - done < sizeof t->notes->was ? length - done : sizeof t->notes->was;
        if (add_note(t, at + done, n))
            memcpy(at + done, from + done, n);
    }
}

bool memory_journal_begin(struct memory *m) {
    struct journal *t = calloc(1, sizeof *t);
    INVARIANT(!m->journal); /* one at a time */
    if (t)
        t->base.write = write_noted;
    m->journal = t ? &t->base : NULL;
    return t;
}

void memory_journal_undo(struct memory *m) {
    struct journal *t = (struct journal *)m->journal;
    INVARIANT(t);
    while (t->count--)
        memcpy(t->notes[t->count].at, t->notes[t->count].was, t->notes[t->count].length);
    free(t->notes);
    free(t);
    m->journal = NULL;
}
