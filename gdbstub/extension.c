/* The extension of a session, or none; see extension.h. */
#include "gdbstub/extension.h"

/* Without memory for its state the session is one without it. */
void extension_open(struct session *s) {
    const struct gdb_extension *e = s->target->extension;
    s->extension_state = e ? e->open() : NULL;
    s->extension = s->extension_state ? e : NULL;
}

void extension_close(struct session *s) {
    if (s->extension)
        s->extension->close(s->extension_state);
    s->extension = NULL;
}

void extension_select_present(struct session *s) {
    if (s->extension)
        s->extension->select_present(s->extension_state);
}

void extension_process_gone(struct session *s, int pid, const char *why) {
    if (s->extension)
        s->extension->process_gone(s->extension_state, pid, why);
}

int extension_subject(const struct session *s) {
    return s->extension ? s->extension->subject(s->extension_state) : 0;
}

bool extension_frame_selected(const struct session *s) {
    return s->extension && s->extension->frame_selected(s->extension_state);
}
