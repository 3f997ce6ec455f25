
/*
 * flowdash_status: the content handler.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_conf_util.h>
#include <ngx_http_flowdash_output.h>
#include <ngx_http_flowdash_status_view.h>
#include <ngx_http_flowdash_status_json.h>
#include <ngx_http_flowdash_executions.h>
#include <ngx_http_flowdash_status_execution.h>
#include <ngx_http_flowdash_status_page_execution.h>
#include <ngx_http_flowdash_status_prometheus.h>
#include <ngx_http_flowdash_status_page.h>
#include <ngx_http_flowdash_status.h>


typedef void (*ngx_http_flowdash_status_pt)(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_view_t *view);


typedef void (*ngx_http_flowdash_status_one_pt)(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_zone_t *zone,
    ngx_str_t *id, ngx_http_flowdash_execution_t *execution);


typedef struct {
    ngx_str_t                        name;
    ngx_str_t                        type;
    ngx_http_flowdash_status_pt      handler;
    ngx_http_flowdash_status_one_pt  one;     /* NULL: it has no such page */
} ngx_http_flowdash_format_t;


static ngx_int_t ngx_http_flowdash_status_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_flowdash_status_id(ngx_http_request_t *r,
    ngx_str_t *id);
static ngx_uint_t ngx_http_flowdash_status_one(
    ngx_http_flowdash_format_t *format, ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_zone_t *zone, ngx_str_t *id);
static ngx_int_t ngx_http_flowdash_status_send(ngx_http_request_t *r,
    ngx_http_flowdash_format_t *format, ngx_http_flowdash_output_t *out,
    ngx_uint_t status);


static ngx_http_flowdash_format_t  ngx_http_flowdash_formats[] = {

    { ngx_string("html"), ngx_string("text/html; charset=utf-8"),
      ngx_http_flowdash_status_page,
      ngx_http_flowdash_status_page_execution },

    { ngx_string("json"), ngx_string("application/json"),
      ngx_http_flowdash_status_json,
      ngx_http_flowdash_status_execution },

    { ngx_string("prometheus"),
      ngx_string("text/plain; version=0.0.4; charset=utf-8"),
      ngx_http_flowdash_status_prometheus,
      NULL },

    { ngx_null_string, ngx_null_string, NULL, NULL }
};


char *
ngx_http_flowdash_status_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    ngx_str_t                      *value;
    ngx_http_core_loc_conf_t       *clcf;
    ngx_http_flowdash_format_t     *format;
    ngx_http_flowdash_main_conf_t  *fmcf;

    if (flcf->format) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (format = ngx_http_flowdash_formats; format->name.len; format++) {
        if (ngx_http_flowdash_text_equal(&format->name, &value[1])) {
            break;
        }
    }

    if (format->name.len == 0) {
        return ngx_http_flowdash_conf_refuse_literal(cf, cmd, &value[1],
                             "\"html\", \"json\" or \"prometheus\" is "
                             "expected");
    }

    flcf->format = format;

    fmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_flowdash_module);

    if (fmcf->status == NULL) {
        fmcf->status = ngx_http_flowdash_conf_place(cf);
        if (fmcf->status == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_flowdash_status_handler;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_flowdash_status_handler(ngx_http_request_t *r)
{
    ngx_int_t                       rc;
    ngx_str_t                       id;
    ngx_uint_t                      status;
    ngx_http_flowdash_view_t        view;
    ngx_http_flowdash_format_t     *format;
    ngx_http_flowdash_output_t      out;
    ngx_http_flowdash_loc_conf_t   *flcf;
    ngx_http_flowdash_main_conf_t  *fmcf;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    flcf = ngx_http_get_module_loc_conf(r, ngx_http_flowdash_module);
    fmcf = ngx_http_get_module_main_conf(r, ngx_http_flowdash_module);

    format = flcf->format;

    ngx_memzero(&out, sizeof(ngx_http_flowdash_output_t));
    out.pool = r->pool;

    rc = format->one ? ngx_http_flowdash_status_id(r, &id) : NGX_DECLINED;

    if (rc == NGX_OK) {
        status = ngx_http_flowdash_status_one(format, &out, fmcf->counters,
                                              &id);

    } else if (rc == NGX_DECLINED
               && ngx_http_flowdash_status_view(r, fmcf, &view) == NGX_OK)
    {
        status = NGX_HTTP_OK;
        format->handler(&out, &view);

    } else {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (out.failed || out.first == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_flowdash_status_send(r, format, &out, status);
}


/*
 * Finds the id in the query, as a form or a person may have written it.
 * Returns NGX_OK, NGX_DECLINED if there is none, or NGX_ERROR.
 */

static ngx_int_t
ngx_http_flowdash_status_id(ngx_http_request_t *r, ngx_str_t *id)
{
    u_char     *dst, *src;
    ngx_str_t   value;

    if (ngx_http_arg(r, (u_char *) "id", 2, &value) != NGX_OK) {
        return NGX_DECLINED;
    }

    id->data = ngx_pnalloc(r->pool, value.len + 1);
    if (id->data == NULL) {
        return NGX_ERROR;
    }

    dst = id->data;
    src = value.data;

    ngx_unescape_uri(&dst, &src, value.len, 0);

    id->len = dst - id->data;

    while (id->len && (id->data[0] == ' ' || id->data[0] == '+')) {
        id->data++;
        id->len--;
    }

    while (id->len && (id->data[id->len - 1] == ' '
                       || id->data[id->len - 1] == '+'))
    {
        id->len--;
    }

    return NGX_OK;
}


/* returns the status: of an execution that is not kept, 404 */

static ngx_uint_t
ngx_http_flowdash_status_one(ngx_http_flowdash_format_t *format,
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_zone_t *zone,
    ngx_str_t *id)
{
    ngx_http_flowdash_execution_t  execution;

    if (zone->executions == NULL
        || ngx_http_flowdash_executions_find(zone, id, &execution) != NGX_OK)
    {
        format->one(out, zone, id, NULL);
        return NGX_HTTP_NOT_FOUND;
    }

    format->one(out, zone, id, &execution);
    return NGX_HTTP_OK;
}


static ngx_int_t
ngx_http_flowdash_status_send(ngx_http_request_t *r,
    ngx_http_flowdash_format_t *format, ngx_http_flowdash_output_t *out,
    ngx_uint_t status)
{
    ngx_int_t  rc;

    r->headers_out.status = status;
    r->headers_out.content_length_n = out->length;
    r->headers_out.content_type = format->type;
    r->headers_out.content_type_len = format->type.len;
    r->headers_out.content_type_lowcase = NULL;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    out->last->buf->last_buf = (r == r->main) ? 1 : 0;
    out->last->buf->last_in_chain = 1;

    return ngx_http_output_filter(r, out->first);
}
