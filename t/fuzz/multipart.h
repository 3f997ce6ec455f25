
/*
 * A plain model of multipart/form-data, as browsers send it.
 */


#ifndef _FUZZ_MULTIPART_H_INCLUDED_
#define _FUZZ_MULTIPART_H_INCLUDED_


#include "pairs.h"


/* the parameters of a Content-Disposition that has no oddities */

static inline void
multipart_disposition(form_pair_t *pair, u_char *p, u_char *last)
{
    u_char      *start;
    ngx_str_t    name, value;

    while (p < last && *p != ';') {
        p++;
    }

    while (p < last) {

        while (p < last && (*p == ';' || *p == ' ' || *p == '\t')) {
            p++;
        }

        for (start = p; p < last && *p != '='; p++) { /* void */ }

        name.data = start;
        name.len = p - start;

        while (name.len && memchr(" \t", name.data[name.len - 1], 2)) {
            name.len--;
        }

        if (p < last) {
            p++;
        }

        while (p < last && (*p == ' ' || *p == '\t')) {
            p++;
        }

        if (p < last && *p == '"') {
            for (start = ++p; p < last && *p != '"'; p++) {
                if (*p == '\\' && last - p > 1) {
                    p++;
                }
            }

        } else {
            for (start = p; p < last && !memchr("; \t", *p, 3); p++) {
                /* void */
            }
        }

        value.data = start;
        value.len = p - start;

        if (p < last && *p == '"') {
            p++;
        }

        if (name.len == 4 && strncasecmp((char *) name.data, "name", 4) == 0) {
            pair->name = value;
        }

        if ((name.len == 8 || (name.len == 9 && name.data[8] == '*'))
            && strncasecmp((char *) name.data, "filename", 8) == 0)
        {
            pair->file = 1;
        }
    }
}


/* a part, from its delimiter on */

static inline ngx_uint_t
multipart_part(form_case_t *c, form_pairs_t *pairs, u_char *start, u_char *p,
    u_char *last)
{
    u_char       *content, *end;
    form_pair_t  *pair;

    static const char  field[] = "content-disposition:";

    pair = form_push(c, pairs);
    pair->raw.data = start;
    pair->raw.len = last - start;

    content = memmem(p, last - p, CRLF CRLF, 4);

    if (content == NULL) {
        return 0;
    }

    content += 4;

    for (p += 2; p < content - 2; p = end + 2) {

        end = memmem(p, content - p, CRLF, 2);

        if ((size_t) (end - p) > sizeof(field) - 1
            && strncasecmp((char *) p, field, sizeof(field) - 1) == 0)
        {
            multipart_disposition(pair, p + sizeof(field) - 1, end);
        }
    }

    pair->value.data = content;
    pair->value.len = last - content;

    form_split(c, pair);

    return 1;
}


static inline ngx_uint_t
multipart_model(form_case_t *c, ngx_str_t *text, form_pairs_t *pairs)
{
    u_char     *p, *last, *start, *next;
    ngx_str_t   delimiter;

    delimiter.data = fuzz_alloc(c->pool, c->boundary.len + 2);
    delimiter.len = ngx_sprintf(delimiter.data, "--%V", &c->boundary)
                    - delimiter.data;

    last = text->data + text->len;
    start = memmem(text->data, text->len, delimiter.data, delimiter.len);

    while (start) {

        p = start + delimiter.len;

        if (last - p >= 2 && p[0] == '-' && p[1] == '-') {
            return 1;
        }

        next = memmem(p, last - p, delimiter.data, delimiter.len);

        if (next == NULL || next - p < 4 || next[-2] != CR || next[-1] != LF) {
            return 0;
        }

        while (p < next && (*p == ' ' || *p == '\t')) {
            p++;
        }

        if (p[0] != CR || p[1] != LF
            || !multipart_part(c, pairs, start, p, next - 2))
        {
            return 0;
        }

        start = next;
    }

    return 0;
}


#endif /* _FUZZ_MULTIPART_H_INCLUDED_ */
