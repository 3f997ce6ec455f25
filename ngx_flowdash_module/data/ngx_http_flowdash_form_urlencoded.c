
/*
 * Reads application/x-www-form-urlencoded, also the query of a URI, and writes
 * it with edits.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_slices.h>
#include <ngx_http_flowdash_form.h>
#include <ngx_http_flowdash_form_name.h>
#include <ngx_http_flowdash_form_grammar.h>
#include <ngx_http_flowdash_form_rules.h>
#include <ngx_http_flowdash_form_index.h>
#include <ngx_http_flowdash_form_urlencoded.h>


static ngx_int_t ngx_http_flowdash_form_urlencoded_parse_pair(
    ngx_http_flowdash_form_t *form, u_char *text, u_char *p, u_char *last);
static ngx_int_t ngx_http_flowdash_form_urlencoded_add_pair(
    ngx_http_flowdash_form_t *form, ngx_http_flowdash_form_pair_t *known,
    ngx_str_t *field, u_char *text, u_char *p, u_char *last);
static ngx_int_t ngx_http_flowdash_form_urlencoded_semicolons(
    ngx_http_flowdash_form_t *form, u_char *text, u_char *p, u_char *last);
static ngx_int_t ngx_http_flowdash_form_urlencoded_decode(
    ngx_http_flowdash_form_t *form, u_char *p, u_char *last, ngx_str_t *value);
static void ngx_http_flowdash_form_urlencoded_write_edits(
    ngx_http_flowdash_slices_writer_t *w, ngx_str_t *text, ngx_array_t *edits);


ngx_int_t
ngx_http_flowdash_form_urlencoded_parse(ngx_http_flowdash_form_t *form,
    ngx_str_t *text)
{
    u_char     *p, *end, *last;
    ngx_int_t   rc;

    if (ngx_http_flowdash_form_charge(form, text->len) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (ngx_http_flowdash_form_grammar_text(form, text) != NGX_OK) {
        return NGX_DECLINED;
    }

    last = text->data + text->len;

    for (p = text->data; p < last; p = end + 1) {

        end = memchr(p, '&', last - p);

        if (end == NULL) {
            end = last;
        }

        /* PHP and qs count empty pairs, too */

        if (ngx_http_flowdash_form_count(form, p - text->data) != NGX_OK) {
            return NGX_DECLINED;
        }

        if (end == p) {
            continue;
        }

        form->empty = 0;

        if (ngx_http_flowdash_form_grammar_pair(form, text, p, end)
            != NGX_OK)
        {
            return NGX_DECLINED;
        }

        rc = ngx_http_flowdash_form_urlencoded_parse_pair(form, text->data, p,
                                                          end);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    form->tail = text->len;
    form->open = (text->len == 0 || last[-1] == '&');

    return ngx_http_flowdash_form_name_end(form);
}


static ngx_int_t
ngx_http_flowdash_form_urlencoded_parse_pair(ngx_http_flowdash_form_t *form,
    u_char *text, u_char *p, u_char *last)
{
    u_char                         *value;
    ngx_int_t                       rc;
    ngx_str_t                       field, name, charset;
    ngx_http_flowdash_form_pair_t   unknown;

    ngx_memzero(&unknown, sizeof(ngx_http_flowdash_form_pair_t));

    value = memchr(p, '=', last - p);

    rc = ngx_http_flowdash_form_urlencoded_decode(form, p,
                                                  value ? value : last, &name);

    if (rc == NGX_DECLINED) {
        return ngx_http_flowdash_form_refuse(form,
                                     NGX_HTTP_FLOWDASH_FORM_MALFORMED,
                                     p - text, "a name with an invalid "
                                               "escape");
    }

    if (rc != NGX_OK) {
        return rc;
    }

    form->offset = p - text;

    if (value && name.len == sizeof("_charset_") - 1
        && ngx_strncmp(name.data, "_charset_", name.len) == 0)
    {
        charset.data = value + 1;
        charset.len = last - charset.data;

        if (!ngx_http_flowdash_text_is_utf8_name(&charset)) {
            return ngx_http_flowdash_form_refuse(form,
                                       NGX_HTTP_FLOWDASH_FORM_CHARSET,
                                       p - text, "\"_charset_\" is not UTF-8");
        }
    }

    unknown.name = name;

    rc = ngx_http_flowdash_form_name(form, &unknown, &field);

    if (rc == NGX_DONE) {
        return ngx_http_flowdash_form_urlencoded_semicolons(form, text, p,
                                                            last);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    if (memchr(p, ';', last - p)) {
        return ngx_http_flowdash_form_refuse(form,
                                     NGX_HTTP_FLOWDASH_FORM_MALFORMED,
                                     p - text, "a field with a semicolon");
    }

    return ngx_http_flowdash_form_urlencoded_add_pair(form, &unknown, &field,
                                                      text, p,
                                                      last);
}


/* adds a pair of the task to the form; its name is known */

static ngx_int_t
ngx_http_flowdash_form_urlencoded_add_pair(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_form_pair_t *known, ngx_str_t *field, u_char *text,
    u_char *p, u_char *last)
{
    u_char                         *value;
    ngx_int_t                       rc;
    const char                     *error;
    ngx_http_flowdash_form_pair_t  *pair;

    if (ngx_http_flowdash_form_charge(form,
                                      sizeof(ngx_http_flowdash_form_pair_t))
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    pair = ngx_palloc(form->pool, sizeof(ngx_http_flowdash_form_pair_t));
    if (pair == NULL) {
        return NGX_ERROR;
    }

    *pair = *known;

    value = memchr(p, '=', last - p);

    pair->bare = (value == NULL);
    pair->start = p - text;
    pair->value = (value ? value + 1 : last) - text;
    pair->last = last - text;

    rc = ngx_http_flowdash_form_urlencoded_decode(form, text + pair->value,
                                                  last,
                                                  &pair->text);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_DECLINED
        || ngx_http_flowdash_text_check_utf8(&pair->text))
    {
        return ngx_http_flowdash_form_refuse(form,
                           NGX_HTTP_FLOWDASH_FORM_MALFORMED, pair->value,
                           "a value that has an invalid escape, or is not "
                           "UTF-8");
    }

    error = ngx_http_flowdash_form_rules_value(form, &pair->text);

    if (error) {
        return ngx_http_flowdash_form_refuse_rule(form, form->rule,
                                                  pair->value, error);
    }

    return ngx_http_flowdash_form_index_add(form, pair, field);
}


/*
 * Some apps also split pairs at semicolons, and would find other names: before
 * the first one, too, if that is not a part of the value.  This checks the
 * pairs that do not belong to the task; those that do must not have semicolons
 * at all, which would cut their values short.
 */

static ngx_int_t
ngx_http_flowdash_form_urlencoded_semicolons(ngx_http_flowdash_form_t *form,
    u_char *text, u_char *p, u_char *last)
{
    u_char                         *end, *value;
    ngx_int_t                       rc;
    ngx_str_t                       field;
    ngx_http_flowdash_form_pair_t   pair;

    if (memchr(p, ';', last - p) == NULL) {
        return NGX_OK;
    }

    for ( ;; ) {

        end = memchr(p, ';', last - p);

        if (end == NULL) {
            end = last;
        }

        value = memchr(p, '=', end - p);

        rc = ngx_http_flowdash_form_urlencoded_decode(form, p,
                                                      value ? value : end,
                                                      &pair.name);

        if (rc == NGX_OK) {
            rc = ngx_http_flowdash_form_name(form, &pair, &field);
        }

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (rc != NGX_DONE) {
            return ngx_http_flowdash_form_refuse(form,
                                   NGX_HTTP_FLOWDASH_FORM_MALFORMED,
                                   p - text, "a field next to a semicolon");
        }

        if (end == last) {
            return NGX_OK;
        }

        p = end + 1;
    }
}


/*
 * Returns NGX_OK, NGX_DECLINED if a "%" does not start an escape, or
 * NGX_ERROR.
 */

static ngx_int_t
ngx_http_flowdash_form_urlencoded_decode(ngx_http_flowdash_form_t *form,
    u_char *p,
    u_char *last, ngx_str_t *value)
{
    u_char  *dst, *end;

    if (memchr(p, '%', last - p) == NULL && memchr(p, '+', last - p) == NULL)
    {
        value->data = p;
        value->len = last - p;
        return NGX_OK;
    }

    dst = ngx_pnalloc(form->pool, last - p);
    if (dst == NULL) {
        return NGX_ERROR;
    }

    end = ngx_http_flowdash_text_unescape(dst, p, last, 1);

    if (end == NULL) {
        return NGX_DECLINED;
    }

    value->data = dst;
    value->len = end - dst;

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_form_urlencoded_write(ngx_http_flowdash_form_t *form,
    ngx_str_t *text, ngx_array_t *edits, ngx_http_flowdash_slices_t *slices)
{
    ngx_http_flowdash_slices_writer_t  w;

    ngx_memzero(&w, sizeof(ngx_http_flowdash_slices_writer_t));

    ngx_http_flowdash_form_urlencoded_write_edits(&w, text, edits);

    if (ngx_http_flowdash_slices_begin(&w, form->pool) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_flowdash_form_urlencoded_write_edits(&w, text, edits);

    ngx_http_flowdash_slices_end(&w, slices);

    return NGX_OK;
}


static void
ngx_http_flowdash_form_urlencoded_write_edits(
    ngx_http_flowdash_slices_writer_t *w, ngx_str_t *text, ngx_array_t *edits)
{
    off_t                           offset;
    ngx_uint_t                      i;
    ngx_http_flowdash_form_edit_t  *edit;

    edit = edits->elts;
    offset = 0;

    for (i = 0; i < edits->nelts; i++) {

        ngx_http_flowdash_slices_write(w, text->data + offset,
                                       edit[i].start - offset);
        ngx_http_flowdash_slices_write(w, edit[i].text.data,
                                       edit[i].text.len);
        offset = edit[i].last;
    }

    ngx_http_flowdash_slices_write(w, text->data + offset, text->len - offset);
}
