/* Devices as rows of a table: opened, reset, saved and loaded one by one, also those that
 * own memory; and a machine that goes back in time over such a device. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "vmm/devices/disk/drives.h"
#include "vmm/replay/history.h"
#include "vmm/replay/reverse.h"
#include "vmm/replay/recorder.h"

/* --- a device that owns memory: what is written to its port is kept, all of it ------------ */

enum { TAPE = 0x5a0 };

struct tape {
    char *bytes;
    size_t length;
};

static unsigned tapes; /* that are open */

static enum io_result access_tape(void *device, const struct access *a) {
    struct tape *t = device;
    if (!a->write)
        return access_reply(a, t->length ? (uint8_t)t->bytes[t->length - 1] : 0);
    t->bytes = realloc(t->bytes, t->length + 1);
    t->bytes[t->length++] = (char)access_byte(a);
    return IO_DONE;
}

static void *tape_open(const struct device_site *site) {
    struct tape *t = calloc(1, sizeof *t);
    bus_add(site->bus, "tape", TAPE, TAPE, access_tape, t);
    tapes++;
    return t;
}

static void tape_reset(void *device) {
    struct tape *t = device;
    t->length = 0;
}

static void tape_save(const void *device, struct device_state *s) {
    const struct tape *t = device;
    device_put(s, t->bytes, t->length);
}

static void tape_load(void *device, struct device_state *s) {
    struct tape *t = device;
    free(t->bytes);
    t->length = device_left(s);
    t->bytes = malloc(t->length + 1);
    device_take(s, t->bytes, t->length);
}

static void tape_describe(const void *device, const struct device_sink *sink) {
    const struct tape *t = device;
    device_row(sink, "tape", "length", "%zu", t->length);
}

static void tape_close(void *device) {
    struct tape *t = device;
    free(t->bytes);
    free(t);
    tapes--;
}

static const struct device_class device_tape = {.name = "tape", .open = tape_open,
    .reset = tape_reset, .save = tape_save, .load = tape_load, .describe = tape_describe,
    .close = tape_close};

/* --- the table alone ----------------------------------------------------------------------- */

static char error[400];
static struct devices devices;
static struct bus bus;
static struct input input;
static struct drives drives;
static void no_irq(void *machine, unsigned irq, bool level) { (void)machine, (void)irq, (void)level; }
static enum io_result no_irqchip(void *machine) { (void)machine; return IO_DONE; }
static uint64_t no_time(void *machine) { (void)machine; return 0; }
static void no_intr(void *machine, bool level) { (void)machine, (void)level; }
static const struct board board = {.input = &input, .irq = no_irq, .uses_irqchip = no_irqchip,
                                   .now = no_time, .intr = no_intr};
static struct memory memory;

static int open_with(const struct device_class *const *extra) {
    bus = (struct bus){0};
    input_open(&input);
    struct device_site site = {.devices = &devices, .bus = &bus, .board = &board, .irqchip = true, .drives = &drives,
                               .memory = &memory,
                               .extra = extra};
    return devices_open(&devices, &site, error, sizeof error);
}

static void out(uint16_t port, uint8_t value) {
    bus_access(&bus, &(struct access){.address = port, .write = true, .size = 1, .data = &value});
}

static uint8_t in(uint16_t port) {
    uint8_t value = 0;
    bus_access(&bus, &(struct access){.address = port, .size = 1, .data = &value});
    return value;
}

static char described[2000];
static void note_row(void *context, const char *device, const char *name, const char *value) {
    (void)context;
    size_t used = strlen(described);
    snprintf(described + used, sizeof described - used, "%s|%s|%s\n", device, name, value);
}

static void saves_and_loads(void) {
    static const struct device_class *const extra[] = {&device_tape, NULL};
    struct device_state first, second;
    CHECK(open_with(extra) == 0 && tapes == 1);
    out(0x3ff, 0x12); /* the UART's scratch register */
    out(TAPE, 'a');
    CHECK(devices_save(&devices, &first));
    out(0x3ff, 0x34);
    out(0x21, 0x55); /* the PIC's mask */
    for (int i = 0; i < 5000; i++)
        out(TAPE, 'b');
    CHECK(devices_save(&devices, &second));
    devices_load(&devices, &first);
    CHECK(in(0x3ff) == 0x12 && in(0x21) == 0xff && in(TAPE) == 'a');
    devices_load(&devices, &second);
    CHECK(in(0x3ff) == 0x34 && in(0x21) == 0x55 && in(TAPE) == 'b');
    devices_describe(&devices, &(struct device_sink){.row = note_row});
    CHECK(strstr(described, "tape|length|5001\n") && strstr(described, "UART|IER, LCR, MCR|0x00"));
    devices_reset(&devices);
    CHECK(in(0x3ff) == 0 && in(0x21) == 0xff && in(TAPE) == 0);
    devices_load(&devices, &first); /* as often as one likes */
    CHECK(in(0x3ff) == 0x12 && in(TAPE) == 'a');
    device_state_free(&first);
    device_state_free(&second);
    devices_close(&devices);
    CHECK(tapes == 0);
}

static void refuses(void) {
    static const struct device_class *const twice[] = {&device_tape, &device_tape, NULL};
    CHECK(open_with(twice) == -EEXIST);
    CHECK_STR(error, "two devices at port 0x5a0: tape and tape");
    devices_close(&devices);
    CHECK(tapes == 0);
}

/* --- in a machine ------------------------------------------------------------------------------ */

static void ignore_output(void *context, unsigned number, const char *text, size_t length) {
    (void)context, (void)number, (void)text, (void)length;
}
static void ignore_notice(void *context) { (void)context; }
static void ignore_message(void *context, unsigned number, const char *text) {
    (void)context, (void)number, (void)text;
}
static const struct machine_owner owner = {.output = ignore_output, .notify = ignore_notice,
                                           .message = ignore_message};

/* mov dx, TAPE; mov al, 'a'; l: out dx, al; inc al; jmp l */
static const uint8_t writer[] = {0xba, 0xa0, 0x05, 0xb0, 'a', 0xee, 0xfe, 0xc0, 0xeb, 0xfb};

static bool open_machine(struct machine *m, const struct machine_options *o) {
    char path[] = "/tmp/minikvm-test-XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, writer, sizeof writer) == sizeof writer);
    close(fd);
    int err = machine_open(m, 1, path, o, &owner, error, sizeof error);
    unlink(path);
    return !err;
}

static void go(struct machine *m, enum machine_command command) {
    struct machine_stop stop;
    machine_resume(m, command);
    machine_wait(m);
    machine_take_stop(m, &stop);
}

static void goes_back(void) {
    static const struct device_class *const extra[] = {&device_tape, NULL};
    struct machine_options o = {.engine = ENGINE_SOFT, .debugged = true, .recorder = &replay_recorder, .history = 8 << 20,
                                .memory = 1 << 20, .devices = extra};
    struct machine m;
    CHECK(open_machine(&m, &o));
    const struct opened_device *last = &m.board.devices.opened[m.board.devices.count - 1];
    const struct tape *t = last->device;
    CHECK(last->class == &device_tape);
    for (int i = 0; i < 2 + 3 * 20; i++)
        go(&m, COMMAND_STEP);
    CHECK(t->length == 20 && t->bytes[19] == 'a' + 19);
    for (int i = 0; i < 30; i++)
        go(&m, COMMAND_BACK_STEP);
    CHECK(t->length == 10 && t->bytes[9] == 'a' + 9);
    for (int i = 0; i < 30; i++)
        go(&m, COMMAND_STEP);
    CHECK(t->length == 20 && t->bytes[19] == 'a' + 19);
    CHECK(machine_reset(&m, NULL, error, sizeof error) == 0 && t->length == 0);
    machine_close(&m);
    CHECK(tapes == 0);
}

static void does_not_start(void) {
    static const struct device_class *const twice[] = {&device_tape, &device_tape, NULL};
    struct machine_options o = {.engine = ENGINE_SOFT, .memory = 1 << 20, .devices = twice};
    struct machine m;
    CHECK(!open_machine(&m, &o));
    CHECK(strstr(error, "two devices at port 0x5a0"));
    machine_close(&m);
    CHECK(tapes == 0);
}

int main(void) {
    saves_and_loads();
    refuses();
    goes_back();
    does_not_start();
    return unit_end();
}
