
/*
 * Tells whether a form can carry a changed field.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_hash.h>
#include <ngx_http_flowdash_table.h>
#include <ngx_http_flowdash_json_leaves.h>
#include <ngx_http_flowdash_task.h>
#include <ngx_http_flowdash_strict.h>
#include <ngx_http_flowdash_form.h>
#include <ngx_http_flowdash_form_alias.h>
#include <ngx_http_flowdash_form_rules.h>
#include <ngx_http_flowdash_form_index.h>
#include <ngx_http_flowdash_multipart_media.h>
#include <ngx_http_flowdash_multipart_grammar.h>
#include <ngx_http_flowdash_form_check.h>


static const char *ngx_http_flowdash_form_check_name(
    ngx_http_flowdash_form_t *form, ngx_str_t *name);
static ngx_int_t ngx_http_flowdash_form_check_value(
    ngx_http_flowdash_form_t *form, ngx_http_flowdash_field_t *field,
    ngx_str_t *old, const char **error);
static ngx_int_t ngx_http_flowdash_form_check_number(
    ngx_http_flowdash_form_t *form, ngx_str_t *name, ngx_str_t *old,
    ngx_uint_t n);
static const char *ngx_http_flowdash_form_check_leaf(
    ngx_http_flowdash_form_t *form, ngx_http_flowdash_json_node_t *leaf,
    size_t *size);
static ngx_int_t ngx_http_flowdash_form_check_file(
    ngx_http_flowdash_form_t *form, ngx_str_t *old, ngx_str_t *new);
static ngx_http_flowdash_json_node_t *ngx_http_flowdash_form_check_root(
    ngx_array_t *leaves);
static ngx_int_t ngx_http_flowdash_form_check_same(
    ngx_http_flowdash_form_t *form, ngx_http_flowdash_json_node_t *a,
    ngx_http_flowdash_json_node_t *b);
static ngx_int_t ngx_http_flowdash_form_check_same_object(
    ngx_http_flowdash_form_t *form, ngx_http_flowdash_json_node_t *a,
    ngx_http_flowdash_json_node_t *b);
static ngx_uint_t ngx_http_flowdash_form_check_is(void *value,
    void *wanted);
static const char *ngx_http_flowdash_form_check_key(
    ngx_http_flowdash_form_t *form, ngx_str_t *key);
static const char *ngx_http_flowdash_form_check_part(
    ngx_http_flowdash_form_t *form, ngx_str_t *name,
    const char *(*judge)(ngx_str_t *name));
static ngx_uint_t ngx_http_flowdash_form_check_can_encode(
    ngx_http_flowdash_form_t *form, ngx_str_t *key);
static ngx_uint_t ngx_http_flowdash_form_check_has_boundary(
    ngx_http_flowdash_form_t *form, ngx_str_t *text);


ngx_int_t
ngx_http_flowdash_form_check(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_field_t *field, ngx_str_t *old, const char **error)
{
    ngx_int_t                       rc;
    ngx_http_flowdash_form_node_t  *node;

    node = ngx_http_flowdash_form_index_lookup(form, &field->name);

    if (node && node->file) {
        *error = "a file cannot be changed";
        return ngx_http_flowdash_form_check_file(form, old, &field->value);
    }

    form->rule = 0;

    *error = ngx_http_flowdash_form_check_name(form, &field->name);

    rc = *error ? NGX_DECLINED
                : ngx_http_flowdash_form_check_value(form, field, old, error);

    if (rc == NGX_DECLINED && form->rule) {
        *error = ngx_http_flowdash_strict_error(form->pool, form->rule,
                                                *error);
        return *error ? NGX_DECLINED : NGX_ERROR;
    }

    return rc;
}


/* returns what is wrong with the field's name, or NULL */

static const char *
ngx_http_flowdash_form_check_name(ngx_http_flowdash_form_t *form,
    ngx_str_t *name)
{
    ngx_str_t   *token, *root, path;
    ngx_uint_t   i;
    const char  *error;

    token = form->pointer->elts;
    root = form->pointer->nelts ? token : name;

    for (i = 0; i < form->pointer->nelts; i++) {
        if (!ngx_http_flowdash_form_check_can_encode(form, &token[i])) {
            return "a name that a form cannot have";
        }
    }

    error = ngx_http_flowdash_form_check_key(form, name);

    /* form_name does not read such a name either */

    if (error == NULL && root->data[root->len - 1] == ' ') {
        error = "a name that a form cannot have";
    }

    if (error == NULL && form->pointer->nelts == 0) {
        error = ngx_http_flowdash_form_check_part(form, name,
                                    ngx_http_flowdash_multipart_grammar_name);
    }

    if (error) {
        return error;
    }

    if (form->pointer->nelts == 0
        && name->len == sizeof("_charset_") - 1
        && ngx_memcmp(name->data, "_charset_", name->len) == 0)
    {
        return "\"_charset_\", which names the charset of a form";
    }

    ngx_str_null(&path);

    if (ngx_http_flowdash_form_rules_field(form, name, &path) != NGX_OK
        || (form->pointer->nelts == 0
            && ngx_http_flowdash_form_rules_name(form, name) != NGX_OK))
    {
        return form->error;
    }

    return NULL;
}


static ngx_int_t
ngx_http_flowdash_form_check_value(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_field_t *field, ngx_str_t *old, const char **error)
{
    size_t                           size, name;
    ngx_int_t                        rc;
    ngx_str_t                       *token;
    ngx_uint_t                       i;
    ngx_array_t                      leaves;
    ngx_http_flowdash_json_node_t  **leaf;

    rc = ngx_http_flowdash_json_leaves(&field->value, &leaves, form->max_size,
                                       form->pool);

    if (rc == NGX_ABORT) {
        *error = "a value that is too large for a form";
        return NGX_DECLINED;
    }

    if (rc != NGX_OK) {
        *error = "half of a surrogate pair, which a form cannot have";
        return rc;
    }

    token = form->pointer->elts;
    name = field->name.len;

    for (i = 0; i < form->pointer->nelts; i++) {
        name += sizeof("[]") - 1 + token[i].len;
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

    rc = ngx_http_flowdash_form_check_number(form, &field->name, old,
                                             leaves.nelts);

    if (rc == NGX_DECLINED) {
        *error = form->error;
    }

    return rc;
}


/* counts the field's pairs, in place of those that it has */

static ngx_int_t
ngx_http_flowdash_form_check_number(ngx_http_flowdash_form_t *form,
    ngx_str_t *name, ngx_str_t *old, ngx_uint_t n)
{
    ngx_int_t    rc;
    ngx_array_t  leaves;

    rc = ngx_http_flowdash_form_alias_add(form, name);

    if (rc == NGX_DONE) {

        rc = ngx_http_flowdash_json_leaves(old, &leaves, NGX_MAX_SIZE_T_VALUE,
                                           form->pool);

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        form->fields -= leaves.nelts;

    } else if (rc != NGX_OK) {
        return rc;
    }

    form->fields += n - 1;

    return ngx_http_flowdash_form_count(form, form->tail);
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
    const char                     *error;
    ngx_http_flowdash_json_node_t  *part;

    /* an empty array needs a pair of brackets of its own */

    if (leaf->depth + leaf->array + form->pointer->nelts
        > ngx_http_flowdash_form_rules_depth(form))
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

        if (part->parent->object) {

            error = ngx_http_flowdash_form_check_key(form, &part->key);

            if (error) {
                return error;
            }
        }

        if (part->index) {

            /* the first leaf of this container has checked the rest */

            break;
        }
    }

    error = ngx_http_flowdash_form_rules_value(form, &leaf->text);

    if (error) {
        return error;
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
    ngx_int_t                       rc;
    ngx_array_t                     was, is;
    ngx_http_flowdash_json_node_t  *a, *b;

    rc = ngx_http_flowdash_json_leaves(new, &is, form->max_size, form->pool);

    if (rc == NGX_ABORT) {
        return NGX_DECLINED;
    }

    if (rc == NGX_ERROR
        || ngx_http_flowdash_json_leaves(old, &was, NGX_MAX_SIZE_T_VALUE,
                                         form->pool)
           == NGX_ERROR)
    {
        return NGX_ERROR;
    }

    a = ngx_http_flowdash_form_check_root(&was);
    b = ngx_http_flowdash_form_check_root(&is);

    if (a == NULL || b == NULL) {
        return NGX_DECLINED;
    }

    return ngx_http_flowdash_form_check_same(form, a, b);
}


static ngx_http_flowdash_json_node_t *
ngx_http_flowdash_form_check_root(ngx_array_t *leaves)
{
    ngx_http_flowdash_json_node_t  *node, **leaf;

    if (leaves->nelts == 0) {
        return NULL;
    }

    leaf = leaves->elts;

    for (node = *leaf; node->parent; node = node->parent) {
        /* void */
    }

    return node;
}


/*
 * Compares two values.  Returns NGX_DONE if they are the same, NGX_DECLINED or
 * NGX_ERROR.
 */

static ngx_int_t
ngx_http_flowdash_form_check_same(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_json_node_t *a, ngx_http_flowdash_json_node_t *b)
{
    ngx_int_t                       rc;
    ngx_http_flowdash_json_node_t  *i, *k;

    if (!ngx_http_flowdash_text_equal(&a->text, &b->text)
        || a->string != b->string || a->array != b->array
        || a->object != b->object || a->members != b->members)
    {
        return NGX_DECLINED;
    }

    if (a->object) {
        return ngx_http_flowdash_form_check_same_object(form, a, b);
    }

    for (i = a->first, k = b->first; i; i = i->next, k = k->next) {

        rc = ngx_http_flowdash_form_check_same(form, i, k);

        if (rc != NGX_DONE) {
            return rc;
        }
    }

    return NGX_DONE;
}


/* the members may be in another order */

static ngx_int_t
ngx_http_flowdash_form_check_same_object(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_json_node_t *a, ngx_http_flowdash_json_node_t *b)
{
    ngx_int_t                       rc;
    ngx_http_flowdash_table_t       names;
    ngx_http_flowdash_json_node_t  *node, *other;

    ngx_memzero(&names, sizeof(ngx_http_flowdash_table_t));

    for (node = b->first; node; node = node->next) {
        if (ngx_http_flowdash_table_add(&names,
                                        ngx_http_flowdash_hash(&node->key),
                                        node, form->pool)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    /* the names in "a" differ from each other: none in "b" is found twice */

    for (node = a->first; node; node = node->next) {

        other = ngx_http_flowdash_table_find(&names,
                                            ngx_http_flowdash_hash(&node->key),
                                            ngx_http_flowdash_form_check_is,
                                            &node->key);
        if (other == NULL) {
            return NGX_DECLINED;
        }

        rc = ngx_http_flowdash_form_check_same(form, node, other);

        if (rc != NGX_DONE) {
            return rc;
        }
    }

    return NGX_DONE;
}


static ngx_uint_t
ngx_http_flowdash_form_check_is(void *value, void *wanted)
{
    ngx_http_flowdash_json_node_t  *node = value;

    return ngx_http_flowdash_text_equal(&node->key, wanted);
}


/* returns what is wrong with a key of a name, or NULL */

static const char *
ngx_http_flowdash_form_check_key(ngx_http_flowdash_form_t *form,
    ngx_str_t *key)
{
    const char  *error;

    if (!ngx_http_flowdash_form_check_can_encode(form, key)) {
        return "a name that a form cannot have";
    }

    if (form->ascii
        && ngx_http_flowdash_text_find(key, NGX_HTTP_FLOWDASH_TEXT_HIGH))
    {
        return "a name that is not ASCII, in a form that is not UTF-8";
    }

    error = ngx_http_flowdash_form_check_part(form, key,
                                     ngx_http_flowdash_multipart_grammar_key);

    return error ? error : ngx_http_flowdash_form_rules_key(form, key);
}


/* the rule "parts" holds for a part that is written as for one that is read */

static const char *
ngx_http_flowdash_form_check_part(ngx_http_flowdash_form_t *form,
    ngx_str_t *name, const char *(*judge)(ngx_str_t *name))
{
    const char  *error;

    if (form->boundary.len == 0
        || !(form->strict & NGX_HTTP_FLOWDASH_STRICT_PARTS))
    {
        return NULL;
    }

    error = judge(name);

    if (error) {
        form->rule = NGX_HTTP_FLOWDASH_STRICT_PARTS;
    }

    return error;
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

    /*
     * Rack would read another name, or another header, in it: no such form is
     * read here either.
     */

    if (form->boundary.len
        && (ngx_http_flowdash_multipart_media_nested(key)
            || ngx_http_flowdash_multipart_media_count(key->data, last,
                                                       "content-disposition")))
    {
        return 0;
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
