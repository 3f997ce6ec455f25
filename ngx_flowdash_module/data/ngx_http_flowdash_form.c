
/*
 * What the readers of forms, their index and their edits share.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_strict.h>
#include <ngx_http_flowdash_form.h>


void
ngx_http_flowdash_form_init(ngx_http_flowdash_form_t *form, ngx_pool_t *pool,
    ngx_array_t *pointer, ngx_str_t *boundary, size_t max_size,
    ngx_uint_t strict)
{
    ngx_memzero(form, sizeof(ngx_http_flowdash_form_t));

    form->pool = pool;
    form->pointer = pointer;
    form->boundary = *boundary;
    form->max_size = max_size;
    form->max_fields = NGX_MAX_INT_T_VALUE;
    form->strict = strict;
    form->empty = 1;

    form->root.object = 1;
}


ngx_int_t
ngx_http_flowdash_form_charge(ngx_http_flowdash_form_t *form, size_t size)
{
    form->size += size;

    if (form->size > form->max_size) {
        return ngx_http_flowdash_form_refuse(form,
                                    NGX_HTTP_FLOWDASH_FORM_LARGE, form->offset,
                                    "over flowdash_max_fields_size");
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_form_count(ngx_http_flowdash_form_t *form, off_t offset)
{
    form->fields++;

    if (form->fields > form->max_fields
        && (form->strict & NGX_HTTP_FLOWDASH_STRICT_FIELDS))
    {
        form->rule = NGX_HTTP_FLOWDASH_STRICT_FIELDS;

        return ngx_http_flowdash_form_refuse(form,
                                    NGX_HTTP_FLOWDASH_FORM_LARGE, offset,
                                    "more pairs than flowdash_max_fields");
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_form_refuse(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_form_verdict_e verdict, off_t offset, const char *error)
{
    form->verdict = verdict;
    form->offset = offset;
    form->error = error;

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_flowdash_form_refuse_rule(ngx_http_flowdash_form_t *form,
    ngx_uint_t rule, off_t offset, const char *error)
{
    form->rule = rule;

    return ngx_http_flowdash_form_refuse(form,
                                         NGX_HTTP_FLOWDASH_FORM_MALFORMED,
                                         offset, error);
}
