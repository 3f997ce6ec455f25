
/*
 * What an endpoint says about single fields.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_clean.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_json_pointer.h>
#include <ngx_http_flowdash_error_fields.h>


/* a longer list is not meant for people */

#define NGX_HTTP_FLOWDASH_ERROR_FIELDS          64
#define NGX_HTTP_FLOWDASH_ERROR_FIELDS_NAME     128      /* bytes */
#define NGX_HTTP_FLOWDASH_ERROR_FIELDS_MESSAGE  1024
#define NGX_HTTP_FLOWDASH_ERROR_FIELDS_SIZE     16384    /* of all of them */


/* the members of an error */

typedef enum {
    NGX_HTTP_FLOWDASH_ERROR_FIELDS_BY_FIELD = 0,
    NGX_HTTP_FLOWDASH_ERROR_FIELDS_BY_POINTER,
    NGX_HTTP_FLOWDASH_ERROR_FIELDS_IN_MESSAGE,
    NGX_HTTP_FLOWDASH_ERROR_FIELDS_IN_DETAIL,
    NGX_HTTP_FLOWDASH_ERROR_FIELDS_MEMBERS
} ngx_http_flowdash_error_fields_e;


typedef struct {
    ngx_pool_t     *pool;
    ngx_array_t    *fields;    /* of ..._error_field_t */
    ngx_uint_t      read;      /* errors, also those without a message */
    size_t          size;      /* of their text */
    ngx_str_t       members[NGX_HTTP_FLOWDASH_ERROR_FIELDS_MEMBERS];
    unsigned        other:1;   /* a value is no array of strings */
} ngx_http_flowdash_error_fields_t;


static ngx_int_t ngx_http_flowdash_error_fields_array(
    ngx_http_flowdash_error_fields_t *list, ngx_str_t *array);
static u_char *ngx_http_flowdash_error_fields_element(u_char *p,
    ngx_str_t *element);
static u_char *ngx_http_flowdash_error_fields_end(u_char *p);
static ngx_int_t ngx_http_flowdash_error_fields_object(
    ngx_http_flowdash_error_fields_t *list, ngx_str_t *object);
static ngx_int_t ngx_http_flowdash_error_fields_parse(
    ngx_http_flowdash_error_fields_t *list, ngx_str_t *object,
    ngx_http_flowdash_json_member_pt member);
static ngx_int_t ngx_http_flowdash_error_fields_member(void *data,
    ngx_str_t *name, ngx_str_t *spelling, ngx_str_t *value);
static ngx_int_t ngx_http_flowdash_error_fields_strings(void *data,
    ngx_str_t *name, ngx_str_t *spelling, ngx_str_t *value);
static ngx_int_t ngx_http_flowdash_error_fields_push(
    ngx_http_flowdash_error_fields_t *list, ngx_str_t *name,
    ngx_uint_t pointer, ngx_str_t *message);
static ngx_int_t ngx_http_flowdash_error_fields_clean(
    ngx_http_flowdash_error_fields_t *list, ngx_str_t *text, size_t size,
    ngx_str_t *clean);
static size_t ngx_http_flowdash_error_fields_length(ngx_array_t *fields);


/* in the order of ngx_http_flowdash_error_fields_e */

static ngx_str_t  ngx_http_flowdash_error_fields_names[] = {
    ngx_string("field"),
    ngx_string("pointer"),
    ngx_string("message"),
    ngx_string("detail")
};


ngx_int_t
ngx_http_flowdash_error_fields(ngx_pool_t *pool, ngx_str_t *errors,
    ngx_array_t **fields)
{
    ngx_int_t                         rc;
    ngx_http_flowdash_error_fields_t  list;

    *fields = NULL;

    if (errors->len == 0
        || (errors->data[0] != '[' && errors->data[0] != '{'))
    {
        return NGX_OK;
    }

    ngx_memzero(&list, sizeof(ngx_http_flowdash_error_fields_t));

    list.pool = pool;

    list.fields = ngx_array_create(pool, 4,
                                   sizeof(ngx_http_flowdash_error_field_t));
    if (list.fields == NULL) {
        return NGX_ERROR;
    }

    if (errors->data[0] == '[') {
        rc = ngx_http_flowdash_error_fields_array(&list, errors);

    } else {
        rc = ngx_http_flowdash_error_fields_parse(&list, errors,
                                      ngx_http_flowdash_error_fields_strings);
    }

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    /* an object of another kind may have anything, also what is internal */

    if (list.fields->nelts && !list.other) {
        *fields = list.fields;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_error_fields_array(ngx_http_flowdash_error_fields_t *list,
    ngx_str_t *array)
{
    u_char      *p;
    ngx_int_t    rc;
    ngx_str_t    element, none, message;

    ngx_str_null(&none);

    p = array->data + 1;

    while (list->read++ < NGX_HTTP_FLOWDASH_ERROR_FIELDS) {

        p = ngx_http_flowdash_error_fields_element(p, &element);

        if (p == NULL) {
            break;
        }

        rc = NGX_OK;

        if (element.data[0] == '{') {
            rc = ngx_http_flowdash_error_fields_object(list, &element);

        } else if (element.data[0] == '"') {
            rc = ngx_http_flowdash_json_decode(&element, &message,
                                               list->pool);
            if (rc == NGX_OK) {
                rc = ngx_http_flowdash_error_fields_push(list, &none, 0,
                                                         &message);
            }
        }

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* finds the next element of an array; returns its end, or NULL at the end */

static u_char *
ngx_http_flowdash_error_fields_element(u_char *p, ngx_str_t *element)
{
    p = ngx_http_flowdash_json_skip(p, ',');

    if (*p == ']') {
        return NULL;
    }

    element->data = p;
    p = ngx_http_flowdash_error_fields_end(p);
    element->len = p - element->data;

    return p;
}


/* returns the end of a value inside of another one, which is valid JSON */

static u_char *
ngx_http_flowdash_error_fields_end(u_char *p)
{
    ngx_uint_t  depth;

    depth = 0;

    for ( ;; ) {

        switch (*p) {

        case '[':
        case '{':
            depth++;
            p++;
            break;

        case ']':
        case '}':

            if (depth == 0) {

                /* this one was a number or a word */

                return p;
            }

            depth--;
            p++;
            break;

        case '"':
            for (p++; *p != '"'; p++) {
                if (*p == '\\') {
                    p++;
                }
            }

            p++;
            break;

        case ',':

            if (depth == 0) {
                return p;
            }

            p++;
            continue;

        default:
            p++;
            continue;
        }

        if (depth == 0) {
            return p;
        }
    }
}


/* an error that is an object */

static ngx_int_t
ngx_http_flowdash_error_fields_object(ngx_http_flowdash_error_fields_t *list,
    ngx_str_t *object)
{
    ngx_int_t    rc;
    ngx_str_t    text[NGX_HTTP_FLOWDASH_ERROR_FIELDS_MEMBERS], *name, *message;
    ngx_uint_t   i, pointer;

    ngx_memzero(list->members, sizeof(list->members));

    if (ngx_http_flowdash_error_fields_parse(list, object,
                                        ngx_http_flowdash_error_fields_member)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < NGX_HTTP_FLOWDASH_ERROR_FIELDS_MEMBERS; i++) {

        rc = ngx_http_flowdash_json_decode(&list->members[i], &text[i],
                                           list->pool);
        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (rc != NGX_OK) {
            ngx_str_null(&text[i]);
        }
    }

    pointer = (text[NGX_HTTP_FLOWDASH_ERROR_FIELDS_BY_FIELD].len == 0);

    name = &text[pointer ? NGX_HTTP_FLOWDASH_ERROR_FIELDS_BY_POINTER
                         : NGX_HTTP_FLOWDASH_ERROR_FIELDS_BY_FIELD];

    message = &text[NGX_HTTP_FLOWDASH_ERROR_FIELDS_IN_MESSAGE];

    if (message->len == 0) {
        message = &text[NGX_HTTP_FLOWDASH_ERROR_FIELDS_IN_DETAIL];
    }

    return ngx_http_flowdash_error_fields_push(list, name, pointer, message);
}


/* an object that cannot be read has no members */

static ngx_int_t
ngx_http_flowdash_error_fields_parse(ngx_http_flowdash_error_fields_t *list,
    ngx_str_t *object, ngx_http_flowdash_json_member_pt member)
{
    ngx_array_t                       pointer;
    ngx_http_flowdash_json_t          json;
    ngx_http_flowdash_json_verdict_e  verdict;

    ngx_memzero(&pointer, sizeof(ngx_array_t));
    ngx_memzero(&json, sizeof(ngx_http_flowdash_json_t));

    json.text = *object;
    json.pointer = &pointer;
    json.member = member;
    json.data = list;
    json.max_size = object->len;    /* for names with escapes */

    if (ngx_http_flowdash_json_pointer_parse(&json, &verdict, list->pool)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (verdict != NGX_HTTP_FLOWDASH_JSON_OK) {
        ngx_memzero(list->members, sizeof(list->members));
        list->other = (member == ngx_http_flowdash_error_fields_strings);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_error_fields_member(void *data, ngx_str_t *name,
    ngx_str_t *spelling, ngx_str_t *value)
{
    ngx_http_flowdash_error_fields_t *list = data;

    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_FLOWDASH_ERROR_FIELDS_MEMBERS; i++) {
        if (ngx_http_flowdash_text_equal(
                                     &ngx_http_flowdash_error_fields_names[i],
                                     name))
        {
            list->members[i] = *value;
        }
    }

    return NGX_OK;
}


/* a field and all that is wrong with it, as Rails and Laravel say it */

static ngx_int_t
ngx_http_flowdash_error_fields_strings(void *data, ngx_str_t *name,
    ngx_str_t *spelling, ngx_str_t *value)
{
    ngx_http_flowdash_error_fields_t *list = data;

    u_char     *p;
    ngx_str_t   element, message;

    if (value->data[0] != '[') {
        list->other = 1;
        return NGX_OK;
    }

    p = value->data + 1;

    while (!list->other) {

        p = ngx_http_flowdash_error_fields_element(p, &element);

        if (p == NULL) {
            break;
        }

        if (element.data[0] != '"') {
            list->other = 1;
            break;
        }

        if (list->read == NGX_HTTP_FLOWDASH_ERROR_FIELDS) {
            continue;
        }

        list->read++;

        if (ngx_http_flowdash_json_decode(&element, &message, list->pool)
            == NGX_ERROR
            || ngx_http_flowdash_error_fields_push(list, name, 0, &message)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_error_fields_push(ngx_http_flowdash_error_fields_t *list,
    ngx_str_t *name, ngx_uint_t pointer, ngx_str_t *message)
{
    ngx_str_t                         clean;
    ngx_http_flowdash_error_field_t  *field;

    if (list->size > NGX_HTTP_FLOWDASH_ERROR_FIELDS_SIZE) {
        return NGX_OK;
    }

    if (ngx_http_flowdash_error_fields_clean(list, message,
                                       NGX_HTTP_FLOWDASH_ERROR_FIELDS_MESSAGE,
                                       &clean)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (clean.len == 0) {
        return NGX_OK;
    }

    field = ngx_array_push(list->fields);
    if (field == NULL) {
        return NGX_ERROR;
    }

    field->message = clean;
    field->pointer = pointer;

    return ngx_http_flowdash_error_fields_clean(list, name,
                                          NGX_HTTP_FLOWDASH_ERROR_FIELDS_NAME,
                                          &field->name);
}


static ngx_int_t
ngx_http_flowdash_error_fields_clean(ngx_http_flowdash_error_fields_t *list,
    ngx_str_t *text, size_t size, ngx_str_t *clean)
{
    /* of a short text, three bytes are enough for an ellipsis */

    if (ngx_http_flowdash_clean(list->pool, text,
                                ngx_min(size, text->len + 3), clean)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    list->size += clean->len;

    return NGX_OK;
}


void
ngx_http_flowdash_error_fields_add(ngx_http_flowdash_clean_t *line,
    ngx_array_t *fields)
{
    u_char                           *last;
    ngx_uint_t                        i;
    ngx_http_flowdash_error_field_t  *field;

    static ngx_str_t  semicolon = ngx_string("; ");
    static ngx_str_t  colon = ngx_string(": ");

    field = fields->elts;

    for (i = 0; i < fields->nelts; i++) {

        if (line->text->len) {
            last = line->text->data + line->text->len - 1;

            if (*last == '.' || *last == '!' || *last == '?') {
                line->space = 1;

            } else {
                ngx_http_flowdash_clean_add(line, &semicolon);
            }
        }

        if (field[i].name.len) {
            ngx_http_flowdash_clean_add(line, &field[i].name);
            ngx_http_flowdash_clean_add(line, &colon);
        }

        ngx_http_flowdash_clean_add(line, &field[i].message);
    }
}


ngx_int_t
ngx_http_flowdash_error_fields_json(ngx_pool_t *pool, ngx_array_t *fields,
    ngx_str_t *json)
{
    u_char                           *p;
    ngx_uint_t                        i;
    ngx_http_flowdash_error_field_t  *field;

    json->data = ngx_pnalloc(pool,
                             ngx_http_flowdash_error_fields_length(fields));
    if (json->data == NULL) {
        return NGX_ERROR;
    }

    p = json->data;
    field = fields->elts;

    for (i = 0; i < fields->nelts; i++) {

        *p++ = (i == 0) ? '[' : ',';
        *p++ = '{';

        if (field[i].name.len) {
            p = ngx_sprintf(p, "\"%s\":", field[i].pointer ? "pointer"
                                                           : "field");
            p = ngx_http_flowdash_json_write_string(p, &field[i].name);
            *p++ = ',';
        }

        p = ngx_sprintf(p, "\"message\":");
        p = ngx_http_flowdash_json_write_string(p, &field[i].message);
        *p++ = '}';
    }

    *p++ = ']';

    json->len = p - json->data;

    return NGX_OK;
}


static size_t
ngx_http_flowdash_error_fields_length(ngx_array_t *fields)
{
    size_t                            len;
    ngx_uint_t                        i;
    ngx_http_flowdash_error_field_t  *field;

    len = sizeof("]") - 1;
    field = fields->elts;

    for (i = 0; i < fields->nelts; i++) {
        len += sizeof("[{\"pointer\":,\"message\":}") - 1
               + ngx_http_flowdash_json_string_length(&field[i].name)
               + ngx_http_flowdash_json_string_length(&field[i].message);
    }

    return len;
}
