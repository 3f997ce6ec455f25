
/*
 * A second parser of JSON (RFC 8259), as plain as it can be: what the module
 * has read and written is compared with what this one reads.
 */


#ifndef _FUZZ_JSON_H_INCLUDED_
#define _FUZZ_JSON_H_INCLUDED_


#include "fuzz.h"


typedef struct json_s  json_t;


struct json_s {
    json_t      *next;
    json_t      *first;
    json_t      *last;
    ngx_uint_t   members;
    u_char       type;       /* 'o', 'a', 's', 'n' (number), 'l' (literal) */
    ngx_str_t    spelling;   /* of the name, with its quotes */
    ngx_str_t    name;       /* decoded */
    ngx_str_t    text;       /* the bytes of the value */
    ngx_str_t    value;      /* of a string, decoded */
    unsigned     half:1;       /* half of a surrogate pair in the string, */
    unsigned     half_name:1;  /* in the name */
};


typedef struct {
    ngx_pool_t  *pool;
    u_char      *p;
    u_char      *last;
    ngx_uint_t   depth;
    ngx_uint_t   max_depth;
} json_reader_t;


static json_t *json_value(json_reader_t *jr);


static inline void
json_space(json_reader_t *jr)
{
    while (jr->p < jr->last && memchr(" \t\r\n", *jr->p, 4)) {
        jr->p++;
    }
}


static inline ngx_uint_t
json_take(json_reader_t *jr, u_char c)
{
    if (jr->p < jr->last && *jr->p == c) {
        jr->p++;
        return 1;
    }

    return 0;
}


static inline int32_t
json_hex(json_reader_t *jr)
{
    int32_t      c;
    ngx_uint_t   i;
    const char  *digit;

    static const char  digits[] = "0123456789abcdef";

    c = 0;

    for (i = 0; i < 4; i++) {

        if (jr->p == jr->last || *jr->p == '\0') {
            return -1;
        }

        digit = strchr(digits, tolower(*jr->p++));
        if (digit == NULL) {
            return -1;
        }

        c = c << 4 | (int32_t) (digit - digits);
    }

    return c;
}


static inline u_char *
json_encode(u_char *d, uint32_t c)
{
    if (c < 0x80) {
        *d++ = (u_char) c;

    } else if (c < 0x800) {
        *d++ = (u_char) (0xc0 | c >> 6);
        *d++ = (u_char) (0x80 | (c & 0x3f));

    } else if (c < 0x10000) {
        *d++ = (u_char) (0xe0 | c >> 12);
        *d++ = (u_char) (0x80 | (c >> 6 & 0x3f));
        *d++ = (u_char) (0x80 | (c & 0x3f));

    } else {
        *d++ = (u_char) (0xf0 | c >> 18);
        *d++ = (u_char) (0x80 | (c >> 12 & 0x3f));
        *d++ = (u_char) (0x80 | (c >> 6 & 0x3f));
        *d++ = (u_char) (0x80 | (c & 0x3f));
    }

    return d;
}


/* the character of the escape "\u"; half of a pair stays what it is */

static inline ngx_uint_t
json_unicode(json_reader_t *jr, u_char **d, ngx_uint_t *half)
{
    u_char   *again;
    int32_t   c, low;

    c = json_hex(jr);
    if (c < 0) {
        return 0;
    }

    if (c >= 0xd800 && c <= 0xdbff && jr->last - jr->p >= 2
        && jr->p[0] == '\\' && jr->p[1] == 'u')
    {
        again = jr->p;
        jr->p += 2;
        low = json_hex(jr);

        if (low >= 0xdc00 && low <= 0xdfff) {
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);

        } else {
            jr->p = again;
        }
    }

    *half |= (c >= 0xd800 && c <= 0xdfff);
    *d = json_encode(*d, (uint32_t) c);

    return 1;
}


static inline ngx_uint_t
json_string(json_reader_t *jr, ngx_str_t *text, ngx_str_t *value,
    ngx_uint_t *half)
{
    size_t       n;
    u_char      *d;
    const char  *escape;

    static const char  escapes[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";

    text->data = jr->p;
    *half = 0;

    if (!json_take(jr, '"')) {
        return 0;
    }

    /* nothing in it becomes longer */

    d = fuzz_alloc(jr->pool, jr->last - jr->p);
    value->data = d;

    for ( ;; ) {

        if (jr->p == jr->last || *jr->p < 0x20) {
            return 0;
        }

        if (json_take(jr, '"')) {
            text->len = jr->p - text->data;
            value->len = d - value->data;
            return 1;
        }

        if (!json_take(jr, '\\')) {
            n = fuzz_utf8(jr->p, jr->last);
            if (n == 0) {
                return 0;
            }

            d = ngx_cpymem(d, jr->p, n);
            jr->p += n;
            continue;
        }

        if (json_take(jr, 'u')) {
            if (!json_unicode(jr, &d, half)) {
                return 0;
            }

            continue;
        }

        if (jr->p == jr->last || *jr->p == '\0') {
            return 0;
        }

        escape = strchr(escapes, *jr->p++);
        if (escape == NULL) {
            return 0;
        }

        *d++ = (u_char) means[escape - escapes];
    }
}


static inline ngx_uint_t
json_digits(json_reader_t *jr)
{
    ngx_uint_t  n;

    for (n = 0; jr->p < jr->last && *jr->p >= '0' && *jr->p <= '9'; n++) {
        jr->p++;
    }

    return n;
}


static inline ngx_uint_t
json_number(json_reader_t *jr)
{
    (void) json_take(jr, '-');

    if (!json_take(jr, '0') && !json_digits(jr)) {
        return 0;
    }

    if (json_take(jr, '.') && !json_digits(jr)) {
        return 0;
    }

    if (json_take(jr, 'e') || json_take(jr, 'E')) {
        if (!json_take(jr, '+')) {
            (void) json_take(jr, '-');
        }

        return json_digits(jr) != 0;
    }

    return 1;
}


static inline ngx_uint_t
json_members(json_reader_t *jr, json_t *j)
{
    u_char       end;
    json_t      *member;
    ngx_str_t    name, spelling;
    ngx_uint_t   half;

    end = (j->type == 'o') ? '}' : ']';

    jr->p++;
    json_space(jr);

    if (json_take(jr, end)) {
        return 1;
    }

    do {
        json_space(jr);

        half = 0;
        ngx_str_null(&name);
        ngx_str_null(&spelling);

        if (j->type == 'o') {
            if (!json_string(jr, &spelling, &name, &half)) {
                return 0;
            }

            json_space(jr);

            if (!json_take(jr, ':')) {
                return 0;
            }
        }

        member = json_value(jr);
        if (member == NULL) {
            return 0;
        }

        member->name = name;
        member->spelling = spelling;
        member->half_name = half;

        if (j->first) {
            j->last->next = member;

        } else {
            j->first = member;
        }

        j->last = member;
        j->members++;

        json_space(jr);

    } while (json_take(jr, ','));

    return json_take(jr, end);
}


static inline ngx_uint_t
json_literal(json_reader_t *jr)
{
    size_t      i, n;

    static const char  *literals[] = { "true", "false", "null" };

    for (i = 0; i < 3; i++) {
        n = strlen(literals[i]);

        if ((size_t) (jr->last - jr->p) >= n
            && memcmp(jr->p, literals[i], n) == 0)
        {
            jr->p += n;
            return 1;
        }
    }

    return 0;
}


static json_t *
json_value(json_reader_t *jr)
{
    json_t      *j;
    ngx_uint_t   good, half;

    json_space(jr);

    if (jr->p == jr->last) {
        return NULL;
    }

    j = fuzz_zero(jr->pool, sizeof(json_t));
    j->text.data = jr->p;
    half = 0;

    if (*jr->p == '{' || *jr->p == '[') {
        j->type = (*jr->p == '{') ? 'o' : 'a';

        jr->depth++;
        jr->max_depth = ngx_max(jr->max_depth, jr->depth);

        good = json_members(jr, j);

        jr->depth--;

    } else if (*jr->p == '"') {
        j->type = 's';
        good = json_string(jr, &j->text, &j->value, &half);
        j->half = half;

    } else if (*jr->p == '-' || (*jr->p >= '0' && *jr->p <= '9')) {
        j->type = 'n';
        good = json_number(jr);

    } else {
        j->type = 'l';
        good = json_literal(jr);
    }

    j->text.len = jr->p - j->text.data;

    return good ? j : NULL;
}


/* the value that the whole text is, or NULL; the depth of "[]" is 1 */

static inline json_t *
json_parse(ngx_pool_t *pool, ngx_str_t *text, ngx_uint_t *depth)
{
    json_t         *j;
    json_reader_t   jr;

    ngx_memzero(&jr, sizeof(json_reader_t));

    jr.pool = pool;
    jr.p = text->data;
    jr.last = text->data + text->len;

    j = json_value(&jr);

    json_space(&jr);

    *depth = jr.max_depth;

    return (j && jr.p == jr.last) ? j : NULL;
}


static inline json_t *
json_member(json_t *j, ngx_str_t *name)
{
    json_t  *member;

    for (member = j->first; member; member = member->next) {
        if (fuzz_is(&member->name, name)) {
            return member;
        }
    }

    return NULL;
}


static inline json_t *
json_element(json_t *j, ngx_str_t *index)
{
    char        buf[NGX_INT_T_LEN + 1];
    json_t     *element;
    ngx_str_t   s;
    ngx_uint_t  n;

    n = 0;

    for (element = j->first; element; element = element->next) {

        s.data = (u_char *) buf;
        s.len = sprintf(buf, "%u", (unsigned) n++);

        if (fuzz_is(&s, index)) {
            return element;
        }
    }

    return NULL;
}


#endif /* _FUZZ_JSON_H_INCLUDED_ */
