/* Any clients against two real machines: the stub, the bridge, the monitor commands,
 * breakpoints with conditions, and time travel, while guests go from real mode to
 * ring 3 under paging on the built-in CPU.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "client.h"
#include "guest.h"
#include "vmm/debug/bridge.h"
#include "vmm/replay/replay.h"
#include "vmm/replay/recorder.h"

bool __real_replay_save(struct machine *, const char *path, char *error, size_t size);
bool __wrap_replay_save(struct machine *, const char *path, char *error, size_t size);

/* A fuzzer that types names leaves no files. */
bool __wrap_replay_save(struct machine *m, const char *path, char *error, size_t size) {
    (void)path;
    return __real_replay_save(m, guest_no_file(GUEST_RECORDING), error, size);
}

struct world {
    struct machine machines[2];
    struct debug *debug;
};

/* Whatever runs has come to its end before anything else happens. */
static void pass_time(void *context) {
    struct world *w = context;
    for (int i = 0; i < 2; i++)
        while (machine_busy(&w->machines[i])) {
            bridge_take_text(w->debug, true);
            sched_yield();
        }
}

static bool handle(void *context) {
    struct world *w = context;
    pass_time(w);
    return debug_handle(w->debug);
}

static void open_machines(struct world *w) {
    static const struct machine_options options = {
        .engine = ENGINE_SOFT, .debugged = true, .recorder = &replay_recorder, .history = 4 << 20, .memory = 2 << 20};
    static const char *const names[] = {"ring3", "hello"};
    const char *build = getenv("BUILD");
    for (int i = 0; i < 2; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/guests/%s.elf", build ? build : "build", names[i]);
        must(guest_open(&w->machines[i], i + 1, path, &options), path);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    static struct world w;
    char error[256];
    open_machines(&w);
    w.debug = debug_open("fuzz", w.machines, 2, error, sizeof error);
    must(w.debug, "a debugger can be served");
    debug_begin(w.debug);
    client_play(&(struct client_world){&w, handle, pass_time}, bytes, size);
    pass_time(&w);
    debug_close(w.debug);
    for (int i = 0; i < 2; i++)
        machine_close(&w.machines[i]);
    return 0;
}
