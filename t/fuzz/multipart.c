
/*
 * multipart/form-data: its settings, the pointer, the request's Content-Type,
 * the form and the changes in JSON.  It is read whole, byte by byte and in
 * pieces, and must always be read in the same way.
 */


#include "form.h"

#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_multipart.h>
#include <ngx_http_flowdash_multipart_media.h>


static ngx_int_t
read_pieces(form_case_t *c, ngx_http_flowdash_form_t *form, ngx_str_t *text,
    u_char pieces)
{
    size_t                          n, at;
    u_char                         *piece;
    ngx_int_t                       rc;
    ngx_http_flowdash_multipart_t  *mp;

    form_init(c, form);

    mp = ngx_http_flowdash_multipart_create(form);
    fuzz_check(mp, "there is memory");

    for (at = 0; at < text->len; at += n) {

        n = pieces ? (at * 7 + pieces) % pieces + 1 : text->len;
        n = ngx_min(n, text->len - at);

        /* a piece does not outlive its call */

        piece = malloc(n);
        fuzz_check(piece, "there is memory");
        ngx_memcpy(piece, text->data + at, n);

        rc = ngx_http_flowdash_multipart_read(mp, piece, n);

        free(piece);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return ngx_http_flowdash_multipart_end(mp);
}


static void
check_same(ngx_http_flowdash_form_t *a, ngx_http_flowdash_form_t *b)
{
    ngx_http_flowdash_form_pair_t  *p, *q;

    fuzz_check(a->verdict == b->verdict && a->error == b->error
               && a->offset == b->offset && a->rule == b->rule
               && a->fields == b->fields,
               "the verdict does not depend on the pieces");

    if (a->verdict != NGX_HTTP_FLOWDASH_FORM_OK) {
        return;
    }

    fuzz_check(a->tail == b->tail && a->size == b->size
               && a->empty == b->empty, "nor does the end");

    for (p = a->pairs, q = b->pairs; p && q; p = p->next, q = q->next) {
        fuzz_check(fuzz_is(&p->name, &q->name) && fuzz_is(&p->text, &q->text)
                   && fuzz_is(&p->type, &q->type)
                   && p->start == q->start && p->value == q->value
                   && p->last == q->last && p->file == q->file
                   && p->whole == q->whole, "nor do the parts");
    }

    fuzz_check(p == NULL && q == NULL, "nor does their number");
}


static ngx_int_t
form_read(form_case_t *c, ngx_http_flowdash_form_t *form, ngx_str_t *text)
{
    ngx_int_t                 rc;
    ngx_http_flowdash_form_t  other;

    rc = read_pieces(c, form, text, 0);

    if (c->max_size != NGX_MAX_INT_T_VALUE) {
        return rc;
    }

    fuzz_check(read_pieces(c, &other, text, 1) == rc, "the same by bytes");
    check_same(form, &other);

    fuzz_check(read_pieces(c, &other, text, c->pieces % 64 + 2) == rc,
               "the same by pieces");
    check_same(form, &other);

    return rc;
}


/* the parameters of a Content-Disposition that has no oddities */

static void
model_disposition(form_pair_t *pair, u_char *p, u_char *last)
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

        if ((name.len == 8 || name.len == 9)
            && strncasecmp((char *) name.data, "filename", 8) == 0)
        {
            pair->file = 1;
        }
    }
}


/* a part, from its delimiter on */

static ngx_uint_t
model_part(form_case_t *c, form_pairs_t *pairs, u_char *start, u_char *p,
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
            model_disposition(pair, p + sizeof(field) - 1, end);
        }
    }

    pair->value.data = content;
    pair->value.len = last - content;

    form_split(c, pair);

    return 1;
}


static ngx_uint_t
form_model(form_case_t *c, ngx_str_t *text, form_pairs_t *pairs)
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
            || !model_part(c, pairs, start, p, next - 2))
        {
            return 0;
        }

        start = next;
    }

    return 0;
}


int
LLVMFuzzerTestOneInput(const u_char *data, size_t size)
{
    ngx_str_t     type, name, text, changes;
    const char   *error;
    form_case_t   c;
    fuzz_input_t  in;

    fuzz_begin(&in, data, size);

    if (form_begin(&c, &in)) {
        type = fuzz_text(&in);
        text = fuzz_text(&in);
        changes = fuzz_rest(&in);
        c.query = 0;

        if (ngx_http_flowdash_multipart_media(&type, &name)
            != NGX_HTTP_FLOWDASH_FORM_OK
            || !ngx_http_flowdash_text_is(&name, "multipart/form-data"))
        {
            return fuzz_end(&in);
        }

        if (ngx_http_flowdash_multipart_media_boundary(&type, &c.boundary,
                                                       &error)
            == NGX_OK)
        {
            fuzz_check(c.boundary.len
                       && memmem(type.data, type.len, c.boundary.data,
                                 c.boundary.len), "a boundary of the type");

            form_check(&c, &text, &changes);

        } else {
            fuzz_check(error && *error, "a refusal has a reason");
        }
    }

    return fuzz_end(&in);
}
