
/*
 * Splits a JSON array into its elements.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_json_elements.h>


typedef struct {
    ngx_http_flowdash_json_memory_t    memory;
    yajl_handle                        yajl;
    ngx_str_t                         *text;
    ngx_array_t                       *elements;
    ngx_uint_t                         max;
    ngx_uint_t                         depth;
    const char                        *error;
} ngx_http_flowdash_json_elements_t;


static int ngx_http_flowdash_json_elements_null(void *data);
static int ngx_http_flowdash_json_elements_boolean(void *data, int value);
static int ngx_http_flowdash_json_elements_text(void *data, const u_char *p,
    size_t len);
static int ngx_http_flowdash_json_elements_number(void *data, const char *p,
    size_t len);
static int ngx_http_flowdash_json_elements_start_map(void *data);
static int ngx_http_flowdash_json_elements_start_array(void *data);
static int ngx_http_flowdash_json_elements_end(void *data);
static int ngx_http_flowdash_json_elements_start(
    ngx_http_flowdash_json_elements_t *je, ngx_uint_t object);
static int ngx_http_flowdash_json_elements_scalar(
    ngx_http_flowdash_json_elements_t *je);
static int ngx_http_flowdash_json_elements_refuse(
    ngx_http_flowdash_json_elements_t *je, const char *error);
static u_char *ngx_http_flowdash_json_elements_position(
    ngx_http_flowdash_json_elements_t *je);


static const yajl_callbacks  ngx_http_flowdash_json_elements_callbacks = {
    ngx_http_flowdash_json_elements_null,
    ngx_http_flowdash_json_elements_boolean,
    NULL,                                  /* integer */
    NULL,                                  /* double */
    ngx_http_flowdash_json_elements_number,
    ngx_http_flowdash_json_elements_text,
    ngx_http_flowdash_json_elements_start_map,
    NULL,                                  /* map key */
    ngx_http_flowdash_json_elements_end,   /* end map */
    ngx_http_flowdash_json_elements_start_array,
    ngx_http_flowdash_json_elements_end    /* end array */
};


ngx_int_t
ngx_http_flowdash_json_elements(ngx_str_t *text, ngx_array_t *elements,
    ngx_uint_t max, const char **error, size_t *offset, ngx_pool_t *pool)
{
    u_char                             *bad;
    ngx_int_t                           rc;
    ngx_http_flowdash_json_elements_t   je;

    if (ngx_array_init(elements, pool, 8, sizeof(ngx_str_t)) != NGX_OK) {
        return NGX_ERROR;
    }

    bad = ngx_http_flowdash_json_check_text(text);

    if (bad) {
        *error = "a byte that is not allowed in JSON or UTF-8";
        *offset = bad - text->data;
        return NGX_DECLINED;
    }

    ngx_memzero(&je, sizeof(ngx_http_flowdash_json_elements_t));

    je.text = text;
    je.elements = elements;
    je.max = max;

    rc = ngx_http_flowdash_json_run(&je.memory,
                                    &ngx_http_flowdash_json_elements_callbacks,
                                    &je, &je.yajl, text, offset, pool->log);

    if (rc == NGX_DECLINED) {
        *error = je.error ? je.error : "not JSON";
    }

    return rc;
}


static int
ngx_http_flowdash_json_elements_null(void *data)
{
    return ngx_http_flowdash_json_elements_scalar(data);
}


static int
ngx_http_flowdash_json_elements_boolean(void *data, int value)
{
    return ngx_http_flowdash_json_elements_scalar(data);
}


static int
ngx_http_flowdash_json_elements_text(void *data, const u_char *p, size_t len)
{
    return ngx_http_flowdash_json_elements_scalar(data);
}


static int
ngx_http_flowdash_json_elements_number(void *data, const char *p, size_t len)
{
    return ngx_http_flowdash_json_elements_scalar(data);
}


static int
ngx_http_flowdash_json_elements_start_map(void *data)
{
    return ngx_http_flowdash_json_elements_start(data, 1);
}


static int
ngx_http_flowdash_json_elements_start_array(void *data)
{
    return ngx_http_flowdash_json_elements_start(data, 0);
}


static int
ngx_http_flowdash_json_elements_start(ngx_http_flowdash_json_elements_t *je,
    ngx_uint_t object)
{
    ngx_str_t  *element;

    if (je->depth == NGX_HTTP_FLOWDASH_JSON_DEPTH) {
        return ngx_http_flowdash_json_elements_refuse(je, "nested too deep");
    }

    if (je->depth < 2 && object != je->depth) {

        /* the array itself, and the objects in it */

        return ngx_http_flowdash_json_elements_scalar(je);
    }

    if (je->depth++ != 1) {
        return 1;
    }

    if (je->elements->nelts == je->max) {
        return ngx_http_flowdash_json_elements_refuse(je,
                                           "a batch with too many elements");
    }

    element = ngx_array_push(je->elements);
    if (element == NULL) {
        longjmp(je->memory.exhausted, 1);
    }

    element->data = ngx_http_flowdash_json_elements_position(je) - 1;

    return 1;
}


static int
ngx_http_flowdash_json_elements_end(void *data)
{
    ngx_http_flowdash_json_elements_t *je = data;

    ngx_str_t  *element;

    if (--je->depth == 1) {
        element = je->elements->elts;
        element += je->elements->nelts - 1;

        element->len = ngx_http_flowdash_json_elements_position(je)
                       - element->data;
    }

    return 1;
}


/* a scalar, or another value that is not an object, and should be one */

static int
ngx_http_flowdash_json_elements_scalar(ngx_http_flowdash_json_elements_t *je)
{
    if (je->depth > 1) {
        return 1;
    }

    return ngx_http_flowdash_json_elements_refuse(je,
                                  "a batch with elements other than objects");
}


static int
ngx_http_flowdash_json_elements_refuse(ngx_http_flowdash_json_elements_t *je,
    const char *error)
{
    je->error = error;

    return 0;
}


static u_char *
ngx_http_flowdash_json_elements_position(ngx_http_flowdash_json_elements_t *je)
{
    return je->text->data + (je->yajl ? yajl_get_bytes_consumed(je->yajl)
                                      : je->text->len);
}
