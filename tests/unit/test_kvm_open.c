/* Why /dev/kvm cannot be opened, and what its user can do about each reason. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>

#include "vmm/cpu/breakpoints.h"
#include "vmm/cpu/engine.h"
#include "vmm/memory/memory.h"

static int reason;

/* Instead of libc's: nothing else in here opens a file. */
int open(const char *path, int flags, ...) {
    (void)path, (void)flags;
    errno = reason;
    return -1;
}

static void refused(int why, const char *advice) {
    struct memory memory = {0};
    struct breakpoints none = {0};
    struct cpu cpu = {.memory = &memory, .breakpoints = &none};
    struct engine_options options = {0};
    char error[320];
    reason = why;
    CHECK(engine_kvm.open(&cpu, &options, error, sizeof error) == -why);
    CHECK(strstr(error, "cannot open /dev/kvm: ") == error);
    CHECK(strstr(error, strerror(why)));
    CHECK(strstr(error, advice));
    CHECK(strstr(error, "--cpu=soft"));
}

int main(void) {
    refused(ENOENT, "load the module (modprobe kvm-intel or kvm-amd");
    refused(ENODEV, "load the module (modprobe kvm-intel or kvm-amd");
    refused(EPERM, "the container forbids it: start it with --device=/dev/kvm");
    refused(EMFILE, "raise the limit (ulimit -n)");
    refused(ENFILE, "raise the limit (ulimit -n)");
    return unit_end();
}
