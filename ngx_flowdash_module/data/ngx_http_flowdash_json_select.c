
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


/* the paths of all pointers through a text that is being read */

typedef struct {
    ngx_http_flowdash_json_path_t    *paths;
    ngx_uint_t                        n;
    ngx_uint_t                        left;    /* those that are not stopped */
} ngx_http_flowdash_json_select_paths_t;


static ngx_int_t ngx_http_flowdash_json_select_paths(
    ngx_http_flowdash_json_select_t *sel, ngx_http_flowdash_json_path_t *paths,
    ngx_uint_t n, ngx_pool_t *pool);
static ngx_int_t ngx_http_flowdash_json_select_init(
    ngx_http_flowdash_json_select_t *sel, ngx_http_flowdash_json_path_t *path,
    ngx_http_flowdash_json_scan_t *scan, ngx_pool_t *pool);
static ngx_uint_t ngx_http_flowdash_json_select_has_bom(
    ngx_http_flowdash_json_select_t *sel);
static void ngx_http_flowdash_json_select_judge(
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
static ngx_int_t ngx_http_flowdash_json_select_each(
    ngx_http_flowdash_json_scan_t *scan,
    ngx_int_t (*handler)(ngx_http_flowdash_json_path_t *path));


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
    ngx_pool_t *pool)
{
    ngx_http_flowdash_json_path_t  path;

    return ngx_http_flowdash_json_select_paths(sel, &path, 1, pool);
}


ngx_int_t
ngx_http_flowdash_json_select_all(ngx_http_flowdash_json_select_t *sel,
    ngx_uint_t n, ngx_pool_t *pool)
{
    ngx_int_t                       rc;
    ngx_http_flowdash_json_path_t  *paths;

    if (n == 0) {
        return NGX_OK;
    }

    paths = ngx_alloc(n * sizeof(ngx_http_flowdash_json_path_t), pool->log);
    if (paths == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_http_flowdash_json_select_paths(sel, paths, n, pool);

    ngx_free(paths);

    return rc;
}


static ngx_int_t
ngx_http_flowdash_json_select_paths(ngx_http_flowdash_json_select_t *sel,
    ngx_http_flowdash_json_path_t *paths, ngx_uint_t n, ngx_pool_t *pool)
{
    ngx_uint_t                             i;
    ngx_http_flowdash_json_scan_t          scan;
    ngx_http_flowdash_json_scan_e          rc;
    ngx_http_flowdash_json_select_paths_t  all;

    ngx_memzero(&scan, sizeof(ngx_http_flowdash_json_scan_t));

    for (i = 0; i < n; i++) {
        if (ngx_http_flowdash_json_select_init(&sel[i], &paths[i], &scan, pool)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (ngx_http_flowdash_json_select_has_bom(sel)) {

        for (i = 0; i < n; i++) {
            sel[i].verdict = NGX_HTTP_FLOWDASH_JSON_MALFORMED;
            sel[i].error = "a byte order mark";
            sel[i].rule = NGX_HTTP_FLOWDASH_STRICT_BOM;
        }

        return NGX_OK;
    }

    all.paths = paths;
    all.n = n;
    all.left = n;

    scan.text = sel->text;
    scan.events = &ngx_http_flowdash_json_select_events;
    scan.data = &all;

    rc = ngx_http_flowdash_json_scan(&scan);

    for (i = 0; i < n; i++) {
        ngx_http_flowdash_json_select_judge(&sel[i], &paths[i], rc);
        ngx_http_flowdash_json_names_free(&paths[i].names);
    }

    return (rc == NGX_HTTP_FLOWDASH_JSON_SCAN_ERROR) ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_json_select_init(ngx_http_flowdash_json_select_t *sel,
    ngx_http_flowdash_json_path_t *path, ngx_http_flowdash_json_scan_t *scan,
    ngx_pool_t *pool)
{
    ngx_str_null(&sel->value);
    sel->size = 0;
    sel->error = NULL;
    sel->offset = 0;
    sel->rule = 0;

    ngx_memzero(path, sizeof(ngx_http_flowdash_json_path_t));

    path->scan = scan;
    path->pool = pool;
    path->pointer = sel->pointer;
    path->unique = sel->unique;
    path->next = 1;

    path->levels = ngx_pcalloc(pool,
                               (sel->pointer->nelts + 1)
                               * sizeof(ngx_http_flowdash_json_path_level_t));
    if (path->levels == NULL) {
        return NGX_ERROR;
    }

    path->names.strict = sel->strict;
    path->names.size = &sel->size;
    path->names.max_size = sel->max_size;
    path->names.log = pool->log;

    return NGX_OK;
}


static ngx_uint_t
ngx_http_flowdash_json_select_has_bom(ngx_http_flowdash_json_select_t *sel)
{
    return (sel->strict & NGX_HTTP_FLOWDASH_STRICT_BOM)
           && sel->text.len >= 3
           && ngx_memcmp(sel->text.data, "\xef\xbb\xbf", 3) == 0;
}


static void
ngx_http_flowdash_json_select_judge(ngx_http_flowdash_json_select_t *sel,
    ngx_http_flowdash_json_path_t *path, ngx_http_flowdash_json_scan_e rc)
{
    ngx_http_flowdash_json_verdict_e  verdict;

    verdict = NGX_HTTP_FLOWDASH_JSON_OK;

    if (!path->stopped) {

        switch (rc) {

        case NGX_HTTP_FLOWDASH_JSON_SCAN_OK:
        case NGX_HTTP_FLOWDASH_JSON_SCAN_STOPPED:
        case NGX_HTTP_FLOWDASH_JSON_SCAN_ERROR:
            break;

        case NGX_HTTP_FLOWDASH_JSON_SCAN_BYTE:
            sel->size = 0;
            verdict = NGX_HTTP_FLOWDASH_JSON_MALFORMED;
            path->error = "a byte that is not allowed in JSON or UTF-8";
            break;

        case NGX_HTTP_FLOWDASH_JSON_SCAN_DEEP:
            verdict = NGX_HTTP_FLOWDASH_JSON_DEEP;
            path->error = "nested too deep";
            break;

        default: /* NGX_HTTP_FLOWDASH_JSON_SCAN_MALFORMED */
            verdict = NGX_HTTP_FLOWDASH_JSON_MALFORMED;
            path->error = "not JSON";
        }
    }

    if (verdict != NGX_HTTP_FLOWDASH_JSON_OK) {
        path->verdict = verdict;
        path->rule = 0;
        path->offset = path->scan->offset;
    }

    sel->verdict = path->verdict;

    if (sel->verdict == NGX_HTTP_FLOWDASH_JSON_OK) {
        sel->value = path->value;
    }

    sel->error = path->error;
    sel->offset = path->offset;
    sel->rule = path->rule;
}


/*
 * Parsing continues after a refusal: if the text turns out not to be JSON,
 * that is the better error.
 */

static ngx_int_t
ngx_http_flowdash_json_select_start(ngx_http_flowdash_json_scan_t *scan)
{
    ngx_uint_t                              i;
    ngx_http_flowdash_json_select_paths_t  *all = scan->data;

    for (i = 0; i < all->n; i++) {
        if (!all->paths[i].verdict) {
            ngx_http_flowdash_json_path_start(&all->paths[i]);
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_json_select_end(ngx_http_flowdash_json_scan_t *scan)
{
    ngx_uint_t                              i;
    ngx_http_flowdash_json_select_paths_t  *all = scan->data;

    for (i = 0; i < all->n; i++) {
        if (!all->paths[i].verdict) {
            ngx_http_flowdash_json_path_end(&all->paths[i]);
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_json_select_name(ngx_http_flowdash_json_scan_t *scan)
{
    return ngx_http_flowdash_json_select_each(scan,
                                             ngx_http_flowdash_json_path_name);
}


static ngx_int_t
ngx_http_flowdash_json_select_scalar(ngx_http_flowdash_json_scan_t *scan)
{
    return ngx_http_flowdash_json_select_each(scan,
                                           ngx_http_flowdash_json_path_scalar);
}


/* what one of them cannot remember does not stop the others */

static ngx_int_t
ngx_http_flowdash_json_select_each(ngx_http_flowdash_json_scan_t *scan,
    ngx_int_t (*handler)(ngx_http_flowdash_json_path_t *path))
{
    ngx_int_t                               rc;
    ngx_uint_t                              i;
    ngx_http_flowdash_json_path_t          *path;
    ngx_http_flowdash_json_select_paths_t  *all = scan->data;

    for (i = 0; i < all->n; i++) {

        path = &all->paths[i];

        if (path->verdict) {
            continue;
        }

        rc = handler(path);

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (rc == NGX_DECLINED) {
            path->stopped = 1;
            all->left--;
        }
    }

    return all->left ? NGX_OK : NGX_DECLINED;
}
