
/*
 * multipart/form-data: its settings, the pointer, the request's Content-Type,
 * the form and the changes in JSON.  It is read whole, byte by byte and in
 * pieces, and must always be read in the same way.
 */


#include "form.h"
#include "multipart.h"

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


static ngx_uint_t
form_model(form_case_t *c, ngx_str_t *text, form_pairs_t *pairs)
{
    return multipart_model(c, text, pairs);
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
