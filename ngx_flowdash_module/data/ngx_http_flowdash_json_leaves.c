
/*
 * Splits a JSON value into its leaves.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_json_scan.h>
#include <ngx_http_flowdash_json_unescape.h>
#include <ngx_http_flowdash_json_leaves.h>


typedef struct {
    ngx_http_flowdash_json_scan_t      scan;
    ngx_pool_t                        *pool;
    ngx_array_t                       *leaves;
    ngx_http_flowdash_json_node_t     *parent;
    ngx_str_t                          key;
    size_t                             size;     /* of the nodes, in bytes */
    size_t                             max_size;
    ngx_uint_t                         half;     /* unsigned  half:1; of a
                                                    surrogate pair */
} ngx_http_flowdash_json_splitter_t;


static ngx_int_t ngx_http_flowdash_json_leaves_start(
    ngx_http_flowdash_json_scan_t *scan);
static ngx_int_t ngx_http_flowdash_json_leaves_end(
    ngx_http_flowdash_json_scan_t *scan);
static ngx_int_t ngx_http_flowdash_json_leaves_name(
    ngx_http_flowdash_json_scan_t *scan);
static ngx_int_t ngx_http_flowdash_json_leaves_scalar(
    ngx_http_flowdash_json_scan_t *scan);
static ngx_int_t ngx_http_flowdash_json_leaves_add(
    ngx_http_flowdash_json_splitter_t *splitter,
    ngx_http_flowdash_json_node_t **added);
static ngx_int_t ngx_http_flowdash_json_leaves_copy(
    ngx_http_flowdash_json_splitter_t *splitter, ngx_str_t *dst);
static ngx_int_t ngx_http_flowdash_json_leaves_charge(
    ngx_http_flowdash_json_splitter_t *splitter, size_t size);
static ngx_int_t ngx_http_flowdash_json_leaves_leaf(
    ngx_http_flowdash_json_splitter_t *splitter,
    ngx_http_flowdash_json_node_t *node);


static const ngx_http_flowdash_json_events_t
    ngx_http_flowdash_json_leaves_events =
{
    ngx_http_flowdash_json_leaves_start,
    ngx_http_flowdash_json_leaves_end,
    ngx_http_flowdash_json_leaves_name,
    ngx_http_flowdash_json_leaves_scalar
};


ngx_int_t
ngx_http_flowdash_json_leaves(ngx_str_t *text, ngx_array_t *leaves,
    size_t max_size, ngx_pool_t *pool)
{
    ngx_http_flowdash_json_splitter_t  splitter;

    if (ngx_array_init(leaves, pool, 4,
                       sizeof(ngx_http_flowdash_json_node_t *))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_memzero(&splitter, sizeof(ngx_http_flowdash_json_splitter_t));

    splitter.scan.text = *text;
    splitter.scan.events = &ngx_http_flowdash_json_leaves_events;
    splitter.scan.data = &splitter;

    splitter.pool = pool;
    splitter.leaves = leaves;
    splitter.max_size = max_size;

    switch (ngx_http_flowdash_json_scan(&splitter.scan)) {

    case NGX_HTTP_FLOWDASH_JSON_SCAN_OK:
        return splitter.half ? NGX_DECLINED : NGX_OK;

    case NGX_HTTP_FLOWDASH_JSON_SCAN_STOPPED:
        return NGX_ABORT;

    case NGX_HTTP_FLOWDASH_JSON_SCAN_ERROR:
        return NGX_ERROR;

    default:
        return NGX_DECLINED;
    }
}


static ngx_int_t
ngx_http_flowdash_json_leaves_start(ngx_http_flowdash_json_scan_t *scan)
{
    ngx_http_flowdash_json_splitter_t *splitter = scan->data;

    ngx_int_t                       rc;
    ngx_http_flowdash_json_node_t  *node;

    rc = ngx_http_flowdash_json_leaves_add(splitter, &node);

    if (rc != NGX_OK) {
        return rc;
    }

    ngx_str_set(&node->text, "");

    node->array = (*scan->start == '[');
    node->object = !node->array;

    if (node->parent) {
        node->parent->nested = 1;
    }

    splitter->parent = node;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_json_leaves_end(ngx_http_flowdash_json_scan_t *scan)
{
    ngx_http_flowdash_json_splitter_t *splitter = scan->data;

    ngx_http_flowdash_json_node_t  *node;

    node = splitter->parent;
    splitter->parent = node->parent;

    return node->members ? NGX_OK
                         : ngx_http_flowdash_json_leaves_leaf(splitter, node);
}


static ngx_int_t
ngx_http_flowdash_json_leaves_name(ngx_http_flowdash_json_scan_t *scan)
{
    ngx_http_flowdash_json_splitter_t *splitter = scan->data;

    return ngx_http_flowdash_json_leaves_copy(splitter, &splitter->key);
}


static ngx_int_t
ngx_http_flowdash_json_leaves_scalar(ngx_http_flowdash_json_scan_t *scan)
{
    ngx_http_flowdash_json_splitter_t *splitter = scan->data;

    ngx_int_t                       rc;
    ngx_http_flowdash_json_node_t  *node;

    rc = ngx_http_flowdash_json_leaves_add(splitter, &node);

    if (rc == NGX_OK) {
        node->string = (*scan->start == '"');
        rc = ngx_http_flowdash_json_leaves_copy(splitter, &node->text);
    }

    return (rc == NGX_OK) ? ngx_http_flowdash_json_leaves_leaf(splitter, node)
                          : rc;
}


static ngx_int_t
ngx_http_flowdash_json_leaves_add(ngx_http_flowdash_json_splitter_t *splitter,
    ngx_http_flowdash_json_node_t **added)
{
    ngx_http_flowdash_json_node_t  *node;

    if (ngx_http_flowdash_json_leaves_charge(splitter,
                                        sizeof(ngx_http_flowdash_json_node_t))
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    node = ngx_pcalloc(splitter->pool, sizeof(ngx_http_flowdash_json_node_t));
    if (node == NULL) {
        return NGX_ERROR;
    }

    node->parent = splitter->parent;

    if (node->parent) {
        node->depth = node->parent->depth + 1;
        node->key = splitter->key;
        node->index = node->parent->members++;

        if (node->parent->first) {
            node->parent->last->next = node;

        } else {
            node->parent->first = node;
        }

        node->parent->last = node;
    }

    *added = node;

    return NGX_OK;
}


/* the token that was read; a string is decoded */

static ngx_int_t
ngx_http_flowdash_json_leaves_copy(
    ngx_http_flowdash_json_splitter_t *splitter, ngx_str_t *dst)
{
    u_char  *p, *last;

    p = splitter->scan.start;
    last = splitter->scan.end;

    if (*p == '"') {
        p++;
        last--;
        splitter->half |= splitter->scan.half;
    }

    if (ngx_http_flowdash_json_leaves_charge(splitter, last - p) != NGX_OK) {
        return NGX_DECLINED;
    }

    dst->data = ngx_pnalloc(splitter->pool, last - p);
    if (dst->data == NULL) {
        return NGX_ERROR;
    }

    dst->len = ngx_http_flowdash_json_unescape(dst->data, p, last)
               - dst->data;

    return NGX_OK;
}


/* returns NGX_OK, or NGX_DECLINED if the nodes need too much memory */

static ngx_int_t
ngx_http_flowdash_json_leaves_charge(
    ngx_http_flowdash_json_splitter_t *splitter, size_t size)
{
    splitter->size += size;

    return (splitter->size > splitter->max_size) ? NGX_DECLINED : NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_json_leaves_leaf(ngx_http_flowdash_json_splitter_t *splitter,
    ngx_http_flowdash_json_node_t *node)
{
    ngx_http_flowdash_json_node_t  **leaf;

    leaf = ngx_array_push(splitter->leaves);
    if (leaf == NULL) {
        return NGX_ERROR;
    }

    *leaf = node;

    return NGX_OK;
}
