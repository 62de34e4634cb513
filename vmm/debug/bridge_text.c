/* Text of machines' threads on its way to gdb's console.
 *
 * Rule: it waits in a bounded buffer for the main thread, which alone talks to the
 * client. A machine waits for room there, unless the main thread waits for the machine.
 */
#include "vmm/debug/bridge.h"

#include <string.h>

void bridge_open_text(struct debug *d) {
    lock_init(&d->text_lock, LOCK_DEBUGGER_TEXT);
    pthread_cond_init(&d->text_taken, NULL);
    d->main_thread = pthread_self();
}

void bridge_drop_text(struct debug *d, bool drop) {
    lock_take(&d->text_lock);
    d->text_dropped = drop;
    pthread_cond_broadcast(&d->text_taken);
    lock_release(&d->text_lock);
}

void bridge_forget_text(struct debug *d) {
    atomic_fetch_add(&d->client, 1);
    if (!d->commands)
        return;
    lock_take(&d->text_lock);
    d->text_length = 0;
    pthread_cond_broadcast(&d->text_taken);
    lock_release(&d->text_lock);
}

/* How much of it fits, once something does. */
static size_t room_for(struct debug *d, size_t length) {
    while (d->text_length == sizeof d->text && !d->text_dropped)
        lock_wait(&d->text_lock, &d->text_taken);
    size_t room = sizeof d->text - d->text_length;
    return length < room ? length : room;
}

static void queue_text(struct debug *d, const char *text, size_t length) {
    const struct machine_owner *owner = &d->machines->owner;
    while (length) {
        lock_take(&d->text_lock);
        size_t part = room_for(d, length);
        memcpy(d->text + d->text_length, text, part);
        d->text_length += part;
        lock_release(&d->text_lock);
        if (!part)
            return;
        owner->notify(owner->context);
        text += part;
        length -= part;
    }
}

void bridge_put_text(void *debug, const char *text, size_t length) {
    struct debug *d = debug;
    if (!pthread_equal(pthread_self(), d->main_thread)) {
        queue_text(d, text, length);
        return;
    }
    bridge_take_text(d, true);
    if (gdb_server_connected(d->server))
        gdb_server_console(d->server, text, length);
}

/* If gdb has just gone, to the terminal. */
void bridge_take_text(struct debug *d, bool all) {
    char text[sizeof d->text];
    if (!all && gdb_server_connected(d->server) && gdb_server_console_waits(d->server))
        return;
    lock_take(&d->text_lock);
    size_t length = d->text_length;
    memcpy(text, d->text, length);
    d->text_length = 0;
    pthread_cond_broadcast(&d->text_taken);
    lock_release(&d->text_lock);
    if (length && gdb_server_connected(d->server))
        gdb_server_console(d->server, text, length);
    else if (length)
        d->machines->owner.output(d->machines->owner.context, 1, text, length);
}
