/* INT 09h, and a mouse that moves between the BIOS's look at the controller and its read: the byte is
 * the mouse's, and no key. */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "vmm/devices/keys.h"
#include "vmm/machine/machine.h"

enum { SECTOR = 512, FULL_FROM_MOUSE = 0x21, KEY_HEAD = 0x41a, KEY_TAIL = 0x41c };

static unsigned asked, moves_at;

enum typed __wrap_keys_next(struct input *, struct typed_key *, struct mouse_event *);
enum typed __wrap_keys_next(struct input *input, struct typed_key *key, struct mouse_event *event) {
    (void)input, (void)key;
    if (++asked != moves_at)
        return TYPED_NOTHING;
    *event = (struct mouse_event){.column = 1, .row = 1, .pressed = MOUSE_LEFT};
    return TYPED_MOUSE;
}

static void read_output(void *context, unsigned number, const char *text, size_t length) {
    (void)context, (void)number, (void)text, (void)length;
}
static void ignore_notice(void *context) { (void)context; }
static void ignore_message(void *context, unsigned number, const char *text) {
    (void)context, (void)number, (void)text;
}
static const struct machine_owner owner = {
    .output = read_output, .notify = ignore_notice, .message = ignore_message};

/* int $9; hlt, with interrupts off. */
static void write_sector(const char *name) {
    uint8_t sector[SECTOR] = {0xfa, 0xcd, 0x09, 0xf4};
    sector[510] = 0x55, sector[511] = 0xaa;
    FILE *f = fopen(name, "wb");
    CHECK(f && fwrite(sector, sizeof sector, 1, f) == 1 && !fclose(f));
}

static uint16_t word_at(const struct machine *m, uint32_t at) {
    uint16_t word = 0;
    memory_read(&m->memory, at, &word, sizeof word);
    return word;
}

/* The mouse moves when the controller looks for the n-th time. */
static void moves(const char *image, unsigned n) {
    static struct machine m;
    static struct machine_options options = {.engine = ENGINE_SOFT, .debugged = true};
    struct machine_stop stop = {0};
    char error[400];
    CHECK(machine_open(&m, 1, image, &options, &owner, error, sizeof error) == 0);
    struct keyboard *k = &m.board.devices.keyboard;
    k->mouse.reporting = true;
    asked = 0;
    moves_at = n;
    machine_resume(&m, COMMAND_RUN);
    machine_wait(&m);
    CHECK(machine_take_stop(&m, &stop) && stop.exit.kind == CPU_EXIT_HALTED);
    CHECK(asked >= n);
    CHECK(word_at(&m, KEY_HEAD) == word_at(&m, KEY_TAIL)); /* no key */
    CHECK(k->count == 3 && k->of_mouse[k->head]);          /* and all of the packet */
    machine_close(&m);
}

int main(void) {
    char image[] = "/tmp/minikvm-keyboard-XXXXXX";
    int file = mkstemp(image);
    CHECK(file >= 0);
    close(file);
    write_sector(image);
    for (unsigned n = 1; n <= 3; n++)
        moves(image, n);
    unlink(image);
    return unit_end();
}
