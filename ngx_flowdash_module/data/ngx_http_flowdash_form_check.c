
/*
 * Tells whether a form can carry a changed field.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_json_leaves.h>
#include <ngx_http_flowdash_task.h>
#include <ngx_http_flowdash_form.h>
#include <ngx_http_flowdash_form_index.h>
#include <ngx_http_flowdash_form_check.h>


static const char *ngx_http_flowdash_form_check_leaf(
    ngx_http_flowdash_form_t *form, ngx_http_flowdash_json_node_t *leaf,
    size_t *size);
static ngx_int_t ngx_http_flowdash_form_check_file(
    ngx_http_flowdash_form_t *form, ngx_str_t *old, ngx_str_t *new);
static ngx_uint_t ngx_http_flowdash_form_check_same_leaf(
    ngx_http_flowdash_json_node_t *a, ngx_http_flowdash_json_node_t *b);
static ngx_uint_t ngx_http_flowdash_form_check_can_encode(
    ngx_http_flowdash_form_t *form, ngx_str_t *key);
static ngx_uint_t ngx_http_flowdash_form_check_has_boundary(
    ngx_http_flowdash_form_t *form, ngx_str_t *text);


ngx_int_t
ngx_http_flowdash_form_check(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_field_t *field, ngx_str_t *old, const char **error)
{
    size_t                           size, name;
    ngx_int_t                        rc;
    ngx_str_t                       *token;
    ngx_uint_t                       i;
    ngx_array_t                      leaves;
    ngx_http_flowdash_form_node_t   *node;
    ngx_http_flowdash_json_node_t  **leaf;

    node = ngx_http_flowdash_form_index_lookup(&form->root, &field->node.str);

    if (node && node->file) {
        *error = "a file cannot be changed";
        return ngx_http_flowdash_form_check_file(form, old, &field->value);
    }

    *error = "a name that a form cannot have";

    token = form->pointer->elts;
    name = field->node.str.len;

    for (i = 0; i < form->pointer->nelts; i++) {
        if (!ngx_http_flowdash_form_check_can_encode(form, &token[i])) {
            return NGX_DECLINED;
        }

        name += sizeof("[]") - 1 + token[i].len;
    }

    if (!ngx_http_flowdash_form_check_can_encode(form, &field->node.str)) {
        return NGX_DECLINED;
    }

    rc = ngx_http_flowdash_json_leaves(&field->value, &leaves, form->pool);

    if (rc != NGX_OK) {
        *error = "half of a surrogate pair, which a form cannot have";
        return rc;
    }

    leaf = leaves.elts;
    size = 0;

    for (i = 0; i < leaves.nelts; i++) {

        size += name;
        *error = ngx_http_flowdash_form_check_leaf(form, leaf[i], &size);

        if (*error) {
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


/*
 * Returns what is wrong with a leaf, or NULL.  In a form, each leaf repeats
 * the whole name, so a form can be much larger than its JSON: "size" sums it
 * up.
 */

static const char *
ngx_http_flowdash_form_check_leaf(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_json_node_t *leaf, size_t *size)
{
    ngx_http_flowdash_json_node_t  *part;

    /* an empty array needs a pair of brackets of its own */

    if (leaf->depth + leaf->array + form->pointer->nelts
        > NGX_HTTP_FLOWDASH_FORM_DEPTH)
    {
        return "a value that is nested too deep for a form";
    }

    *size += leaf->text.len;

    for (part = leaf; part->parent; part = part->parent) {
        *size += sizeof("[]") - 1 + (part->parent->object ? part->key.len : 0);
    }

    if (*size > form->max_size) {
        return "a value that is too large for a form";
    }

    for (part = leaf; part->parent; part = part->parent) {

        if (part->parent->object
            && !ngx_http_flowdash_form_check_can_encode(form, &part->key))
        {
            return "a name that a form cannot have";
        }

        if (part->index) {

            /* the first leaf of this container has checked the rest */

            break;
        }
    }

    if (ngx_http_flowdash_form_check_has_boundary(form, &leaf->text)) {
        return "a value with the form's boundary in it";
    }

    return NULL;
}


/* an endpoint may send the file back, with another spelling of its JSON */

static ngx_int_t
ngx_http_flowdash_form_check_file(ngx_http_flowdash_form_t *form,
    ngx_str_t *old, ngx_str_t *new)
{
    ngx_uint_t                       i, n;
    ngx_array_t                      was, is;
    ngx_http_flowdash_json_node_t  **a, **b;

    if (ngx_http_flowdash_json_leaves(old, &was, form->pool) == NGX_ERROR
        || ngx_http_flowdash_json_leaves(new, &is, form->pool) == NGX_ERROR)
    {
        return NGX_ERROR;
    }

    if (was.nelts != is.nelts) {
        return NGX_DECLINED;
    }

    a = was.elts;
    b = is.elts;

    for (i = 0; i < was.nelts; i++) {

        /* try the same position first: members may change their order */

        for (n = 0; n < is.nelts; n++) {
            if (ngx_http_flowdash_form_check_same_leaf(a[i],
                                                       b[(i + n) % is.nelts]))
            {
                break;
            }
        }

        if (n == is.nelts) {
            return NGX_DECLINED;
        }
    }

    return NGX_DONE;
}


static ngx_uint_t
ngx_http_flowdash_form_check_same_leaf(ngx_http_flowdash_json_node_t *a,
    ngx_http_flowdash_json_node_t *b)
{
    if (!ngx_http_flowdash_text_equal(&a->text, &b->text)
        || a->string != b->string || a->depth != b->depth)
    {
        return 0;
    }

    for ( /* void */ ; a->parent; a = a->parent, b = b->parent) {

        if (a->array != b->array || a->object != b->object
            || a->parent->array != b->parent->array)
        {
            return 0;
        }

        if (a->parent->array) {

            if (a->index != b->index) {
                return 0;
            }

        } else if (!ngx_http_flowdash_text_equal(&a->key, &b->key)) {
            return 0;
        }
    }

    return 1;
}


/* tells whether a form's name can contain this key */

static ngx_uint_t
ngx_http_flowdash_form_check_can_encode(ngx_http_flowdash_form_t *form,
    ngx_str_t *key)
{
    u_char  *p, *last;

    p = key->data;
    last = p + key->len;

    if (p == last || *p == ' ') {
        return 0;
    }

    for ( /* void */ ; p < last; p++) {

        if (*p == '[' || *p == ']'
            || (ngx_http_flowdash_text_class(*p)
                & NGX_HTTP_FLOWDASH_TEXT_CONTROL))
        {
            return 0;
        }

        if (form->boundary.len && (*p == '"' || *p == '\\')) {
            return 0;
        }
    }

    return !ngx_http_flowdash_form_check_has_boundary(form, key);
}


static ngx_uint_t
ngx_http_flowdash_form_check_has_boundary(ngx_http_flowdash_form_t *form,
    ngx_str_t *text)
{
    return form->boundary.len
           && ngx_http_flowdash_text_contains(text, &form->boundary);
}
