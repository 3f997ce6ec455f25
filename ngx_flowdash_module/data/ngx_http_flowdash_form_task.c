
/*
 * The task of a form: its fields with their values as JSON.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_task.h>
#include <ngx_http_flowdash_form.h>
#include <ngx_http_flowdash_form_task.h>


static ngx_int_t ngx_http_flowdash_form_task_add(
    ngx_http_flowdash_task_t *task, ngx_http_flowdash_form_node_t *node);
static size_t ngx_http_flowdash_form_task_length(
    ngx_http_flowdash_form_node_t *node);
static u_char *ngx_http_flowdash_form_task_write(u_char *p,
    ngx_http_flowdash_form_node_t *node);
static size_t ngx_http_flowdash_form_task_pairs_length(
    ngx_http_flowdash_form_node_t *node);
static u_char *ngx_http_flowdash_form_task_write_pairs(u_char *p,
    ngx_http_flowdash_form_node_t *node);
static ngx_uint_t ngx_http_flowdash_form_task_is_no_file(
    ngx_http_flowdash_form_pair_t *pair);


ngx_int_t
ngx_http_flowdash_form_task(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_task_t *task)
{
    ngx_http_flowdash_form_node_t  *node;

    ngx_http_flowdash_task_create(task, form->pool);

    for (node = form->root.first; node; node = node->next) {
        if (ngx_http_flowdash_form_task_add(task, node) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_form_task_add(ngx_http_flowdash_task_t *task,
    ngx_http_flowdash_form_node_t *node)
{
    u_char                     *p;
    ngx_str_t                   spelling, value;
    ngx_http_flowdash_field_t  *field;

    p = ngx_pnalloc(task->pool,
                    ngx_http_flowdash_json_string_length(&node->key)
                    + ngx_http_flowdash_form_task_length(node));
    if (p == NULL) {
        return NGX_ERROR;
    }

    spelling.data = p;
    p = ngx_http_flowdash_json_write_string(p, &node->key);
    spelling.len = p - spelling.data;

    value.data = p;
    p = ngx_http_flowdash_form_task_write(p, node);
    value.len = p - value.data;

    field = ngx_http_flowdash_task_add(task, &node->key, &spelling,
                                       &value);
    if (field == NULL) {
        return NGX_ERROR;
    }

    /* some apps take the first of several values, some the last */

    field->ambiguous = (node->pair && node->pair->again && !node->file);

    return NGX_OK;
}


static size_t
ngx_http_flowdash_form_task_length(ngx_http_flowdash_form_node_t *node)
{
    size_t                          len;
    ngx_http_flowdash_form_node_t  *child;

    if (node->pair) {
        return ngx_http_flowdash_form_task_pairs_length(node);
    }

    len = sizeof("{}") - 1;

    for (child = node->first; child; child = child->next) {
        len += sizeof(":,") - 1 + ngx_http_flowdash_form_task_length(child);

        if (node->object) {
            len += ngx_http_flowdash_json_string_length(&child->key);
        }
    }

    return len;
}


static u_char *
ngx_http_flowdash_form_task_write(u_char *p,
    ngx_http_flowdash_form_node_t *node)
{
    u_char                         *first;
    ngx_http_flowdash_form_node_t  *child;

    if (node->pair) {
        return ngx_http_flowdash_form_task_write_pairs(p, node);
    }

    *p++ = node->object ? '{' : '[';
    first = p;

    for (child = node->first; child; child = child->next) {

        if (node->array && child->pair
            && ngx_http_flowdash_form_task_is_no_file(child->pair))
        {
            continue;
        }

        if (p != first) {
            *p++ = ',';
        }

        if (node->object) {
            p = ngx_http_flowdash_json_write_string(p, &child->key);
            *p++ = ':';
        }

        p = ngx_http_flowdash_form_task_write(p, child);
    }

    *p++ = node->object ? '}' : ']';

    return p;
}


static size_t
ngx_http_flowdash_form_task_pairs_length(ngx_http_flowdash_form_node_t *node)
{
    size_t                          len;
    ngx_http_flowdash_form_pair_t  *pair;

    len = sizeof("[]") - 1;

    for (pair = node->pair; pair; pair = pair->again) {

        len += sizeof(",") - 1
               + ngx_http_flowdash_json_string_length(&pair->text);

        if (pair->file) {
            len += sizeof("{\"filename\":,\"contentType\":,\"size\":}") - 1
                   + ngx_http_flowdash_json_string_length(&pair->type)
                   + NGX_OFF_T_LEN;
        }
    }

    return len;
}


/*
 * A string or a file; an array for several of one name, and for a file that
 * is not an element of an array already.
 */

static u_char *
ngx_http_flowdash_form_task_write_pairs(u_char *p,
    ngx_http_flowdash_form_node_t *node)
{
    u_char                         *first;
    ngx_uint_t                      array;
    ngx_http_flowdash_form_pair_t  *pair;

    array = node->pair->again || (node->pair->file && node->key.len);

    if (array) {
        *p++ = '[';
    }

    first = p;

    for (pair = node->pair; pair; pair = pair->again) {

        if (ngx_http_flowdash_form_task_is_no_file(pair)) {
            continue;
        }

        if (p != first) {
            *p++ = ',';
        }

        if (!pair->file) {
            p = ngx_http_flowdash_json_write_string(p, &pair->text);
            continue;
        }

        p = ngx_cpymem(p, "{\"filename\":", sizeof("{\"filename\":") - 1);
        p = ngx_http_flowdash_json_write_string(p, &pair->text);
        p = ngx_cpymem(p, ",\"contentType\":",
                       sizeof(",\"contentType\":") - 1);
        p = ngx_http_flowdash_json_write_string(p, &pair->type);
        p = ngx_sprintf(p, ",\"size\":%O}", pair->last - pair->value);
    }

    if (array) {
        *p++ = ']';
    }

    return p;
}


/* a browser's "no file chosen": it has no name, and so no content */

static ngx_uint_t
ngx_http_flowdash_form_task_is_no_file(ngx_http_flowdash_form_pair_t *pair)
{
    return pair->file && pair->text.len == 0;
}
