/* What breakpoints there are; the table of them is in breakpoints.h. */
#ifndef MINIKVM_BREAKPOINT_KIND_H
#define MINIKVM_BREAKPOINT_KIND_H

/* In the order of the remote protocol's Z packets. BP_TRACE is a tracepoint: its program
 * collects, and the guest goes on. */
enum bp_kind { BP_TRACE = -1, BP_SOFT, BP_HARD, BP_WRITE, BP_READ, BP_ACCESS };

#endif
