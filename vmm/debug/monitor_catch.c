/* `monitor catch`: which events stop the machine. */
#include <stdlib.h>
#include <string.h>

#include "vmm/debug/bridge.h"
#include "vmm/machine/catch.h"
#include "vmm/machine/engines.h"
#include "vmm/inspect/inspect.h"

static void print_usage(const struct text *t) {
    unsigned count;
    const struct catch_event *events = catch_events(&count);
    text_print(t, "catch takes one of:\n");
    for (unsigned i = 0; i < count; i++)
        text_print(t, "  %s%s%s%s\n", events[i].name, events[i].takes ? " [" : "",
                   events[i].takes ? events[i].takes : "", events[i].takes ? "]" : "");
}

static void print_caught(const struct machine *m, const struct text *t) {
    unsigned count, set = 0;
    const struct catch_event *events = catch_events(&count);
    text_print(t, "caught: ");
    for (unsigned i = 0; i < count; i++)
        if (events[i].is_set && events[i].is_set(m)) {
            text_print(t, "%s ", events[i].plural);
            set++;
        }
    text_print(t, "%s\n", set ? "" : "nothing");
}

static bool is_impossible(struct machine *m, const struct catch_event *e, const struct text *t) {
    if (e->needs_bios && !m->bios.on) {
        text_print(t, "%s; set a breakpoint at the vector's handler, or catch interrupt\n",
                   inspect_no_bios(m));
        return true;
    }
    if (!e->needs_soft || cpu_can(&shown_vcpu(m)->cpu, ENGINE_EXACT_EVENTS) ||
        engines_may_take_over(m))
        return false;
    text_print(t, "only the built-in CPU sees every %s; use `monitor engine soft` first\n",
               e->name);
    return true;
}

static void set_event(struct machine *m, const struct catch_event *e, const char *number,
                      const struct text *t) {
    char *end;
    long which = !*number ? -1 : e->parse ? e->parse(number, &end) : strtol(number, &end, 0);
    if (*number && (*end || which < 0 || which >= e->limit)) {
        text_print(t, "%s: not a number that %s takes\n", number, e->name);
        return;
    }
    if (is_impossible(m, e, t))
        return;
    e->set(m, which);
    if (e->stops && *number)
        text_print(t, "stops %s, %s only\n", e->stops, number);
    else if (e->stops)
        text_print(t, "stops %s\n", e->stops);
    else
        text_print(t, "nothing is caught any more\n");
}

/* "mode", "exception 14", "port 0x3f8", "off", or "" for a list of what is set. */
void monitor_catch(struct machine *m, const char *words, const struct text *t) {
    unsigned count;
    const struct catch_event *events = catch_events(&count);
    size_t n = strcspn(words, " ");
    if (n == 0) {
        print_caught(m, t);
        return;
    }
    for (unsigned i = 0; i < count; i++)
        if (strlen(events[i].name) == n && !strncmp(events[i].name, words, n)) {
            set_event(m, &events[i], words + n + strspn(words + n, " "), t);
            return;
        }
    print_usage(t);
}
