/* See scratch_cpu.h. */
#include "vmm/machine/scratch_cpu.h"

bool scratch_cpu_open(struct scratch_cpu *s, const struct cpu *like, const struct cpu_host *host) {
    struct engine_options options = {0};
    char error[128];
    *s = (struct scratch_cpu){.cpu = {.memory = like->memory, .host = *host,
                                       .cpuid = like->cpuid,
                                       .host_features = like->host_features ||
                                                        !cpu_can(like, ENGINE_DETERMINISTIC)}};
    s->cpu.breakpoints = &s->none;
    return engine_soft.open(&s->cpu, &options, error, sizeof error) >= 0;
}

void scratch_cpu_close(struct scratch_cpu *s) { s->cpu.engine->close(&s->cpu); }

const struct cpu_state *scratch_cpu_step(struct scratch_cpu *s, struct cpu_exit *exit) {
    *exit = (struct cpu_exit){0};
    s->cpu.engine->step(&s->cpu, exit);
    return cpu_read(&s->cpu, CPU_REGS | CPU_SREGS);
}
