/* CPUs, devices and exits as tables. */
#include <inttypes.h>
#include <stdio.h>

#include "vmm/cpu/engine.h"
#include "vmm/machine/engines.h"
#include "vmm/x86/x86.h"
#include "vmm/machine/virtual_clock.h"
#include "vmm/inspect/fill.h"

void fill_cpus(struct machine *m, const struct table_sink *sink) {
    struct cpu *cpu = &shown_vcpu(m)->cpu;
    char state[64];
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    inspect_cpu(shown_vcpu(m), state, sizeof state);
    fill_row(sink, "%u\t0\t%s\t0x%08" PRIx64 "\t%s", m->number, state,
             x86_pc(&s->regs, &s->sregs), cpu->engine->name);
}

static void pic_rows(const struct kvm_pic_state *p, const char *name,
                     const struct table_sink *sink) {
    fill_row(sink, "%s\trequested (IRR)\t0x%02x", name, p->irr);
    fill_row(sink, "%s\tin service (ISR)\t0x%02x", name, p->isr);
    fill_row(sink, "%s\tmasked (IMR)\t0x%02x", name, p->imr);
    fill_row(sink, "%s\tfirst vector\t0x%02x", name, p->irq_base);
}

static void pit_rows(const struct kvm_pit_state2 *pit, const struct table_sink *sink) {
    enum { HZ = 1193182 };
    for (int i = 0; i < 3; i++) {
        const struct kvm_pit_channel_state *c = &pit->channels[i];
        if (c->count)
            fill_row(sink, "PIT %d\tmode, count\t%u, %u = %.2f Hz", i, c->mode, c->count,
                     (double)HZ / c->count);
        else
            fill_row(sink, "PIT %d\tmode, count\t%u, not loaded", i, c->mode);
    }
}

static void device_cells(void *sink, const char *device, const char *name, const char *value) {
    fill_row(sink, "%s\t%s\t%s", device, name, value);
}

/* The two chips that the kernel may have are described here, the others by themselves. */
void fill_devices(struct machine *m, const struct table_sink *sink) {
    struct cpu *cpu = &shown_vcpu(m)->cpu;
    struct irqchip_state chips = {.pit = m->board.devices.pit.state};
    chips.pic[0] = m->board.devices.pic.chip[0];
    chips.pic[1] = m->board.devices.pic.chip[1];
    if (engines_has_irqchip(m))
        cpu->engine->get_irqchip(cpu, &chips);
    fill_row(sink, "chips\tin use\t%s",
             !m->irqchip ? "not yet programmed" : engines_has_irqchip(m) ? "the kernel's" : "minikvm's");
    pic_rows(&chips.pic[0], "PIC 1", sink);
    pic_rows(&chips.pic[1], "PIC 2", sink);
    pit_rows(&chips.pit, sink);
    if (pit_tone(&chips.pit))
        fill_row(sink, "speaker\tsounds\t%u Hz", pit_tone(&chips.pit));
    devices_describe(&m->board.devices, &(struct device_sink){.row = device_cells, .context = (void *)sink});
}

void fill_exits(struct machine *m, const struct table_sink *sink) {
    struct cpu *cpu = &shown_vcpu(m)->cpu;
    const char *name;
    uint64_t value;
    if (cpu_can(cpu, ENGINE_DETERMINISTIC)) {
        uint64_t us = virtual_clock_now(m) / 1000;
        fill_row(sink, "instructions\t%" PRIu64, cpu_icount(cpu));
        fill_row(sink, "virtual clock\t%" PRIu64 ".%06" PRIu64 " s", us / 1000000, us % 1000000);
        return;
    }
    for (unsigned n = 0; (name = cpu->engine->counter(cpu, n, &value)); n++)
        if (*name)
            fill_row(sink, "%s\t%" PRIu64, name, value);
}
