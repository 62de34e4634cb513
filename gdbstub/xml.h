/* Documents of qXfer. */
#ifndef GDBSTUB_XML_H
#define GDBSTUB_XML_H

#include "gdbstub/session.h"

void xml_description(struct buffer *, const struct gdb_description *);
void xml_threads(struct session *, struct buffer *);

#endif
