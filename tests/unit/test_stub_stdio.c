/* A client on stdin and stdout, by pipes: `target remote | minikvm --gdb=- …`. */
#include "tests/unit/test_stub_client.h"

struct ends {
    int to, from; /* the client's */
    int old_in, old_out;
};

/* Puts pipes in the place of stdin and stdout. */
static void swap_in(struct ends *e) {
    int in[2], out[2];
    CHECK(!pipe(in) && !pipe(out));
    e->old_in = dup(0);
    e->old_out = dup(1);
    dup2(in[0], 0);
    dup2(out[1], 1);
    close(in[0]);
    close(out[1]);
    e->to = in[1];
    e->from = out[0];
    fcntl(e->from, F_SETFL, O_NONBLOCK);
}

static void swap_back(struct ends *e) {
    dup2(e->old_in, 0);
    dup2(e->old_out, 1);
    close(e->old_in);
    close(e->old_out);
}

/* Reads as the server writes, until nothing comes. */
static size_t collect(struct fake *f, struct ends *e, char *to, size_t size) {
    size_t length = 0;
    ssize_t got = 1;
    while (got > 0 && length < size - 1) {
        gdb_server_handle(f->server);
        got = read(e->from, to + length, size - 1 - length);
        length += got > 0 ? (size_t)got : 0;
    }
    to[length] = 0;
    return length;
}

static void say(struct ends *e, const char *text) {
    CHECK(write(e->to, text, strlen(text)) == (ssize_t)strlen(text));
}

static struct fake *open_stdio(struct gdb_target *target) {
    char error[256] = "";
    struct fake *f = fake_new();
    *target = (struct gdb_target){.ops = &fake_ops, .extension = &gdb_tracepoints, .context = f};
    f->server = gdb_server_open("-", target, error, sizeof error);
    CHECK_STR(error, "");
    return f;
}

static void test_talk(void) {
    static char text[300000];
    struct gdb_target target;
    struct pollfd fds[GDB_POLL_MAX];
    struct ends e;
    struct fake *f = open_stdio(&target);
    CHECK(gdb_server_poll_fds(f->server, fds, GDB_POLL_MAX) == 1 && fds[0].fd == 0);
    swap_in(&e);
    say(&e, "$qC#b4");
    collect(f, &e, text, sizeof text);
    CHECK_STR(text, "+$QC1#c5");
    say(&e, "+$m1000,10000#4b"); /* more than a pipe holds */
    CHECK(collect(f, &e, text, sizeof text) == 0x20000 + 5);
    close(e.to);
    CHECK(!gdb_server_handle(f->server));
    CHECK(gdb_server_poll_fds(f->server, fds, GDB_POLL_MAX) == 0);
    CHECK(!f->connected);
    swap_back(&e);
    close(e.from);
    world_close(f);
}

/* Nobody reads any more: no signal kills us. */
static void test_broken_pipe(void) {
    struct gdb_target target;
    struct ends e;
    struct fake *f = open_stdio(&target);
    swap_in(&e);
    close(e.from);
    say(&e, "$qC#b4");
    CHECK(!gdb_server_handle(f->server));
    swap_back(&e);
    close(e.to);
    world_close(f);
}

int main(void) {
    test_talk();
    test_broken_pipe();
    return unit_end();
}
