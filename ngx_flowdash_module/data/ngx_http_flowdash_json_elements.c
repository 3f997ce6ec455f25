
/*
 * Splits a JSON array into its elements.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_json_scan.h>
#include <ngx_http_flowdash_json_elements.h>


typedef struct {
    ngx_http_flowdash_json_scan_t      scan;
    ngx_array_t                       *elements;
    ngx_uint_t                         max;
    ngx_uint_t                         depth;
    const char                        *error;
} ngx_http_flowdash_json_elements_t;


static ngx_int_t ngx_http_flowdash_json_elements_start(
    ngx_http_flowdash_json_scan_t *scan);
static ngx_int_t ngx_http_flowdash_json_elements_end(
    ngx_http_flowdash_json_scan_t *scan);
static ngx_int_t ngx_http_flowdash_json_elements_name(
    ngx_http_flowdash_json_scan_t *scan);
static ngx_int_t ngx_http_flowdash_json_elements_scalar(
    ngx_http_flowdash_json_scan_t *scan);
static ngx_int_t ngx_http_flowdash_json_elements_refuse(
    ngx_http_flowdash_json_elements_t *je, const char *error);


static const ngx_http_flowdash_json_events_t
    ngx_http_flowdash_json_elements_events =
{
    ngx_http_flowdash_json_elements_start,
    ngx_http_flowdash_json_elements_end,
    ngx_http_flowdash_json_elements_name,
    ngx_http_flowdash_json_elements_scalar
};


ngx_int_t
ngx_http_flowdash_json_elements(ngx_str_t *text, ngx_array_t *elements,
    ngx_uint_t max, const char **error, size_t *offset, ngx_pool_t *pool)
{
    ngx_http_flowdash_json_scan_e      rc;
    ngx_http_flowdash_json_elements_t  je;

    if (ngx_array_init(elements, pool, 8, sizeof(ngx_str_t)) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_memzero(&je, sizeof(ngx_http_flowdash_json_elements_t));

    je.scan.text = *text;
    je.scan.events = &ngx_http_flowdash_json_elements_events;
    je.scan.data = &je;

    je.elements = elements;
    je.max = max;

    rc = ngx_http_flowdash_json_scan(&je.scan);

    *offset = je.scan.offset;

    switch (rc) {

    case NGX_HTTP_FLOWDASH_JSON_SCAN_OK:
        return NGX_OK;

    case NGX_HTTP_FLOWDASH_JSON_SCAN_ERROR:
        return NGX_ERROR;

    case NGX_HTTP_FLOWDASH_JSON_SCAN_BYTE:
        *error = "a byte that is not allowed in JSON or UTF-8";
        break;

    case NGX_HTTP_FLOWDASH_JSON_SCAN_DEEP:
        *error = "nested too deep";
        break;

    case NGX_HTTP_FLOWDASH_JSON_SCAN_STOPPED:
        *error = je.error;
        break;

    default: /* NGX_HTTP_FLOWDASH_JSON_SCAN_MALFORMED */
        *error = "not JSON";
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_flowdash_json_elements_start(ngx_http_flowdash_json_scan_t *scan)
{
    ngx_http_flowdash_json_elements_t *je = scan->data;

    ngx_str_t   *element;
    ngx_uint_t   object;

    object = (*scan->start == '{');

    if (je->depth < 2 && object != je->depth) {

        /* the array itself, and the objects in it */

        return ngx_http_flowdash_json_elements_scalar(scan);
    }

    if (je->depth++ != 1) {
        return NGX_OK;
    }

    if (je->elements->nelts == je->max) {
        return ngx_http_flowdash_json_elements_refuse(je,
                                           "a batch with too many elements");
    }

    element = ngx_array_push(je->elements);
    if (element == NULL) {
        return NGX_ERROR;
    }

    element->data = scan->start;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_json_elements_end(ngx_http_flowdash_json_scan_t *scan)
{
    ngx_http_flowdash_json_elements_t *je = scan->data;

    ngx_str_t  *element;

    if (--je->depth == 1) {
        element = je->elements->elts;
        element += je->elements->nelts - 1;

        element->len = scan->end - element->data;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_json_elements_name(ngx_http_flowdash_json_scan_t *scan)
{
    return NGX_OK;
}


/* a scalar, or another value that is not an object, and should be one */

static ngx_int_t
ngx_http_flowdash_json_elements_scalar(ngx_http_flowdash_json_scan_t *scan)
{
    ngx_http_flowdash_json_elements_t *je = scan->data;

    if (je->depth > 1) {
        return NGX_OK;
    }

    return ngx_http_flowdash_json_elements_refuse(je,
                                  "a batch with elements other than objects");
}


/* always returns NGX_DECLINED */

static ngx_int_t
ngx_http_flowdash_json_elements_refuse(ngx_http_flowdash_json_elements_t *je,
    const char *error)
{
    je->error = error;

    return NGX_DECLINED;
}
