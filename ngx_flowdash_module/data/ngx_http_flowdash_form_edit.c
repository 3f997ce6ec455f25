
/*
 * Finds the edits that bring the changes of a task into its form.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_json_leaves.h>
#include <ngx_http_flowdash_field.h>
#include <ngx_http_flowdash_task.h>
#include <ngx_http_flowdash_form.h>
#include <ngx_http_flowdash_form_index.h>
#include <ngx_http_flowdash_form_edit.h>


/* a new pair: the end of its name, as [x], and its value */

typedef struct {
    ngx_str_t    path;
    ngx_str_t    text;
} ngx_http_flowdash_form_value_t;


static ngx_array_t *ngx_http_flowdash_form_edit_values(
    ngx_http_flowdash_form_t *form, ngx_str_t *json, ngx_uint_t repeated);
static ngx_int_t ngx_http_flowdash_form_edit_path(
    ngx_http_flowdash_form_t *form, ngx_http_flowdash_json_node_t *leaf,
    ngx_str_t *path);
static ngx_int_t ngx_http_flowdash_form_edit_pair(
    ngx_http_flowdash_form_t *form, ngx_http_flowdash_form_pair_t *pair,
    ngx_array_t *edits);
static ngx_int_t ngx_http_flowdash_form_edit_add(
    ngx_http_flowdash_form_t *form, ngx_array_t *edits, off_t start,
    off_t last, ngx_str_t *text);
static ngx_int_t ngx_http_flowdash_form_edit_insert(
    ngx_http_flowdash_form_t *form, ngx_array_t *edits, off_t offset,
    ngx_str_t *pair);
static ngx_int_t ngx_http_flowdash_form_edit_append(
    ngx_http_flowdash_form_t *form, ngx_array_t *edits,
    ngx_http_flowdash_task_t *task);
static ngx_int_t ngx_http_flowdash_form_edit_encode_pair(
    ngx_http_flowdash_form_t *form, ngx_str_t *field,
    ngx_http_flowdash_form_value_t *value, ngx_str_t *text);
static ngx_int_t ngx_http_flowdash_form_edit_encode_value(
    ngx_http_flowdash_form_t *form, ngx_str_t *value, ngx_uint_t bare,
    ngx_str_t *text);
static u_char *ngx_http_flowdash_form_edit_escape(u_char *p, ngx_str_t *s);


ngx_array_t *
ngx_http_flowdash_form_edits(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_task_t *task)
{
    ngx_uint_t                      i;
    ngx_array_t                    *edits;
    ngx_http_flowdash_field_t      *field;
    ngx_http_flowdash_form_node_t  *node;
    ngx_http_flowdash_form_pair_t  *pair;

    edits = ngx_array_create(form->pool, 4,
                             sizeof(ngx_http_flowdash_form_edit_t));
    if (edits == NULL) {
        return NULL;
    }

    i = 0;

    while ((field = ngx_http_flowdash_field_next_kept(&task->index, &i))) {

        if (field->original.data == NULL
            || ngx_http_flowdash_text_equal(&field->value, &field->original))
        {
            continue;
        }

        node = ngx_http_flowdash_form_index_lookup(form, &field->name);

        node->values = ngx_http_flowdash_form_edit_values(form, &field->value,
                                            node->pair && node->pair->again);
        if (node->values == NULL) {
            return NULL;
        }
    }

    for (pair = form->pairs; pair; pair = pair->next) {
        if (pair->field->values
            && ngx_http_flowdash_form_edit_pair(form, pair, edits) != NGX_OK)
        {
            return NULL;
        }
    }

    if (ngx_http_flowdash_form_edit_append(form, edits, task) != NGX_OK) {
        return NULL;
    }

    return edits;
}


/*
 * Returns the pairs for a JSON value.  A flat array repeats the name if the
 * form did ("repeated"), and otherwise gets empty brackets.
 */

static ngx_array_t *
ngx_http_flowdash_form_edit_values(ngx_http_flowdash_form_t *form,
    ngx_str_t *json,
    ngx_uint_t repeated)
{
    ngx_uint_t                       i;
    ngx_array_t                     *values, leaves;
    ngx_http_flowdash_json_node_t  **leaf, *parent;
    ngx_http_flowdash_form_value_t  *value;

    if (ngx_http_flowdash_json_leaves(json, &leaves, NGX_MAX_SIZE_T_VALUE,
                                      form->pool)
        != NGX_OK)
    {
        return NULL;
    }

    values = ngx_array_create(form->pool, leaves.nelts,
                              sizeof(ngx_http_flowdash_form_value_t));
    if (values == NULL) {
        return NULL;
    }

    leaf = leaves.elts;

    for (i = 0; i < leaves.nelts; i++) {

        value = ngx_array_push(values);
        if (value == NULL) {
            return NULL;
        }

        value->text = leaf[i]->text;

        if (!leaf[i]->string && value->text.len == 4
            && ngx_strncmp(value->text.data, "null", 4) == 0)
        {
            value->text.len = 0;
        }

        parent = leaf[i]->parent;

        if (repeated
            && (parent == NULL
                || (parent->array && !parent->nested && parent->depth == 0)))
        {
            ngx_str_set(&value->path, "");
            continue;
        }

        if (ngx_http_flowdash_form_edit_path(form, leaf[i], &value->path)
            != NGX_OK)
        {
            return NULL;
        }
    }

    return values;
}


/* makes the brackets that lead to a leaf */

static ngx_int_t
ngx_http_flowdash_form_edit_path(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_json_node_t *leaf, ngx_str_t *path)
{
    u_char                         *p, index[NGX_INT_T_LEN];
    size_t                          len;
    ngx_http_flowdash_json_node_t  *node;

    /* an empty array becomes one empty element */

    len = leaf->array ? sizeof("[]") - 1 : 0;

    for (node = leaf; node->parent; node = node->parent) {
        len += sizeof("[]") - 1
               + (node->parent->object ? node->key.len : NGX_INT_T_LEN);
    }

    path->data = ngx_pnalloc(form->pool, len);
    if (path->data == NULL) {
        return NGX_ERROR;
    }

    p = path->data + len;
    path->len = len;

    if (leaf->array) {
        *--p = ']';
        *--p = '[';
    }

    for (node = leaf; node->parent; node = node->parent) {

        *--p = ']';

        if (node->parent->object) {
            p -= node->key.len;
            ngx_memcpy(p, node->key.data, node->key.len);

        } else if (node->parent->nested) {
            len = ngx_sprintf(index, "%ui", node->index) - index;
            p -= len;
            ngx_memcpy(p, index, len);
        }

        *--p = '[';
    }

    path->len -= p - path->data;
    path->data = p;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_form_edit_pair(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_form_pair_t *pair, ngx_array_t *edits)
{
    size_t                           separator;
    ngx_str_t                        text;
    ngx_uint_t                       i, same;
    ngx_http_flowdash_form_node_t   *node;
    ngx_http_flowdash_form_value_t  *value;

    node = pair->field;
    value = node->values->elts;
    i = node->written++;

    separator = form->boundary.len ? sizeof(CRLF) - 1 : sizeof("&") - 1;

    if (i >= node->values->nelts) {

        /* never the first pair of its field: a separator stands before it */

        ngx_str_set(&text, "");

        return ngx_http_flowdash_form_edit_add(form, edits,
                                               pair->start - separator,
                                               pair->last, &text);
    }

    same = ngx_http_flowdash_text_equal(&value[i].text, &pair->text);

    if (!ngx_http_flowdash_text_equal(&value[i].path, &pair->path)
        || (pair->whole && !same))
    {
        if (ngx_http_flowdash_form_edit_encode_pair(form, &node->key,
                                                    &value[i], &text)
            != NGX_OK
            || ngx_http_flowdash_form_edit_add(form, edits, pair->start,
                                               pair->last, &text)
               != NGX_OK)
        {
            return NGX_ERROR;
        }

    } else if (!same) {
        if (ngx_http_flowdash_form_edit_encode_value(form, &value[i].text,
                                                     pair->bare,
                                                     &text)
            != NGX_OK
            || ngx_http_flowdash_form_edit_add(form, edits, pair->value,
                                               pair->last, &text)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (pair != node->end) {
        return NGX_OK;
    }

    for (i++; i < node->values->nelts; i++) {

        if (ngx_http_flowdash_form_edit_encode_pair(form, &node->key,
                                                    &value[i], &text)
            != NGX_OK
            || ngx_http_flowdash_form_edit_insert(form, edits, pair->last,
                                                  &text)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_form_edit_add(ngx_http_flowdash_form_t *form,
    ngx_array_t *edits, off_t start, off_t last, ngx_str_t *text)
{
    ngx_http_flowdash_form_edit_t  *edit;

    edit = ngx_array_push(edits);
    if (edit == NULL) {
        return NGX_ERROR;
    }

    edit->start = start;
    edit->last = last;
    edit->text = *text;

    return NGX_OK;
}


/* inserts a pair and its separator after another pair */

static ngx_int_t
ngx_http_flowdash_form_edit_insert(ngx_http_flowdash_form_t *form,
    ngx_array_t *edits, off_t offset, ngx_str_t *pair)
{
    u_char     *p;
    ngx_str_t   separator, text;

    if (form->boundary.len) {
        ngx_str_set(&separator, CRLF);

    } else {
        ngx_str_set(&separator, "&");
    }

    text.len = separator.len + pair->len;

    text.data = ngx_pnalloc(form->pool, text.len);
    if (text.data == NULL) {
        return NGX_ERROR;
    }

    if (form->boundary.len && form->empty) {

        /* the form has only its closing delimiter */

        p = ngx_cpymem(text.data, pair->data, pair->len);
        ngx_memcpy(p, separator.data, separator.len);

    } else {
        p = ngx_cpymem(text.data, separator.data, separator.len);
        ngx_memcpy(p, pair->data, pair->len);
    }

    return ngx_http_flowdash_form_edit_add(form, edits, offset, offset, &text);
}


static ngx_int_t
ngx_http_flowdash_form_edit_append(ngx_http_flowdash_form_t *form,
    ngx_array_t *edits, ngx_http_flowdash_task_t *task)
{
    ngx_int_t                        rc;
    ngx_str_t                        text;
    ngx_uint_t                       i, n, open;
    ngx_array_t                     *values;
    ngx_http_flowdash_field_t       *field;
    ngx_http_flowdash_form_value_t  *value;

    open = form->open;

    i = 0;

    while ((field = ngx_http_flowdash_field_next_kept(&task->index, &i))) {

        if (field->original.data) {
            continue;
        }

        values = ngx_http_flowdash_form_edit_values(form, &field->value, 0);
        if (values == NULL) {
            return NGX_ERROR;
        }

        value = values->elts;

        for (n = 0; n < values->nelts; n++) {

            if (ngx_http_flowdash_form_edit_encode_pair(form, &field->name,
                                                        &value[n],
                                                        &text)
                != NGX_OK)
            {
                return NGX_ERROR;
            }

            rc = open ? ngx_http_flowdash_form_edit_add(form, edits,
                                              form->tail, form->tail, &text)
                      : ngx_http_flowdash_form_edit_insert(form, edits,
                                                           form->tail, &text);
            if (rc != NGX_OK) {
                return NGX_ERROR;
            }

            open = 0;
        }
    }

    return NGX_OK;
}


/* makes a whole pair: name=value, or a part with its delimiter */

static ngx_int_t
ngx_http_flowdash_form_edit_encode_pair(ngx_http_flowdash_form_t *form,
    ngx_str_t *field,
    ngx_http_flowdash_form_value_t *value, ngx_str_t *text)
{
    u_char      *p;
    ngx_str_t   *token, name;
    ngx_uint_t   i;

    token = form->pointer->elts;

    name.len = field->len + sizeof("[]") - 1 + value->path.len;

    for (i = 0; i < form->pointer->nelts; i++) {
        name.len += token[i].len + sizeof("[]") - 1;
    }

    p = ngx_pnalloc(form->pool, name.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    name.data = p;

    for (i = 0; i < form->pointer->nelts; i++) {
        p = ngx_sprintf(p, i ? "[%V]" : "%V", &token[i]);
    }

    p = ngx_sprintf(p, form->pointer->nelts ? "[%V]" : "%V", field);
    p = ngx_cpymem(p, value->path.data, value->path.len);

    name.len = p - name.data;

    if (form->boundary.len) {
        text->len = sizeof("--" CRLF "Content-Disposition: form-data; "
                           "name=\"\"" CRLF CRLF) - 1
                    + form->boundary.len + name.len + value->text.len;

        text->data = ngx_pnalloc(form->pool, text->len);
        if (text->data == NULL) {
            return NGX_ERROR;
        }

        (void) ngx_sprintf(text->data, "--%V" CRLF
                           "Content-Disposition: form-data; name=\"%V\""
                           CRLF CRLF "%V",
                           &form->boundary, &name, &value->text);

        return NGX_OK;
    }

    text->data = ngx_pnalloc(form->pool,
                             3 * (name.len + value->text.len) + 1);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_http_flowdash_form_edit_escape(text->data, &name);
    *p++ = '=';
    p = ngx_http_flowdash_form_edit_escape(p, &value->text);

    text->len = p - text->data;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_form_edit_encode_value(ngx_http_flowdash_form_t *form,
    ngx_str_t *value, ngx_uint_t bare, ngx_str_t *text)
{
    u_char  *p;

    if (form->boundary.len) {
        *text = *value;
        return NGX_OK;
    }

    p = ngx_pnalloc(form->pool, 3 * value->len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    text->data = p;

    if (bare) {
        *p++ = '=';
    }

    text->len = ngx_http_flowdash_form_edit_escape(p, value) - text->data;

    return NGX_OK;
}


static u_char *
ngx_http_flowdash_form_edit_escape(u_char *p, ngx_str_t *s)
{
    return (u_char *) ngx_escape_uri(p, s->data, s->len,
                                     NGX_ESCAPE_URI_COMPONENT);
}
