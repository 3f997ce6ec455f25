
/*
 * Finds a value in a JSON text by a pointer that may have selectors.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_strict.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_json_path.h>
#include <ngx_http_flowdash_json_pointer.h>
#include <ngx_http_flowdash_json_select.h>


typedef struct {
    ngx_http_flowdash_json_memory_t    memory;
    ngx_http_flowdash_json_path_t      path;
} ngx_http_flowdash_json_selector_t;


static ngx_int_t ngx_http_flowdash_json_select_run(
    ngx_http_flowdash_json_select_t *sel,
    ngx_http_flowdash_json_selector_t *js, ngx_pool_t *pool);
static int ngx_http_flowdash_json_select_null(void *data);
static int ngx_http_flowdash_json_select_boolean(void *data, int value);
static int ngx_http_flowdash_json_select_number(void *data, const char *p,
    size_t len);
static int ngx_http_flowdash_json_select_string(void *data, const u_char *p,
    size_t len);
static int ngx_http_flowdash_json_select_scalar(
    ngx_http_flowdash_json_selector_t *js, const void *p, size_t len);
static int ngx_http_flowdash_json_select_start_map(void *data);
static int ngx_http_flowdash_json_select_start_array(void *data);
static int ngx_http_flowdash_json_select_start(
    ngx_http_flowdash_json_selector_t *js, ngx_uint_t array);
static int ngx_http_flowdash_json_select_map_key(void *data, const u_char *p,
    size_t len);
static int ngx_http_flowdash_json_select_end(void *data);


static const yajl_callbacks  ngx_http_flowdash_json_select_callbacks = {
    ngx_http_flowdash_json_select_null,
    ngx_http_flowdash_json_select_boolean,
    NULL,                                  /* integer */
    NULL,                                  /* double */
    ngx_http_flowdash_json_select_number,
    ngx_http_flowdash_json_select_string,
    ngx_http_flowdash_json_select_start_map,
    ngx_http_flowdash_json_select_map_key,
    ngx_http_flowdash_json_select_end,     /* end map */
    ngx_http_flowdash_json_select_start_array,
    ngx_http_flowdash_json_select_end      /* end array */
};


ngx_int_t
ngx_http_flowdash_json_select(ngx_http_flowdash_json_select_t *sel,
    ngx_http_flowdash_json_verdict_e *verdict, ngx_pool_t *pool)
{
    u_char                             *bad;
    ngx_http_flowdash_json_selector_t   js;

    ngx_str_null(&sel->value);
    sel->size = 0;
    sel->error = NULL;
    sel->offset = 0;
    sel->rule = 0;

    *verdict = NGX_HTTP_FLOWDASH_JSON_MALFORMED;

    if (sel->strict & NGX_HTTP_FLOWDASH_STRICT_BOM
        && sel->text.len >= 3
        && ngx_memcmp(sel->text.data, "\xef\xbb\xbf", 3) == 0)
    {
        sel->error = "a byte order mark";
        sel->rule = NGX_HTTP_FLOWDASH_STRICT_BOM;
        return NGX_OK;
    }

    bad = ngx_http_flowdash_json_check_text(&sel->text);

    if (bad) {
        sel->error = "a byte that is not allowed in JSON or UTF-8";
        sel->offset = bad - sel->text.data;
        return NGX_OK;
    }

    if (ngx_http_flowdash_json_select_run(sel, &js, pool) != NGX_OK) {
        return NGX_ERROR;
    }

    *verdict = js.path.verdict;

    if (*verdict == NGX_HTTP_FLOWDASH_JSON_OK) {
        sel->value = js.path.value;
    }

    sel->error = js.path.error;
    sel->offset = js.path.offset;
    sel->rule = js.path.rule;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_json_select_run(ngx_http_flowdash_json_select_t *sel,
    ngx_http_flowdash_json_selector_t *js, ngx_pool_t *pool)
{
    size_t                          offset;
    ngx_int_t                       rc;
    ngx_http_flowdash_json_path_t  *path;

    ngx_memzero(js, sizeof(ngx_http_flowdash_json_selector_t));

    path = &js->path;

    path->text = sel->text;
    path->pointer = sel->pointer;
    path->unique = sel->unique;
    path->cursor = sel->text.data;
    path->next = 1;

    path->levels = ngx_pcalloc(pool,
                               (sel->pointer->nelts + 1)
                               * sizeof(ngx_http_flowdash_json_path_level_t));
    if (path->levels == NULL) {
        return NGX_ERROR;
    }

    path->names.text = &path->text;
    path->names.strict = sel->strict;
    path->names.memory = &js->memory;
    path->names.size = &sel->size;
    path->names.max_size = sel->max_size;

    rc = ngx_http_flowdash_json_run(&js->memory,
                                    &ngx_http_flowdash_json_select_callbacks,
                                    js, &path->yajl, &sel->text, &offset,
                                    pool->log);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_DECLINED && !path->stopped) {
        path->verdict = NGX_HTTP_FLOWDASH_JSON_MALFORMED;
        path->error = "not JSON";
        path->offset = offset;
        path->rule = 0;
    }

    return NGX_OK;
}


static int
ngx_http_flowdash_json_select_null(void *data)
{
    return ngx_http_flowdash_json_select_scalar(data, "null", 4);
}


static int
ngx_http_flowdash_json_select_boolean(void *data, int value)
{
    return value ? ngx_http_flowdash_json_select_scalar(data, "true", 4)
                 : ngx_http_flowdash_json_select_scalar(data, "false", 5);
}


static int
ngx_http_flowdash_json_select_number(void *data, const char *p, size_t len)
{
    return ngx_http_flowdash_json_select_scalar(data, p, len);
}


static int
ngx_http_flowdash_json_select_string(void *data, const u_char *p, size_t len)
{
    return ngx_http_flowdash_json_select_scalar(data, p, len);
}


/*
 * Parsing continues after a refusal: if the text turns out not to be JSON,
 * that is the better error.
 */

static int
ngx_http_flowdash_json_select_scalar(ngx_http_flowdash_json_selector_t *js,
    const void *p, size_t len)
{
    ngx_str_t  text;

    if (js->path.verdict) {
        return 1;
    }

    text.data = (u_char *) p;
    text.len = len;

    ngx_http_flowdash_json_path_scalar(&js->path, &text);

    return 1;
}


static int
ngx_http_flowdash_json_select_start_map(void *data)
{
    return ngx_http_flowdash_json_select_start(data, 0);
}


static int
ngx_http_flowdash_json_select_start_array(void *data)
{
    return ngx_http_flowdash_json_select_start(data, 1);
}


/* the depth counts also after a refusal, since yajl's memory grows with it */

static int
ngx_http_flowdash_json_select_start(ngx_http_flowdash_json_selector_t *js,
    ngx_uint_t array)
{
    if (js->path.depth == NGX_HTTP_FLOWDASH_JSON_DEPTH) {
        js->path.stopped = 1;
        ngx_http_flowdash_json_path_refuse(&js->path,
                                           NGX_HTTP_FLOWDASH_JSON_DEEP, 0,
                                           "nested too deep");
        return 0;
    }

    if (js->path.verdict) {
        js->path.depth++;
        return 1;
    }

    ngx_http_flowdash_json_path_start(&js->path, array);

    return !js->path.stopped;
}


static int
ngx_http_flowdash_json_select_map_key(void *data, const u_char *p, size_t len)
{
    ngx_http_flowdash_json_selector_t *js = data;

    ngx_str_t  name;

    if (js->path.verdict) {
        return 1;
    }

    name.data = (u_char *) p;
    name.len = len;

    ngx_http_flowdash_json_path_name(&js->path, &name);

    return !js->path.stopped;
}


static int
ngx_http_flowdash_json_select_end(void *data)
{
    ngx_http_flowdash_json_selector_t *js = data;

    if (js->path.verdict) {
        js->path.depth--;
        return 1;
    }

    ngx_http_flowdash_json_path_end(&js->path);

    return 1;
}
