
/*
 * flowdash_extract: gets single values from the body, the query, the task and
 * the stored task.  They decide what a request is, so what some apps could
 * read differently is refused, as with a field of the task.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_strict.h>
#include <ngx_http_flowdash_form.h>
#include <ngx_http_flowdash_form_urlencoded.h>
#include <ngx_http_flowdash_multipart_state.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_body.h>
#include <ngx_http_flowdash_source_state.h>
#include <ngx_http_flowdash_source.h>
#include <ngx_http_flowdash_extract_value.h>
#include <ngx_http_flowdash_extract_field.h>
#include <ngx_http_flowdash_extract.h>


static ngx_int_t ngx_http_flowdash_extract_select(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_json_select_t **selected);
static ngx_uint_t ngx_http_flowdash_extract_needs_body(
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_extract_t *extract);
static ngx_int_t ngx_http_flowdash_extract_request(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_uint_t n,
    ngx_http_flowdash_json_select_t *sel,
    ngx_http_flowdash_extracted_t *extracted);
static ngx_int_t ngx_http_flowdash_extract_body(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_uint_t n,
    ngx_http_flowdash_json_select_t *sel,
    ngx_http_flowdash_extract_value_t *value);
static ngx_int_t ngx_http_flowdash_extract_query(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_extract_value_t *value);
static ngx_int_t ngx_http_flowdash_extract_refuse(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_extract_t *extract,
    ngx_uint_t rule, const char *error);


ngx_int_t
ngx_http_flowdash_extract(ngx_http_request_t *r, ngx_http_flowdash_ctx_t *ctx)
{
    ngx_int_t                         rc;
    ngx_uint_t                        i, rule;
    const char                       *error;
    ngx_array_t                      *extracts;
    ngx_http_flowdash_extract_t      *extract;
    ngx_http_flowdash_extracted_t    *extracted, unused;
    ngx_http_flowdash_json_select_t  *sel;

    extracts = ctx->conf->extracts;

    if (extracts == NULL) {
        return NGX_OK;
    }

    extracted = ngx_pcalloc(r->pool, extracts->nelts
                                     * sizeof(ngx_http_flowdash_extracted_t));

    if (extracted == NULL
        || ngx_http_flowdash_extract_select(r, ctx, &sel) != NGX_OK)
    {
        return NGX_ERROR;
    }

    extract = extracts->elts;

    for (i = 0; i < extracts->nelts; i++) {

        if (extract[i].from <= NGX_HTTP_FLOWDASH_FROM_QUERY) {

            rc = ngx_http_flowdash_extract_request(r, ctx, i, sel,
                                                   &extracted[i]);
            sel += ngx_http_flowdash_extract_needs_body(ctx, &extract[i]);

            if (rc == NGX_DECLINED) {
                return NGX_OK;
            }

        } else if (extract[i].from == NGX_HTTP_FLOWDASH_FROM_TASK
                   && ctx->task)
        {
            rc = ngx_http_flowdash_extract_field(r, ctx, &extract[i], &unused,
                                                 &error, &rule);

            if (rc == NGX_DECLINED) {
                return ngx_http_flowdash_extract_refuse(r, ctx, &extract[i],
                                                        rule, error);
            }

        } else {
            continue;
        }

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }
    }

    ctx->extracted = extracted;

    return NGX_OK;
}


/*
 * Reads a JSON body once for all that is extracted from it: "selected" has a
 * value for each, in the order of the directives; of another body, none.
 */

static ngx_int_t
ngx_http_flowdash_extract_select(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_json_select_t **selected)
{
    ngx_uint_t                        i, n;
    ngx_array_t                      *extracts;
    ngx_http_flowdash_extract_t      *extract;
    ngx_http_flowdash_sources_t      *src;
    ngx_http_flowdash_json_select_t  *sel;

    src = ctx->sources;
    extracts = ctx->conf->extracts;

    sel = ngx_palloc(r->pool, extracts->nelts
                              * sizeof(ngx_http_flowdash_json_select_t));
    if (sel == NULL) {
        return NGX_ERROR;
    }

    *selected = sel;

    if (!src->readable
        || src->media.type == NGX_HTTP_FLOWDASH_MULTIPART
        || src->media.type == NGX_HTTP_FLOWDASH_URLENCODED)
    {
        return NGX_OK;
    }

    n = 0;
    extract = extracts->elts;

    for (i = 0; i < extracts->nelts; i++) {
        if (ngx_http_flowdash_extract_needs_body(ctx, &extract[i])) {
            ngx_http_flowdash_extract_value_init(ctx, &src->body.text,
                                                 &extract[i].pointer,
                                                 &sel[n++]);
        }
    }

    return ngx_http_flowdash_json_select_all(sel, n, r->pool);
}


/* also what is extracted from the query must not contradict the body */

static ngx_uint_t
ngx_http_flowdash_extract_needs_body(ngx_http_flowdash_ctx_t *ctx,
    ngx_http_flowdash_extract_t *extract)
{
    return extract->from == NGX_HTTP_FLOWDASH_FROM_BODY
           || (extract->from == NGX_HTTP_FLOWDASH_FROM_QUERY
               && (ctx->conf->strict & NGX_HTTP_FLOWDASH_STRICT_QUERY));
}


/*
 * Body or query.  Some apps prefer the one, some the other, so they must not
 * contradict each other.  Returns NGX_OK, NGX_DECLINED with
 * ctx->refusal_status set, or NGX_ERROR.
 */

static ngx_int_t
ngx_http_flowdash_extract_request(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_uint_t n,
    ngx_http_flowdash_json_select_t *sel,
    ngx_http_flowdash_extracted_t *extracted)
{
    ngx_int_t                           rc;
    ngx_uint_t                          both, in_body;
    ngx_http_flowdash_extract_t        *extract;
    ngx_http_flowdash_extract_value_t   body, query, *own, *other;

    extract = ctx->conf->extracts->elts;
    extract += n;

    ngx_memzero(&body, sizeof(ngx_http_flowdash_extract_value_t));
    ngx_memzero(&query, sizeof(ngx_http_flowdash_extract_value_t));

    body.extract = extract;
    query.extract = extract;

    in_body = (extract->from == NGX_HTTP_FLOWDASH_FROM_BODY);
    both = ctx->conf->strict & NGX_HTTP_FLOWDASH_STRICT_QUERY;

    rc = NGX_OK;

    if (ngx_http_flowdash_extract_needs_body(ctx, extract)) {
        rc = ngx_http_flowdash_extract_body(r, ctx, n, sel, &body);
    }

    if (rc == NGX_OK && (both || !in_body)) {
        rc = ngx_http_flowdash_extract_query(r, ctx, &query);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    own = in_body ? &body : &query;
    other = in_body ? &query : &body;

    if (other->other
        || (other->found
            && (!own->found
                || !ngx_http_flowdash_text_equal(&own->text, &other->text))))
    {
        return (ngx_http_flowdash_extract_refuse(r, ctx, extract,
                   NGX_HTTP_FLOWDASH_STRICT_QUERY,
                   "the request's query and its body do not have the same "
                   "value")
                == NGX_OK)
               ? NGX_DECLINED : NGX_ERROR;
    }

    extracted->text = own->text;
    extracted->ambiguous = own->other;

    return NGX_OK;
}


/* returns as ngx_http_flowdash_extract_request() */

static ngx_int_t
ngx_http_flowdash_extract_body(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_uint_t n,
    ngx_http_flowdash_json_select_t *sel,
    ngx_http_flowdash_extract_value_t *value)
{
    ngx_int_t                     rc;
    ngx_str_t                     none;
    ngx_http_flowdash_form_t     *form;
    ngx_http_flowdash_sources_t  *src;

    src = ctx->sources;

    if (!src->readable) {

        /* it has been refused, and so is an empty name that depends on it */

        return NGX_DECLINED;
    }

    if (ngx_http_flowdash_extract_value_what(r, value, "body") != NGX_OK) {
        return NGX_ERROR;
    }

    switch (src->media.type) {

    case NGX_HTTP_FLOWDASH_MULTIPART:
        form = src->readers[n]->form;
        rc = form->verdict ? NGX_DECLINED : NGX_OK;
        break;

    case NGX_HTTP_FLOWDASH_URLENCODED:
        ngx_str_null(&none);

        form = ngx_http_flowdash_extract_value_create_form(r, ctx,
                                                           value->extract,
                                                           &none);
        if (form == NULL) {
            return NGX_ERROR;
        }

        form->ascii = src->media.ascii;

        rc = ngx_http_flowdash_form_urlencoded_parse(form, &src->body.text);
        break;

    default:
        return ngx_http_flowdash_extract_value_json(r, ctx, sel, value);
    }

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    return ngx_http_flowdash_extract_value_form(r, ctx, form, value);
}


static ngx_int_t
ngx_http_flowdash_extract_query(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_extract_value_t *value)
{
    ngx_str_t                     none;
    ngx_http_flowdash_form_t     *form;
    ngx_http_flowdash_sources_t  *src;

    src = ctx->sources;

    if (r->args.len == 0) {
        return NGX_OK;
    }

    if (ngx_http_flowdash_extract_value_what(r, value, "query") != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_str_null(&none);

    form = ngx_http_flowdash_extract_value_create_form(r, ctx, value->extract,
                                                       &none);
    if (form == NULL) {
        return NGX_ERROR;
    }

    form->query = 1;
    form->ascii = src->media.ascii;

    if (ngx_http_flowdash_form_urlencoded_parse(form, &r->args) == NGX_ERROR) {
        return NGX_ERROR;
    }

    return ngx_http_flowdash_extract_value_form(r, ctx, form, value);
}


/* returns NGX_OK or NGX_ERROR */

static ngx_int_t
ngx_http_flowdash_extract_refuse(ngx_http_request_t *r,
    ngx_http_flowdash_ctx_t *ctx, ngx_http_flowdash_extract_t *extract,
    ngx_uint_t rule, const char *error)
{
    u_char  *p;
    size_t   len;

    len = sizeof("for $: ") + extract->name->len + ngx_strlen(error);

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_snprintf(p, len, "for $%V: %s%Z", extract->name, error);

    if (rule == 0) {
        return ngx_http_flowdash_source_refuse(r, ctx, NGX_HTTP_BAD_REQUEST,
                                               (char *) p);
    }

    return ngx_http_flowdash_source_refuse_rule(r, ctx, NGX_HTTP_BAD_REQUEST,
                                                rule, (char *) p);
}


ngx_uint_t
ngx_http_flowdash_extract_is_batch(ngx_http_flowdash_loc_conf_t *flcf,
    ngx_str_t *text)
{
    u_char                       *p, *last;
    ngx_str_t                    *token;
    ngx_uint_t                    i;
    ngx_http_flowdash_extract_t  *extract;

    if (flcf->extracts == NULL) {
        return 0;
    }

    token = flcf->pointer->elts;

    if (flcf->pointer->nelts
        && ngx_atoi(token->data, token->len) != NGX_ERROR)
    {
        /* one element of the array is the task */

        return 0;
    }

    p = text->data;
    last = p + text->len;

    while (p < last && (*p == ' ' || *p == '\t' || *p == CR || *p == LF)) {
        p++;
    }

    if (p == last || *p != '[') {
        return 0;
    }

    extract = flcf->extracts->elts;

    for (i = 0; i < flcf->extracts->nelts; i++) {
        if (extract[i].from == NGX_HTTP_FLOWDASH_FROM_BODY) {
            return 1;
        }
    }

    return 0;
}
