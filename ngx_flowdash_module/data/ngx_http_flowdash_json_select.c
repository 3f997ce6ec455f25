
/*
 * Finds a value in a JSON text by a pointer that may have selectors.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_strict.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_json_scan.h>
#include <ngx_http_flowdash_json_names.h>
#include <ngx_http_flowdash_json_path.h>
#include <ngx_http_flowdash_json_pointer.h>
#include <ngx_http_flowdash_json_select.h>


static ngx_int_t ngx_http_flowdash_json_select_judge(
    ngx_http_flowdash_json_select_t *sel, ngx_http_flowdash_json_path_t *path,
    ngx_http_flowdash_json_scan_e rc);
static ngx_int_t ngx_http_flowdash_json_select_start(
    ngx_http_flowdash_json_scan_t *scan);
static ngx_int_t ngx_http_flowdash_json_select_end(
    ngx_http_flowdash_json_scan_t *scan);
static ngx_int_t ngx_http_flowdash_json_select_name(
    ngx_http_flowdash_json_scan_t *scan);
static ngx_int_t ngx_http_flowdash_json_select_scalar(
    ngx_http_flowdash_json_scan_t *scan);


static const ngx_http_flowdash_json_events_t
    ngx_http_flowdash_json_select_events =
{
    ngx_http_flowdash_json_select_start,
    ngx_http_flowdash_json_select_end,
    ngx_http_flowdash_json_select_name,
    ngx_http_flowdash_json_select_scalar
};


ngx_int_t
ngx_http_flowdash_json_select(ngx_http_flowdash_json_select_t *sel,
    ngx_http_flowdash_json_verdict_e *verdict, ngx_pool_t *pool)
{
    ngx_int_t                      rc;
    ngx_http_flowdash_json_path_t  path;

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

    ngx_memzero(&path, sizeof(ngx_http_flowdash_json_path_t));

    path.scan.text = sel->text;
    path.scan.events = &ngx_http_flowdash_json_select_events;
    path.scan.data = &path;

    path.pool = pool;
    path.pointer = sel->pointer;
    path.unique = sel->unique;
    path.next = 1;

    path.levels = ngx_pcalloc(pool,
                              (sel->pointer->nelts + 1)
                              * sizeof(ngx_http_flowdash_json_path_level_t));
    if (path.levels == NULL) {
        return NGX_ERROR;
    }

    path.names.strict = sel->strict;
    path.names.size = &sel->size;
    path.names.max_size = sel->max_size;
    path.names.log = pool->log;

    rc = ngx_http_flowdash_json_select_judge(sel, &path,
                                      ngx_http_flowdash_json_scan(&path.scan));

    ngx_http_flowdash_json_names_free(&path.names);

    *verdict = path.verdict;

    if (*verdict == NGX_HTTP_FLOWDASH_JSON_OK) {
        sel->value = path.value;
    }

    sel->error = path.error;
    sel->offset = path.offset;
    sel->rule = path.rule;

    return rc;
}


static ngx_int_t
ngx_http_flowdash_json_select_judge(ngx_http_flowdash_json_select_t *sel,
    ngx_http_flowdash_json_path_t *path, ngx_http_flowdash_json_scan_e rc)
{
    ngx_http_flowdash_json_verdict_e  verdict;

    verdict = NGX_HTTP_FLOWDASH_JSON_MALFORMED;

    switch (rc) {

    case NGX_HTTP_FLOWDASH_JSON_SCAN_OK:
    case NGX_HTTP_FLOWDASH_JSON_SCAN_STOPPED:
        return NGX_OK;

    case NGX_HTTP_FLOWDASH_JSON_SCAN_ERROR:
        return NGX_ERROR;

    case NGX_HTTP_FLOWDASH_JSON_SCAN_BYTE:
        sel->size = 0;
        path->error = "a byte that is not allowed in JSON or UTF-8";
        break;

    case NGX_HTTP_FLOWDASH_JSON_SCAN_DEEP:
        verdict = NGX_HTTP_FLOWDASH_JSON_DEEP;
        path->error = "nested too deep";
        break;

    default: /* NGX_HTTP_FLOWDASH_JSON_SCAN_MALFORMED */
        path->error = "not JSON";
    }

    path->verdict = verdict;
    path->rule = 0;
    path->offset = path->scan.offset;

    return NGX_OK;
}


/*
 * Parsing continues after a refusal: if the text turns out not to be JSON,
 * that is the better error.
 */

static ngx_int_t
ngx_http_flowdash_json_select_start(ngx_http_flowdash_json_scan_t *scan)
{
    ngx_http_flowdash_json_path_t *path = scan->data;

    if (!path->verdict) {
        ngx_http_flowdash_json_path_start(path);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_json_select_end(ngx_http_flowdash_json_scan_t *scan)
{
    ngx_http_flowdash_json_path_t *path = scan->data;

    if (!path->verdict) {
        ngx_http_flowdash_json_path_end(path);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_json_select_name(ngx_http_flowdash_json_scan_t *scan)
{
    ngx_http_flowdash_json_path_t *path = scan->data;

    return path->verdict ? NGX_OK : ngx_http_flowdash_json_path_name(path);
}


static ngx_int_t
ngx_http_flowdash_json_select_scalar(ngx_http_flowdash_json_scan_t *scan)
{
    ngx_http_flowdash_json_path_t *path = scan->data;

    return path->verdict ? NGX_OK : ngx_http_flowdash_json_path_scalar(path);
}
