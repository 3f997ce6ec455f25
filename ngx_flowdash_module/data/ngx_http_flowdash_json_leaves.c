
/*
 * Splits a JSON value into its leaves.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_json_leaves.h>


typedef struct {
    ngx_http_flowdash_json_memory_t    memory;
    yajl_handle                        yajl;
    ngx_pool_t                        *pool;
    ngx_array_t                       *leaves;
    ngx_http_flowdash_json_node_t     *parent;
    ngx_str_t                          key;
    size_t                             size;     /* of the nodes, in bytes */
    size_t                             max_size;
} ngx_http_flowdash_json_splitter_t;


static int ngx_http_flowdash_json_leaves_null(void *data);
static int ngx_http_flowdash_json_leaves_boolean(void *data, int value);
static int ngx_http_flowdash_json_leaves_number(void *data, const char *p,
    size_t len);
static int ngx_http_flowdash_json_leaves_string(void *data, const u_char *p,
    size_t len);
static int ngx_http_flowdash_json_leaves_start_map(void *data);
static int ngx_http_flowdash_json_leaves_start_array(void *data);
static int ngx_http_flowdash_json_leaves_start(
    ngx_http_flowdash_json_splitter_t *splitter, ngx_uint_t array);
static int ngx_http_flowdash_json_leaves_map_key(void *data, const u_char *p,
    size_t len);
static int ngx_http_flowdash_json_leaves_end(void *data);
static ngx_http_flowdash_json_node_t *ngx_http_flowdash_json_leaves_add(
    ngx_http_flowdash_json_splitter_t *splitter, const void *p, size_t len);
static void ngx_http_flowdash_json_leaves_charge(
    ngx_http_flowdash_json_splitter_t *splitter, size_t size);
static void ngx_http_flowdash_json_leaves_leaf(
    ngx_http_flowdash_json_splitter_t *splitter,
    ngx_http_flowdash_json_node_t *node);


static const yajl_callbacks  ngx_http_flowdash_json_leaves_callbacks = {
    ngx_http_flowdash_json_leaves_null,
    ngx_http_flowdash_json_leaves_boolean,
    NULL,                                  /* integer */
    NULL,                                  /* double */
    ngx_http_flowdash_json_leaves_number,
    ngx_http_flowdash_json_leaves_string,
    ngx_http_flowdash_json_leaves_start_map,
    ngx_http_flowdash_json_leaves_map_key,
    ngx_http_flowdash_json_leaves_end,      /* end map */
    ngx_http_flowdash_json_leaves_start_array,
    ngx_http_flowdash_json_leaves_end       /* end array */
};


ngx_int_t
ngx_http_flowdash_json_leaves(ngx_str_t *text, ngx_array_t *leaves,
    size_t max_size, ngx_pool_t *pool)
{
    size_t                             offset;
    ngx_int_t                          rc;
    ngx_http_flowdash_json_splitter_t  splitter;

    if (ngx_array_init(leaves, pool, 4,
                       sizeof(ngx_http_flowdash_json_node_t *))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_http_flowdash_json_check_text(text)) {
        return NGX_DECLINED;
    }

    splitter.pool = pool;
    splitter.leaves = leaves;
    splitter.parent = NULL;
    splitter.size = 0;
    splitter.max_size = max_size;
    ngx_str_null(&splitter.key);

    rc = ngx_http_flowdash_json_run(&splitter.memory,
                                    &ngx_http_flowdash_json_leaves_callbacks,
                                    &splitter, &splitter.yajl, text, &offset,
                                    pool->log);

    if (splitter.size > max_size) {
        return NGX_ABORT;
    }

    if (rc == NGX_OK && ngx_http_flowdash_json_lone_surrogate(text)) {
        return NGX_DECLINED;
    }

    return rc;
}


static int
ngx_http_flowdash_json_leaves_null(void *data)
{
    ngx_http_flowdash_json_leaves_leaf(data,
                          ngx_http_flowdash_json_leaves_add(data, "null", 4));
    return 1;
}


static int
ngx_http_flowdash_json_leaves_boolean(void *data, int value)
{
    ngx_http_flowdash_json_leaves_leaf(data,
                          value
                          ? ngx_http_flowdash_json_leaves_add(data, "true", 4)
                          : ngx_http_flowdash_json_leaves_add(data, "false",
                                                              5));
    return 1;
}


static int
ngx_http_flowdash_json_leaves_number(void *data, const char *p, size_t len)
{
    ngx_http_flowdash_json_leaves_leaf(data,
                             ngx_http_flowdash_json_leaves_add(data, p, len));
    return 1;
}


static int
ngx_http_flowdash_json_leaves_string(void *data, const u_char *p, size_t len)
{
    ngx_http_flowdash_json_node_t  *node;

    node = ngx_http_flowdash_json_leaves_add(data, p, len);
    node->string = 1;

    ngx_http_flowdash_json_leaves_leaf(data, node);

    return 1;
}


static int
ngx_http_flowdash_json_leaves_start_map(void *data)
{
    return ngx_http_flowdash_json_leaves_start(data, 0);
}


static int
ngx_http_flowdash_json_leaves_start_array(void *data)
{
    return ngx_http_flowdash_json_leaves_start(data, 1);
}


static int
ngx_http_flowdash_json_leaves_start(
    ngx_http_flowdash_json_splitter_t *splitter, ngx_uint_t array)
{
    ngx_http_flowdash_json_node_t  *node;

    node = ngx_http_flowdash_json_leaves_add(splitter, "", 0);

    if (node->depth == NGX_HTTP_FLOWDASH_JSON_DEPTH) {
        return 0;
    }

    node->array = array;
    node->object = !array;

    if (node->parent) {
        node->parent->nested = 1;
    }

    splitter->parent = node;

    return 1;
}


static int
ngx_http_flowdash_json_leaves_map_key(void *data, const u_char *p, size_t len)
{
    ngx_http_flowdash_json_splitter_t *splitter = data;

    ngx_http_flowdash_json_leaves_charge(splitter, len);

    ngx_http_flowdash_json_copy(&splitter->memory, splitter->pool,
                                &splitter->key, p, len);
    return 1;
}


static int
ngx_http_flowdash_json_leaves_end(void *data)
{
    ngx_http_flowdash_json_splitter_t *splitter = data;

    if (splitter->parent->members == 0) {
        ngx_http_flowdash_json_leaves_leaf(splitter, splitter->parent);
    }

    splitter->parent = splitter->parent->parent;

    return 1;
}


static ngx_http_flowdash_json_node_t *
ngx_http_flowdash_json_leaves_add(ngx_http_flowdash_json_splitter_t *splitter,
    const void *p, size_t len)
{
    ngx_http_flowdash_json_node_t  *node;

    ngx_http_flowdash_json_leaves_charge(splitter,
                               sizeof(ngx_http_flowdash_json_node_t) + len);

    node = ngx_pcalloc(splitter->pool, sizeof(ngx_http_flowdash_json_node_t));
    if (node == NULL) {
        longjmp(splitter->memory.exhausted, 1);
    }

    ngx_http_flowdash_json_copy(&splitter->memory, splitter->pool,
                                &node->text, p, len);

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

    return node;
}


/* ends the parsing if the nodes need too much memory */

static void
ngx_http_flowdash_json_leaves_charge(
    ngx_http_flowdash_json_splitter_t *splitter, size_t size)
{
    splitter->size += size;

    if (splitter->size > splitter->max_size) {
        longjmp(splitter->memory.exhausted, 1);
    }
}


static void
ngx_http_flowdash_json_leaves_leaf(ngx_http_flowdash_json_splitter_t *splitter,
    ngx_http_flowdash_json_node_t *node)
{
    ngx_http_flowdash_json_node_t  **leaf;

    leaf = ngx_array_push(splitter->leaves);
    if (leaf == NULL) {
        longjmp(splitter->memory.exhausted, 1);
    }

    *leaf = node;
}
