/* The names of CPU modes as files, which an exec gives to gdb; see files.h. */
#include <stdio.h>
#include <string.h>

#include "gdbstub/files.h"

void file_label(struct session *s, struct gdb_thread thread, char label[LABEL_SIZE]) {
    snprintf(label, LABEL_SIZE, LABELS "%s", s->target->ops->mode_name(s->target->context, thread));
}

bool file_is_label(const char *path) {
    size_t folder = strlen(LABELS);
    return !strncmp(path, LABELS, folder) && path[folder] && !strchr(path + folder, '/');
}
