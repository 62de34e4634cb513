/* What a guest prints to gdb's console comes there whole, however the client reads: also if it takes
 * what it was behind with just as the main thread has found that it is, and so takes no more text. */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "vmm/debug/bridge.h"
#include "vmm/debug/debug.h"

/* mov ecx,LINES; l: mov al,'a'; out 0xe9,al; mov al,10; out 0xe9,al; dec ecx; jnz l
 * mov al,0; mov bl,0; mov dx,0x500; out dx,al: exit with 0 */
enum { LINES = 0x30000 }; /* much more than a socket and the stub hold */
static const uint8_t guest[] = {0x66, 0xb9, 0,    0,    3,    0,    0xb0, 'a',  0xe6,
                                0xe9, 0xb0, '\n', 0xe6, 0xe9, 0x66, 0x49, 0x75, 0xf4,
                                0xb0, 0,    0xb3, 0,    0xba, 0,    5,    0xee};

static struct machine m;
static struct debug *debug;
static int event, client = -1;
static bool client_is_quick; /* it reads all that there is before the stub writes */
static size_t digits;        /* of O packets */
static bool ended;

/* --- the machine's owner ------------------------------------------------------------------ */

static void put_text(void *context, unsigned number, const char *text, size_t length) {
    (void)context, (void)number;
    bridge_put_text(debug, text, length);
}
static void notify(void *context) {
    (void)context;
    eventfd_write(event, 1);
}
static void message(void *context, unsigned number, const char *text) {
    (void)context, (void)number, (void)text;
}
static const struct machine_owner owner = {
    .output = put_text, .notify = notify, .message = message};

/* --- the client ---------------------------------------------------------------------------- */

static void take_byte(char byte) {
    static enum { NOTHING, BEGIN, TEXT, OTHER } in;
    if (byte == '$')
        in = BEGIN;
    else if (byte == '#')
        in = NOTHING;
    else if (in == BEGIN) {
        in = byte == 'O' ? TEXT : OTHER;
        ended |= byte == 'W';
    } else if (in == TEXT)
        digits++;
}

static void client_reads(void) {
    char bytes[4096];
    ssize_t n;
    while ((n = recv(client, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
        for (ssize_t i = 0; i < n; i++)
            take_byte(bytes[i]);
}

bool __real_gdb_server_handle(struct gdb_server *);
bool __wrap_gdb_server_handle(struct gdb_server *);

bool __wrap_gdb_server_handle(struct gdb_server *server) {
    if (client_is_quick)
        client_reads();
    return __real_gdb_server_handle(server);
}

static void client_connects(const char *path) {
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
    client = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(connect(client, (struct sockaddr *)&to, sizeof to) == 0);
    CHECK(send(client, "$c#63", 5, 0) == 5);
}

/* --- the main thread ----------------------------------------------------------------------- */

/* false: for ten seconds nothing has called it. */
static bool main_turn(void) {
    struct pollfd fds[1 + DEBUG_POLL_MAX] = {{.fd = event, .events = POLLIN}};
    unsigned n = 1 + debug_poll_fds(debug, fds + 1, DEBUG_POLL_MAX);
    eventfd_t count;
    if (poll(fds, n, 10000) <= 0)
        return false;
    debug_polled(debug, fds + 1, n - 1);
    if (fds[0].revents)
        eventfd_read(event, &count);
    debug_handle(debug);
    return true;
}

static bool is_stuck(void) {
    lock_take(&debug->text_lock);
    bool full = debug->text_length == sizeof debug->text;
    lock_release(&debug->text_lock);
    return full && gdb_server_console_waits(debug->server);
}

static void all_comes(void) {
    bool goes_on = true;
    while (goes_on && !is_stuck())
        goes_on = main_turn();
    client_is_quick = true;
    debug_handle(debug);
    client_is_quick = false;
    while (goes_on && !ended) {
        goes_on = main_turn();
        client_reads();
    }
    CHECK(goes_on && digits == LINES * 2 * 2);
}

int main(void) {
    char folder[] = "/tmp/bridge-text-XXXXXX", image[64], address[80], error[400];
    CHECK(mkdtemp(folder));
    snprintf(image, sizeof image, "%s/guest", folder);
    snprintf(address, sizeof address, "unix:%s/gdb", folder);
    int fd = open(image, O_CREAT | O_WRONLY, 0600);
    CHECK(write(fd, guest, sizeof guest) == sizeof guest && close(fd) == 0);
    event = eventfd(0, EFD_NONBLOCK);
    struct machine_options o = {.engine = ENGINE_SOFT, .debugged = true};
    CHECK(machine_open(&m, 1, image, &o, &owner, error, sizeof error) == 0);
    debug = debug_open(address, &m, 1, error, sizeof error);
    CHECK(debug);
    debug_begin(debug);
    client_connects(address + sizeof "unix:" - 1);
    all_comes();
    debug_close(debug);
    machine_close(&m);
    close(client);
    unlink(image);
    unlink(address + sizeof "unix:" - 1);
    rmdir(folder);
    return unit_end();
}
