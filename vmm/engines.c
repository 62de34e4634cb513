/* Choosing and changing engines; see engines.h. */
#include "engines.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "history.h"
#include "kvm/kvm.h"
#include "soft/soft.h"
#include "x86.h"

static int open_kvm(struct machine *m, char *error, size_t size) {
    struct kvm_options options = {.chips = m->chips, .debugged = m->options->debugged};
    return kvm_open(&m->cpu, &options, error, size);
}

static int open_soft(struct machine *m, char *error, size_t size) {
    int err = soft_open(&m->cpu);
    if (err)
        snprintf(error, size, "cannot make the built-in CPU: %s", strerror(-err));
    m->input.steady = !err && m->options->input_is_file;
    return err;
}

/* AUTO goes on without KVM silently: that is what it is for. */
int engines_open(struct machine *m, enum engine_choice choice, char *error, size_t size) {
    m->input.steady = false;
    if (choice == ENGINE_SOFT)
        return open_soft(m, error, size);
    int err = open_kvm(m, error, size);
    return err && choice == ENGINE_AUTO ? open_soft(m, error, size) : err;
}

bool engines_may_take_over(struct machine *m) {
    const struct kvm_sregs *s = &cpu_read(&m->cpu, CPU_SREGS)->sregs;
    bool pae = s->cr0 & CR0_PG && s->cr4 & CR4_PAE;
    return m->options->engine == ENGINE_AUTO && m->cpu.engine != &engine_soft && !pae;
}

/* The engine first: the built-in CPU's thread changes m->chips without a lock (time
 * travel), so with it nobody else may look. */
bool engines_has_chips(struct machine *m) {
    return m->cpu.engine && m->cpu.engine->get_chips && m->chips && !m->wants_chips;
}

bool engines_needs_chips(struct machine *m) { return m->cpu.engine->get_chips != NULL; }

/* The devices' state is the truth while the engine has no chips of its own. */
static void fetch_chips(struct machine *m) {
    struct chips chips;
    if (!engines_has_chips(m) || m->cpu.engine->get_chips(&m->cpu, &chips) < 0)
        return;
    memcpy(m->devices.pic.chip, chips.pic, sizeof chips.pic);
    m->devices.pit.state = chips.pit;
}

/* Input that came while there were no chips in the kernel has raised no line there. */
void engines_give_chips(struct machine *m) {
    struct chips chips = {.pit = m->devices.pit.state};
    memcpy(chips.pic, m->devices.pic.chip, sizeof chips.pic);
    m->cpu.engine->set_chips(&m->cpu, &chips);
    devices_notice(&m->devices);
}

static void give_chips(struct machine *m) {
    if (engines_has_chips(m)) {
        engines_give_chips(m);
        return;
    }
    pit_restart(&m->devices.pit);
    pic_line(&m->devices.pic, 2, false); /* so that INTR is what the state says */
}

int engines_switch(struct machine *m, enum engine_choice to, char *error, size_t size) {
    struct cpu *cpu = &m->cpu, old;
    cpu_read(cpu, CPU_ALL);
    fetch_chips(m);
    old = *cpu;
    int err = to == ENGINE_SOFT ? open_soft(m, error, size) : open_kvm(m, error, size);
    if (err) {
        *cpu = old;
        return err;
    }
    history_close(m); /* of the old engine; the other begins one of its own, or none */
    cpu->state = old.state;
    cpu->valid = cpu->dirty = CPU_ALL;
    m->input.steady &= to == ENGINE_SOFT;
    old.engine->close(&old);
    m->wants_chips = false;
    give_chips(m);
    return 0;
}
