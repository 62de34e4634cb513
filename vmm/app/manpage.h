/* The manual page (--man): the parts around the table of options, in roff. */
#ifndef MINIKVM_MANPAGE_H
#define MINIKVM_MANPAGE_H

extern const char manpage_before[], manpage_after[];

#endif
