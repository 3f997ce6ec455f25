
/*
 * The index of those pairs of a form that belong to the task.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_hash.h>
#include <ngx_http_flowdash_table.h>
#include <ngx_http_flowdash_form.h>
#include <ngx_http_flowdash_form_alias.h>
#include <ngx_http_flowdash_form_index.h>


static ngx_http_flowdash_form_node_t *ngx_http_flowdash_form_index_walk(
    ngx_http_flowdash_form_t *form, ngx_http_flowdash_form_pair_t *pair,
    ngx_str_t *field);
static ngx_int_t ngx_http_flowdash_form_index_mixed(
    ngx_http_flowdash_form_t *form, ngx_http_flowdash_form_pair_t *pair);
static ngx_http_flowdash_form_node_t *ngx_http_flowdash_form_index_child(
    ngx_http_flowdash_form_t *form, ngx_http_flowdash_form_node_t *parent,
    ngx_str_t *key);
static ngx_uint_t ngx_http_flowdash_form_index_is(void *value,
    void *wanted);


ngx_int_t
ngx_http_flowdash_form_index_add(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_form_pair_t *pair, ngx_str_t *field)
{
    ngx_http_flowdash_form_node_t  *node;

    pair->next = NULL;
    pair->again = NULL;

    node = ngx_http_flowdash_form_index_walk(form, pair, field);

    if (node == NULL) {
        return form->verdict ? NGX_DECLINED : NGX_ERROR;
    }

    /* some apps keep files elsewhere, and would see the value alone */

    if (node->array || node->object
        || (node->pair && node->pair->file != pair->file))
    {
        return ngx_http_flowdash_form_index_mixed(form, pair);
    }

    if (node->pair) {
        node->again->again = pair;

    } else {
        node->pair = pair;
    }

    node->again = pair;

    pair->field->end = pair;
    pair->field->file |= pair->file;

    if (form->pairs) {
        form->last->next = pair;

    } else {
        form->pairs = pair;
    }

    form->last = pair;

    return NGX_OK;
}


/*
 * Follows a pair's name to the node of its value.  Returns NULL on error, or
 * with form->verdict set.
 */

static ngx_http_flowdash_form_node_t *
ngx_http_flowdash_form_index_walk(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_form_pair_t *pair, ngx_str_t *field)
{
    u_char                         *p, *last;
    ngx_str_t                       key;
    ngx_http_flowdash_form_node_t  *node;

    key = *field;
    p = pair->path.data;
    last = p + pair->path.len;

    node = &form->root;

    for ( ;; ) {

        if (node != &form->root
            && (node->pair || (key.len ? node->array : node->object)))
        {
            (void) ngx_http_flowdash_form_index_mixed(form, pair);
            return NULL;
        }

        /*
         * PHP makes one element of each a[][b], qs a single one of all of
         * them, and Rack a new one when the last has that key already; a[][]
         * and a[][0] are flat in qs, and all of them are in multer.
         */

        if (key.len == 0 && p < last) {
            (void) ngx_http_flowdash_form_refuse(form,
                             NGX_HTTP_FLOWDASH_FORM_MALFORMED, pair->start,
                             "[] inside a name, which apps read differently: "
                             "give the elements an index, as in a[0][b]");
            return NULL;
        }

        node = ngx_http_flowdash_form_index_child(form, node, &key);

        if (node == NULL) {
            return NULL;
        }

        if (pair->field == NULL) {
            pair->field = node;
        }

        if (p == last) {
            return node;
        }

        key.data = ++p;

        while (*p != ']') {
            p++;
        }

        key.len = p++ - key.data;
    }
}


static ngx_int_t
ngx_http_flowdash_form_index_mixed(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_form_pair_t *pair)
{
    return ngx_http_flowdash_form_refuse(form,
                     NGX_HTTP_FLOWDASH_FORM_MALFORMED, pair->start,
                     "a field that is more than one of a value, a file, an "
                     "array and an object");
}


/*
 * Returns the child with this key, which is created if necessary; without a
 * key, always a new child.  Returns NULL on error, or with form->verdict set.
 */

static ngx_http_flowdash_form_node_t *
ngx_http_flowdash_form_index_child(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_form_node_t *parent, ngx_str_t *key)
{
    size_t                          size;
    uint64_t                        hash;
    ngx_http_flowdash_form_node_t  *node, wanted;

    hash = 0;
    size = sizeof(ngx_http_flowdash_form_node_t);

    if (key->len) {
        parent->object = 1;

        wanted.parent = parent;
        wanted.key = *key;

        hash = ngx_http_flowdash_hash_in(parent, key);
        size += NGX_HTTP_FLOWDASH_TABLE_ENTRY;

        node = ngx_http_flowdash_table_find(&form->nodes, hash,
                                            ngx_http_flowdash_form_index_is,
                                            &wanted);
        if (node) {
            return node;
        }

    } else {
        parent->array = 1;
    }

    if (parent == &form->root
        && (ngx_http_flowdash_form_charge(form,
                         ngx_http_flowdash_form_alias_size(form, key))
            != NGX_OK
            || ngx_http_flowdash_form_alias_add(form, key) != NGX_OK))
    {
        return NULL;
    }

    if (ngx_http_flowdash_form_charge(form, size) != NGX_OK) {
        return NULL;
    }

    node = ngx_pcalloc(form->pool, sizeof(ngx_http_flowdash_form_node_t));
    if (node == NULL) {
        return NULL;
    }

    if (key->len
        && ngx_http_flowdash_table_add(&form->nodes, hash, node, form->pool)
           != NGX_OK)
    {
        return NULL;
    }

    node->key = *key;
    node->parent = parent;

    if (parent->first) {
        parent->last->next = node;

    } else {
        parent->first = node;
    }

    parent->last = node;

    return node;
}


ngx_http_flowdash_form_node_t *
ngx_http_flowdash_form_index_lookup(ngx_http_flowdash_form_t *form,
    ngx_str_t *name)
{
    ngx_http_flowdash_form_node_t  wanted;

    wanted.parent = &form->root;
    wanted.key = *name;

    return ngx_http_flowdash_table_find(&form->nodes,
                           ngx_http_flowdash_hash_in(wanted.parent, name),
                           ngx_http_flowdash_form_index_is, &wanted);
}


static ngx_uint_t
ngx_http_flowdash_form_index_is(void *value, void *wanted)
{
    ngx_http_flowdash_form_node_t  *node = value;
    ngx_http_flowdash_form_node_t  *w = wanted;

    return node->parent == w->parent
           && ngx_http_flowdash_text_equal(&node->key, &w->key);
}
