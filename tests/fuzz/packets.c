/* Any clients against the whole stub: framing, acknowledgments, every packet,
 * notifications, one connection after another and several at once, over the target
 * of the unit tests.
 *
 * That target counts the calls that gdbstub.h does not permit.
 */
#include <stdlib.h>

#include "client.h"
#include "tests/unit/test_stub_fake.h"

enum { INSTRUCTIONS = 40 }; /* done by whatever runs each time that time passes */

static bool handle(void *context) {
    struct fake *f = context;
    return gdb_server_handle(f->server);
}

static void pass_time(void *context) {
    for (int i = 0; i < INSTRUCTIONS; i++)
        fake_tick(context);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    static struct fake *fresh, world, *f = &world;
    struct gdb_target target = {.ops = &fake_ops, .context = f};
    char error[256];
    if (!fresh)
        fresh = fake_new();
    world = *fresh;
    f->server = gdb_server_open("fuzz", &target, error, sizeof error);
    f->libraries = size & 1;
    client_play(&(struct client_world){f, handle, pass_time}, bytes, size);
    must(!f->misuse, "no call of the target but those that gdbstub.h permits");
    gdb_server_close(f->server);
    for (int i = 0; i < FAKE_PROCESSES; i++)
        fake_clear_points(&f->process[i]);
    return 0;
}
