
/*
 * A plain model of a urlencoded form, or of a query.
 */


#ifndef _FUZZ_URLENCODED_H_INCLUDED_
#define _FUZZ_URLENCODED_H_INCLUDED_


#include "pairs.h"


/* a "%" that starts no escape stays: it is only in what is not the task's */

static inline ngx_str_t
urlencoded_decode(form_case_t *c, u_char *p, u_char *last)
{
    char        hex[3], *end;
    ngx_str_t   s;

    s.data = fuzz_alloc(c->pool, last - p);
    s.len = 0;
    hex[2] = '\0';

    while (p < last) {

        if (*p == '%' && last - p >= 3 && isxdigit(p[1]) && isxdigit(p[2])) {
            ngx_memcpy(hex, p + 1, 2);
            s.data[s.len++] = (u_char) strtoul(hex, &end, 16);
            p += 3;
            continue;
        }

        s.data[s.len++] = (*p == '+') ? ' ' : *p;
        p++;
    }

    return s;
}


static inline ngx_uint_t
urlencoded_model(form_case_t *c, ngx_str_t *text, form_pairs_t *pairs)
{
    u_char       *p, *end, *last, *value;
    form_pair_t  *pair;

    p = text->data;
    last = p + text->len;

    /* a "&" too many stands for a pair that is empty, and stays */

    for ( /* void */ ; text->len && p <= last; p = end + 1) {

        end = (p < last) ? memchr(p, '&', last - p) : NULL;

        if (end == NULL) {
            end = last;
        }

        pair = form_push(c, pairs);
        pair->raw.data = p;
        pair->raw.len = end - p;

        if (end == p) {
            continue;
        }

        value = memchr(p, '=', end - p);

        pair->name = urlencoded_decode(c, p, value ? value : end);

        if (value) {
            pair->value = urlencoded_decode(c, value + 1, end);
        }

        form_split(c, pair);
    }

    return 1;
}


#endif /* _FUZZ_URLENCODED_H_INCLUDED_ */
