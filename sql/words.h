/* words.h - the words of the language, and of what it does not have yet. */
#ifndef SQL_WORDS_H
#define SQL_WORDS_H

#include <stddef.h>

/* The token of a word in any case, or -1: not a keyword. */
int words_keyword(const char *word, size_t len);
/* The same of the words that ad-hoc queries have and programs lack. */
int words_ad_hoc(const char *word, size_t len);

/* Where a word stands: */
#define WORDS_HERE 1u         /* is the unexpected one */
#define WORDS_AFTER_CREATE 2u /* is the unexpected one, right after CREATE */
#define WORDS_BEFORE 4u       /* is before it: the grammar took it for a name, such as the ILIKE in `a ILIKE 'b'` */

/* What a word there stands for that is not supported yet ("joins", "GROUP BY"), or NULL. */
const char *words_unsupported(const char *word, size_t len, unsigned where);

#endif
