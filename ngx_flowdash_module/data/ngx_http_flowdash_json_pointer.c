
/*
 * Finds an object in a JSON text by an RFC 6901 pointer, and its members: this
 * follows the path of the pointer, and remembers places, as the text is read.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_strict.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_json_scan.h>
#include <ngx_http_flowdash_json_names.h>
#include <ngx_http_flowdash_json_pointer.h>


/*
 * A container on the path of the pointer.  Level N is searched for token N;
 * the level after the last token is the object itself.
 */

typedef struct {
    ngx_uint_t                         array;    /* unsigned  array:1; */
    ngx_uint_t                         elements;
} ngx_http_flowdash_json_level_t;


typedef struct {
    ngx_http_flowdash_json_t          *json;
    ngx_http_flowdash_json_verdict_e   verdict;
    ngx_http_flowdash_json_scan_t      scan;
    ngx_pool_t                        *pool;     /* for the members' names */

    u_char                            *cursor;   /* after the last token */
    ngx_uint_t                         depth;

    ngx_http_flowdash_json_level_t    *levels;
    ngx_uint_t                         path_depth;  /* open levels */
    ngx_uint_t                         next;     /* next value is a level */

    ngx_http_flowdash_json_place_e     place;    /* of the members of the
                                                    innermost container */

    ngx_http_flowdash_json_names_t     names;

    ngx_str_t                          name;     /* the member being read */
    ngx_str_t                          spelling;
    u_char                            *value;
} ngx_http_flowdash_json_parser_t;


static ngx_int_t ngx_http_flowdash_json_pointer_judge(
    ngx_http_flowdash_json_parser_t *jp, ngx_http_flowdash_json_scan_e rc);
static ngx_int_t ngx_http_flowdash_json_pointer_name(
    ngx_http_flowdash_json_scan_t *scan);
static ngx_int_t ngx_http_flowdash_json_pointer_set_name(
    ngx_http_flowdash_json_parser_t *jp);
static ngx_int_t ngx_http_flowdash_json_pointer_scalar(
    ngx_http_flowdash_json_scan_t *scan);
static ngx_int_t ngx_http_flowdash_json_pointer_outer(
    ngx_http_flowdash_json_parser_t *jp);
static ngx_int_t ngx_http_flowdash_json_pointer_start(
    ngx_http_flowdash_json_scan_t *scan);
static ngx_int_t ngx_http_flowdash_json_pointer_end(
    ngx_http_flowdash_json_scan_t *scan);
static void ngx_http_flowdash_json_pointer_begin_value(
    ngx_http_flowdash_json_parser_t *jp);
static ngx_int_t ngx_http_flowdash_json_pointer_end_value(
    ngx_http_flowdash_json_parser_t *jp);
static void ngx_http_flowdash_json_pointer_set_place(
    ngx_http_flowdash_json_parser_t *jp);
static ngx_int_t ngx_http_flowdash_json_pointer_refuse(
    ngx_http_flowdash_json_parser_t *jp,
    ngx_http_flowdash_json_verdict_e verdict, ngx_uint_t rule,
    const char *error);
static ngx_int_t ngx_http_flowdash_json_pointer_large(
    ngx_http_flowdash_json_parser_t *jp);


static const ngx_http_flowdash_json_events_t
    ngx_http_flowdash_json_pointer_events =
{
    ngx_http_flowdash_json_pointer_start,
    ngx_http_flowdash_json_pointer_end,
    ngx_http_flowdash_json_pointer_name,
    ngx_http_flowdash_json_pointer_scalar
};


ngx_int_t
ngx_http_flowdash_json_pointer_parse(ngx_http_flowdash_json_t *json,
    ngx_http_flowdash_json_verdict_e *verdict, ngx_pool_t *pool)
{
    ngx_int_t                         rc;
    ngx_http_flowdash_json_parser_t   jp;

    ngx_str_null(&json->object);
    json->found = 0;
    json->tail = NULL;
    json->empty = 0;
    json->map = 0;
    json->error = NULL;
    json->rule = 0;
    json->size = 0;
    json->offset = 0;

    *verdict = NGX_HTTP_FLOWDASH_JSON_MALFORMED;

    if (json->strict & NGX_HTTP_FLOWDASH_STRICT_BOM
        && json->text.len >= 3
        && ngx_memcmp(json->text.data, "\xef\xbb\xbf", 3) == 0)
    {
        json->error = "a byte order mark";
        json->rule = NGX_HTTP_FLOWDASH_STRICT_BOM;
        return NGX_OK;
    }

    ngx_memzero(&jp, sizeof(ngx_http_flowdash_json_parser_t));

    jp.json = json;
    jp.pool = pool;
    jp.cursor = json->text.data;
    jp.next = 1;
    jp.place = NGX_HTTP_FLOWDASH_JSON_WAY;

    jp.levels = ngx_pcalloc(pool, (json->pointer->nelts + 1)
                                  * sizeof(ngx_http_flowdash_json_level_t));
    if (jp.levels == NULL) {
        return NGX_ERROR;
    }

    jp.names.strict = json->strict;
    jp.names.size = &json->size;
    jp.names.max_size = json->max_size;
    jp.names.log = pool->log;

    jp.scan.text = json->text;
    jp.scan.events = &ngx_http_flowdash_json_pointer_events;
    jp.scan.data = &jp;

    rc = ngx_http_flowdash_json_pointer_judge(&jp,
                                        ngx_http_flowdash_json_scan(&jp.scan));

    ngx_http_flowdash_json_names_free(&jp.names);

    *verdict = jp.verdict;

    return rc;
}


/*
 * Parsing continues after a refusal: if the text turns out not to be JSON,
 * that is the better error.  What would need too much memory or time is not
 * even read to its end.
 */

static ngx_int_t
ngx_http_flowdash_json_pointer_judge(ngx_http_flowdash_json_parser_t *jp,
    ngx_http_flowdash_json_scan_e rc)
{
    ngx_http_flowdash_json_t          *json;
    ngx_http_flowdash_json_verdict_e   verdict;

    json = jp->json;
    verdict = NGX_HTTP_FLOWDASH_JSON_MALFORMED;

    switch (rc) {

    case NGX_HTTP_FLOWDASH_JSON_SCAN_OK:
    case NGX_HTTP_FLOWDASH_JSON_SCAN_STOPPED:
        return NGX_OK;

    case NGX_HTTP_FLOWDASH_JSON_SCAN_ERROR:
        return NGX_ERROR;

    case NGX_HTTP_FLOWDASH_JSON_SCAN_BYTE:

        /* it may have been found before anything else, or after */

        ngx_str_null(&json->object);
        json->found = 0;
        json->tail = NULL;
        json->empty = 0;
        json->map = 0;
        json->size = 0;
        json->error = "a byte that is not allowed in JSON or UTF-8";
        break;

    case NGX_HTTP_FLOWDASH_JSON_SCAN_DEEP:
        verdict = NGX_HTTP_FLOWDASH_JSON_DEEP;
        json->error = "nested too deep";
        break;

    default: /* NGX_HTTP_FLOWDASH_JSON_SCAN_MALFORMED */
        json->error = "not JSON";
    }

    jp->verdict = verdict;
    json->rule = 0;
    json->offset = jp->scan.offset;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_json_pointer_name(ngx_http_flowdash_json_scan_t *scan)
{
    ngx_http_flowdash_json_parser_t *jp = scan->data;

    ngx_int_t   rc;
    ngx_str_t  *token;

    if (jp->verdict) {
        return NGX_OK;
    }

    jp->cursor = scan->end;

    token = jp->json->pointer->elts;
    token += jp->path_depth - 1;

    rc = ngx_http_flowdash_json_names_check(&jp->names, jp->depth, jp->place,
                                            scan, token);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_DECLINED) {
        if (jp->json->size > jp->json->max_size) {
            return ngx_http_flowdash_json_pointer_large(jp);
        }

        return ngx_http_flowdash_json_pointer_refuse(jp,
                   NGX_HTTP_FLOWDASH_JSON_DUPLICATE, jp->names.rule,
                   jp->names.error);
    }

    switch (jp->place) {

    case NGX_HTTP_FLOWDASH_JSON_FIELD:
        return ngx_http_flowdash_json_pointer_set_name(jp);

    case NGX_HTTP_FLOWDASH_JSON_WAY:
        break;

    default:
        jp->json->half |= scan->half;
        return NGX_OK;
    }

    if (!ngx_http_flowdash_text_equal(&jp->names.name, token)) {
        return NGX_OK;
    }

    if (jp->json->found >= jp->path_depth) {
        return ngx_http_flowdash_json_pointer_refuse(jp,
                   NGX_HTTP_FLOWDASH_JSON_DUPLICATE, 0,
                   "a name on the way to the task occurs twice");
    }

    jp->next = 1;

    return NGX_OK;
}


/* the memory of a name that has escapes is used again for the next one */

static ngx_int_t
ngx_http_flowdash_json_pointer_set_name(ngx_http_flowdash_json_parser_t *jp)
{
    jp->spelling.data = jp->scan.start;
    jp->spelling.len = jp->scan.end - jp->scan.start;

    jp->name = jp->names.name;
    jp->json->half = 0;

    if (!jp->scan.escaped) {
        return NGX_OK;
    }

    if (ngx_http_flowdash_json_pointer_charge(jp->json, jp->name.len)
        != NGX_OK)
    {
        return ngx_http_flowdash_json_pointer_large(jp);
    }

    jp->name.data = ngx_pnalloc(jp->pool, jp->name.len);
    if (jp->name.data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(jp->name.data, jp->names.name.data, jp->name.len);

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_json_pointer_scalar(ngx_http_flowdash_json_scan_t *scan)
{
    ngx_http_flowdash_json_parser_t *jp = scan->data;

    if (jp->verdict) {
        return NGX_OK;
    }

    ngx_http_flowdash_json_pointer_begin_value(jp);

    if (jp->next) {
        return ngx_http_flowdash_json_pointer_refuse(jp,
                   NGX_HTTP_FLOWDASH_JSON_NO_OBJECT, 0,
                   "not an object where the task should be");
    }

    if (*scan->start == '"') {
        jp->json->half |= scan->half;

        if (jp->depth == 1 && jp->json->outer && jp->json->map
            && ngx_http_flowdash_json_pointer_outer(jp) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return ngx_http_flowdash_json_pointer_end_value(jp);
}


static ngx_int_t
ngx_http_flowdash_json_pointer_outer(ngx_http_flowdash_json_parser_t *jp)
{
    ngx_str_t  value;

    value.data = jp->scan.start;
    value.len = jp->scan.end - jp->scan.start;

    return jp->json->outer(jp->json->outer_data, &jp->names.name, &value);
}


static ngx_int_t
ngx_http_flowdash_json_pointer_start(ngx_http_flowdash_json_scan_t *scan)
{
    ngx_http_flowdash_json_parser_t *jp = scan->data;

    ngx_uint_t                 array;
    ngx_http_flowdash_json_t  *json;

    if (jp->verdict) {
        return NGX_OK;
    }

    json = jp->json;
    array = (*scan->start == '[');

    ngx_http_flowdash_json_pointer_begin_value(jp);

    jp->cursor = scan->end;

    if (jp->depth == 0) {
        json->map = !array;
    }

    jp->depth++;

    ngx_http_flowdash_json_names_start(&jp->names, jp->depth);

    if (!jp->next) {
        ngx_http_flowdash_json_pointer_set_place(jp);
        return NGX_OK;
    }

    jp->next = 0;

    json->found = jp->path_depth;

    if (jp->path_depth == json->pointer->nelts) {

        if (array) {
            return ngx_http_flowdash_json_pointer_refuse(jp,
                       NGX_HTTP_FLOWDASH_JSON_NO_OBJECT, 0,
                       "an array where the task should be");
        }

        json->object.data = scan->start;
    }

    jp->levels[jp->path_depth].array = array;
    jp->levels[jp->path_depth].elements = 0;
    jp->path_depth++;

    ngx_http_flowdash_json_pointer_set_place(jp);

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_json_pointer_end(ngx_http_flowdash_json_scan_t *scan)
{
    ngx_http_flowdash_json_parser_t *jp = scan->data;

    ngx_http_flowdash_json_t  *json;

    if (jp->verdict) {
        return NGX_OK;
    }

    json = jp->json;

    ngx_http_flowdash_json_names_end(&jp->names, jp->depth);

    if (jp->depth-- != jp->path_depth) {
        ngx_http_flowdash_json_pointer_set_place(jp);
        return ngx_http_flowdash_json_pointer_end_value(jp);
    }

    jp->path_depth--;

    ngx_http_flowdash_json_pointer_set_place(jp);

    if (json->found == jp->path_depth) {

        /* the object, or the last container of a path that ends early */

        if (jp->levels[jp->path_depth].array) {
            return ngx_http_flowdash_json_pointer_refuse(jp,
                       NGX_HTTP_FLOWDASH_JSON_NO_OBJECT, 0,
                       "an array without the element that leads to the task");
        }

        json->tail = jp->cursor;
        json->empty = (jp->cursor[-1] == '{');
    }

    if (jp->path_depth == json->pointer->nelts) {
        json->object.len = scan->end - json->object.data;
    }

    return ngx_http_flowdash_json_pointer_end_value(jp);
}


static void
ngx_http_flowdash_json_pointer_begin_value(ngx_http_flowdash_json_parser_t *jp)
{
    u_char                          *last, index[NGX_INT_T_LEN];
    ngx_str_t                       *token;
    ngx_http_flowdash_json_level_t  *level;

    if (jp->place == NGX_HTTP_FLOWDASH_JSON_FIELD) {
        jp->value = jp->scan.start;
        return;
    }

    if (jp->place != NGX_HTTP_FLOWDASH_JSON_WAY || jp->path_depth == 0) {
        return;
    }

    level = &jp->levels[jp->path_depth - 1];

    if (!level->array) {
        return;
    }

    token = jp->json->pointer->elts;
    token += jp->path_depth - 1;

    last = ngx_sprintf(index, "%ui", level->elements++);

    if (token->len == (size_t) (last - index)
        && ngx_memcmp(token->data, index, token->len) == 0)
    {
        jp->next = 1;
    }
}


static ngx_int_t
ngx_http_flowdash_json_pointer_end_value(ngx_http_flowdash_json_parser_t *jp)
{
    ngx_int_t                  rc;
    ngx_str_t                  value;
    ngx_http_flowdash_json_t  *json;

    json = jp->json;

    jp->cursor = jp->scan.end;

    if (jp->place != NGX_HTTP_FLOWDASH_JSON_FIELD) {
        return NGX_OK;
    }

    value.data = jp->value;
    value.len = jp->cursor - jp->value;

    rc = json->member(json->data, &jp->name, &jp->spelling, &value);

    if (rc != NGX_DECLINED) {
        return rc;
    }

    if (json->size > json->max_size) {
        return ngx_http_flowdash_json_pointer_large(jp);
    }

    return ngx_http_flowdash_json_pointer_refuse(jp,
                                             NGX_HTTP_FLOWDASH_JSON_DUPLICATE,
                                             json->rule, json->error);
}


static void
ngx_http_flowdash_json_pointer_set_place(ngx_http_flowdash_json_parser_t *jp)
{
    ngx_uint_t  in_task;

    in_task = (jp->path_depth == jp->json->pointer->nelts + 1);

    if (jp->depth == jp->path_depth) {
        jp->place = in_task ? NGX_HTTP_FLOWDASH_JSON_FIELD
                            : NGX_HTTP_FLOWDASH_JSON_WAY;
        return;
    }

    jp->place = (in_task && jp->json->unique) ? NGX_HTTP_FLOWDASH_JSON_VALUE
                                              : NGX_HTTP_FLOWDASH_JSON_BESIDE;
}


/* always returns NGX_OK */

static ngx_int_t
ngx_http_flowdash_json_pointer_refuse(ngx_http_flowdash_json_parser_t *jp,
    ngx_http_flowdash_json_verdict_e verdict, ngx_uint_t rule,
    const char *error)
{
    jp->verdict = verdict;
    jp->json->rule = rule;
    jp->json->error = error;
    jp->json->offset = jp->scan.end - jp->json->text.data;

    return NGX_OK;
}


/* always returns NGX_DECLINED */

static ngx_int_t
ngx_http_flowdash_json_pointer_large(ngx_http_flowdash_json_parser_t *jp)
{
    (void) ngx_http_flowdash_json_pointer_refuse(jp,
                                              NGX_HTTP_FLOWDASH_JSON_LARGE, 0,
                                              "over flowdash_max_fields_size");
    return NGX_DECLINED;
}
