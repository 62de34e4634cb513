/* What goes to the client.
 *
 * Rule: a handler leaves its reply in session->reply; session.c sends it. Everything else
 * goes by session_send() and session_notify().
 */
#ifndef GDBSTUB_REPLY_H
#define GDBSTUB_REPLY_H

#include "gdbstub/session.h"

/* A reply is at most a memory read with every byte escaped. */
enum { REPLY_MAX = 2 * FRAMING_PACKET_SIZE };

/* Begins a log of packets: gdb_server_log_packets(). */
void session_log(struct session *, void (*line)(void *context, const char *line), void *context);
/* Sends a packet; a notification. All that goes to the client goes this way. */
void session_send(struct session *, const char *payload, size_t length);
void session_notify(struct session *, const char *payload, size_t length);
/* A line of the log for a packet. */
void reply_log(struct session *, bool from_client, const char *payload, size_t length);

/* --- replies --- */
void reply_ok(struct session *);
/* For packets whose error no client shows as text. */
void reply_failure(struct session *);
/* A sentence for the user ("E.text"). */
void reply_error(struct session *, const char *sentence);
/* The piece of a document that "OFFSET,LENGTH" asks for (qXfer). */
void reply_piece(struct session *, struct cursor range, const struct buffer *document);
/* NULL is success. */
void reply_result(struct session *, const char *sentence_or_null);

#endif
