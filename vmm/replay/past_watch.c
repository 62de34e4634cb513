/* Watching memory in the past; see past_watch.h. */
#include "vmm/replay/past_watch.h"

#include "vmm/replay/history.h"
#include "vmm/x86/page_walk.h"

/* Page by page. */
bool past_watch(struct machine *m, uint64_t address, uint32_t length, bool physical) {
    const struct kvm_sregs *s = &cpu_read(&history_vcpu(m)->cpu, CPU_SREGS)->sregs;
    for (uint64_t at = address; at < address + length; at = (at | (PAGE_SIZE - 1)) + 1) {
        struct page_walk w = {.phys = at};
        uint64_t rest = address + length - at, page = PAGE_SIZE - (at & (PAGE_SIZE - 1));
        if (!physical && !x86_walk(&m->memory, s, at, &w))
            return false;
        breakpoints_add(&m->history->breakpoints, BP_WRITE, memory_wrap(&m->memory, w.phys),
                   (uint32_t)(rest < page ? rest : page));
    }
    return true;
}
