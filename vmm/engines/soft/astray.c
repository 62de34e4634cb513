/* Where there is reason to believe that execution has lost its way, the machine is asked
 * (runaway.h): at code that is only zeros, at code where no memory is, and in the handler
 * of a vector that is 0000:0000.
 *
 * Rule: it is asked at an instruction boundary, and whatever it answers, the guest's state
 * does not change by it.
 */
#include <string.h>

#include "vmm/cpu/engine.h"
#include "vmm/engines/soft/access.h"
#include "vmm/engines/soft/handlers.h"

static bool host_says_astray(struct soft *s, const char *came, char *text, size_t size) {
    const struct engine_host *host = engine_host_of(s->cpu);
    if (!host->astray)
        return false;
    s->cpu->ticks = now(s);
    s->cpu->valid = 0;
    bool stop = host->astray(s->cpu->host.context, came, s->stepping, text, size);
    s->cpu->valid = 0;
    return stop;
}

void leave_if_astray(struct soft *s) {
    char text[sizeof s->exit->text];
    if (host_says_astray(s, NULL, text, sizeof text))
        leave_with(s, CPU_EXIT_RUNAWAY, text);
}

void report_empty_vector(struct soft *s, const char *came) {
    char text[sizeof s->exit->text];
    if (host_says_astray(s, came, text, sizeof text))
        report(s, CPU_EXIT_RUNAWAY, "%s", text);
}

/* At code that is only zeros, which decodes as ADD to memory: the machine is asked first. */
const struct op *zeros(struct soft *s, const struct op *op) {
    leave_if_astray(s);
    return add_eg_family[family_index(op)](s, op);
}

bool are_zeros(const uint8_t *bytes, unsigned length) {
    static const uint8_t none[ZEROS];
    return length >= ZEROS && !memcmp(bytes, none, ZEROS);
}
