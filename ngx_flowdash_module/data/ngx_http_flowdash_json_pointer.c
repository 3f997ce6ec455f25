
/*
 * Finds an object in a JSON text by an RFC 6901 pointer, and its members.
 * yajl parses; this follows the path of the pointer and remembers places.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_strict.h>
#include <ngx_http_flowdash_json.h>
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
    ngx_uint_t                         stopped;  /* unsigned  stopped:1; */
    ngx_http_flowdash_json_memory_t    memory;
    yajl_handle                        yajl;
    ngx_pool_t                        *pool;     /* for the members' names */

    u_char                            *cursor;   /* after the last token */
    ngx_uint_t                         depth;

    ngx_http_flowdash_json_level_t    *levels;
    ngx_uint_t                         path_depth;  /* open levels */
    ngx_uint_t                         next;     /* next value is a level */

    ngx_http_flowdash_json_names_t     names;

    ngx_str_t                          name;     /* the member being read */
    ngx_str_t                          spelling;
    u_char                            *value;
} ngx_http_flowdash_json_parser_t;


static int ngx_http_flowdash_json_pointer_null(void *data);
static int ngx_http_flowdash_json_pointer_boolean(void *data, int value);
static int ngx_http_flowdash_json_pointer_number(void *data, const char *p,
    size_t len);
static int ngx_http_flowdash_json_pointer_string(void *data, const u_char *p,
    size_t len);
static int ngx_http_flowdash_json_pointer_start_map(void *data);
static int ngx_http_flowdash_json_pointer_start_array(void *data);
static int ngx_http_flowdash_json_pointer_map_key(void *data, const u_char *p,
    size_t len);
static int ngx_http_flowdash_json_pointer_set_name(
    ngx_http_flowdash_json_parser_t *jp, const u_char *p, size_t len);
static int ngx_http_flowdash_json_pointer_scalar(
    ngx_http_flowdash_json_parser_t *jp);
static int ngx_http_flowdash_json_pointer_start(
    ngx_http_flowdash_json_parser_t *jp, ngx_uint_t array);
static int ngx_http_flowdash_json_pointer_end(void *data);
static void ngx_http_flowdash_json_pointer_begin_value(
    ngx_http_flowdash_json_parser_t *jp);
static int ngx_http_flowdash_json_pointer_end_value(
    ngx_http_flowdash_json_parser_t *jp);
static ngx_http_flowdash_json_place_e ngx_http_flowdash_json_pointer_place(
    ngx_http_flowdash_json_parser_t *jp);
static u_char *ngx_http_flowdash_json_pointer_position(
    ngx_http_flowdash_json_parser_t *jp);
static int ngx_http_flowdash_json_pointer_refuse(
    ngx_http_flowdash_json_parser_t *jp,
    ngx_http_flowdash_json_verdict_e verdict, ngx_uint_t rule,
    const char *error);
static int ngx_http_flowdash_json_pointer_stop(
    ngx_http_flowdash_json_parser_t *jp,
    ngx_http_flowdash_json_verdict_e verdict);


static const yajl_callbacks  ngx_http_flowdash_json_pointer_callbacks = {
    ngx_http_flowdash_json_pointer_null,
    ngx_http_flowdash_json_pointer_boolean,
    NULL,                                  /* integer */
    NULL,                                  /* double */
    ngx_http_flowdash_json_pointer_number,
    ngx_http_flowdash_json_pointer_string,
    ngx_http_flowdash_json_pointer_start_map,
    ngx_http_flowdash_json_pointer_map_key,
    ngx_http_flowdash_json_pointer_end,            /* end map */
    ngx_http_flowdash_json_pointer_start_array,
    ngx_http_flowdash_json_pointer_end             /* end array */
};


ngx_int_t
ngx_http_flowdash_json_pointer_parse(ngx_http_flowdash_json_t *json,
    ngx_http_flowdash_json_verdict_e *verdict, ngx_pool_t *pool)
{
    u_char                           *bad;
    size_t                            offset;
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

    bad = ngx_http_flowdash_json_check_text(&json->text);

    if (bad) {
        json->error = "a byte that is not allowed in JSON or UTF-8";
        json->offset = bad - json->text.data;
        return NGX_OK;
    }

    ngx_memzero(&jp, sizeof(ngx_http_flowdash_json_parser_t));

    jp.json = json;
    jp.pool = pool;
    jp.cursor = json->text.data;
    jp.next = 1;

    jp.levels = ngx_pcalloc(pool, (json->pointer->nelts + 1)
                                  * sizeof(ngx_http_flowdash_json_level_t));
    if (jp.levels == NULL) {
        return NGX_ERROR;
    }

    jp.names.text = &json->text;
    jp.names.strict = json->strict;
    jp.names.memory = &jp.memory;
    jp.names.size = &json->size;
    jp.names.max_size = json->max_size;

    rc = ngx_http_flowdash_json_run(&jp.memory,
                                    &ngx_http_flowdash_json_pointer_callbacks,
                                    &jp, &jp.yajl, &json->text, &offset,
                                    pool->log);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_DECLINED && !jp.stopped) {
        json->error = "not JSON";
        json->offset = offset;
        json->rule = 0;
        jp.verdict = NGX_HTTP_FLOWDASH_JSON_MALFORMED;
    }

    *verdict = jp.verdict;

    return NGX_OK;
}


static int
ngx_http_flowdash_json_pointer_null(void *data)
{
    return ngx_http_flowdash_json_pointer_scalar(data);
}


static int
ngx_http_flowdash_json_pointer_boolean(void *data, int value)
{
    return ngx_http_flowdash_json_pointer_scalar(data);
}


static int
ngx_http_flowdash_json_pointer_number(void *data, const char *p, size_t len)
{
    return ngx_http_flowdash_json_pointer_scalar(data);
}


static int
ngx_http_flowdash_json_pointer_string(void *data, const u_char *p, size_t len)
{
    return ngx_http_flowdash_json_pointer_scalar(data);
}


static int
ngx_http_flowdash_json_pointer_start_map(void *data)
{
    return ngx_http_flowdash_json_pointer_start(data, 0);
}


static int
ngx_http_flowdash_json_pointer_start_array(void *data)
{
    return ngx_http_flowdash_json_pointer_start(data, 1);
}


static int
ngx_http_flowdash_json_pointer_map_key(void *data, const u_char *p, size_t len)
{
    ngx_http_flowdash_json_parser_t *jp = data;

    u_char                          *end;
    ngx_str_t                        name, spelling, *token;
    ngx_http_flowdash_json_place_e   place;

    if (jp->verdict) {
        return 1;
    }

    end = ngx_http_flowdash_json_pointer_position(jp);

    spelling.data = ngx_http_flowdash_json_skip(jp->cursor, ',');
    spelling.len = end - spelling.data;

    jp->cursor = end;

    name.data = (u_char *) p;
    name.len = len;

    token = jp->json->pointer->elts;
    token += jp->path_depth - 1;

    place = ngx_http_flowdash_json_pointer_place(jp);

    if (ngx_http_flowdash_json_names_check(&jp->names, jp->depth, place, &name,
                                           &spelling, token)
        != NGX_OK)
    {
        if (jp->json->size > jp->json->max_size) {
            return ngx_http_flowdash_json_pointer_stop(jp,
                                                NGX_HTTP_FLOWDASH_JSON_LARGE);
        }

        return ngx_http_flowdash_json_pointer_refuse(jp,
                   NGX_HTTP_FLOWDASH_JSON_DUPLICATE, jp->names.rule,
                   jp->names.error);
    }

    if (place == NGX_HTTP_FLOWDASH_JSON_FIELD) {
        jp->spelling = spelling;
        return ngx_http_flowdash_json_pointer_set_name(jp, p, len);
    }

    if (place != NGX_HTTP_FLOWDASH_JSON_WAY
        || !ngx_http_flowdash_text_equal(&name, token))
    {
        return 1;
    }

    if (jp->json->found >= jp->path_depth) {
        return ngx_http_flowdash_json_pointer_refuse(jp,
                   NGX_HTTP_FLOWDASH_JSON_DUPLICATE, 0,
                   "a name on the way to the task occurs twice");
    }

    jp->next = 1;

    return 1;
}


/* yajl reuses its memory for the next string that has an escape */

static int
ngx_http_flowdash_json_pointer_set_name(ngx_http_flowdash_json_parser_t *jp,
    const u_char *p, size_t len)
{
    jp->name.len = len;
    jp->name.data = jp->spelling.data + 1;

    if (p == jp->name.data) {
        return 1;
    }

    if (ngx_http_flowdash_json_pointer_charge(jp->json, len) != NGX_OK) {
        return ngx_http_flowdash_json_pointer_stop(jp,
                                                NGX_HTTP_FLOWDASH_JSON_LARGE);
    }

    ngx_http_flowdash_json_copy(&jp->memory, jp->pool, &jp->name, p, len);

    return 1;
}


static int
ngx_http_flowdash_json_pointer_scalar(ngx_http_flowdash_json_parser_t *jp)
{
    if (jp->verdict) {
        return 1;
    }

    ngx_http_flowdash_json_pointer_begin_value(jp);

    if (jp->next) {
        return ngx_http_flowdash_json_pointer_refuse(jp,
                   NGX_HTTP_FLOWDASH_JSON_NO_OBJECT, 0,
                   "not an object where the task should be");
    }

    return ngx_http_flowdash_json_pointer_end_value(jp);
}


static int
ngx_http_flowdash_json_pointer_start(ngx_http_flowdash_json_parser_t *jp,
    ngx_uint_t array)
{
    ngx_http_flowdash_json_t  *json;

    /* also after a refusal, since yajl's memory grows with the depth */

    if (jp->depth == NGX_HTTP_FLOWDASH_JSON_DEPTH) {
        return ngx_http_flowdash_json_pointer_stop(jp,
                                                 NGX_HTTP_FLOWDASH_JSON_DEEP);
    }

    if (jp->verdict) {
        jp->depth++;
        return 1;
    }

    json = jp->json;

    ngx_http_flowdash_json_pointer_begin_value(jp);

    jp->cursor = ngx_http_flowdash_json_pointer_position(jp);

    if (jp->depth == 0) {
        json->map = !array;
    }

    jp->depth++;

    if (ngx_http_flowdash_json_names_start(&jp->names, jp->depth,
                                      ngx_http_flowdash_json_pointer_place(jp))
        != NGX_OK)
    {
        return ngx_http_flowdash_json_pointer_stop(jp,
                                                NGX_HTTP_FLOWDASH_JSON_LARGE);
    }

    if (!jp->next) {
        return 1;
    }

    jp->next = 0;

    json->found = jp->path_depth;

    if (jp->path_depth == json->pointer->nelts) {

        if (array) {
            return ngx_http_flowdash_json_pointer_refuse(jp,
                       NGX_HTTP_FLOWDASH_JSON_NO_OBJECT, 0,
                       "an array where the task should be");
        }

        json->object.data = jp->cursor - 1;
    }

    jp->levels[jp->path_depth].array = array;
    jp->levels[jp->path_depth].elements = 0;
    jp->path_depth++;

    return 1;
}


static int
ngx_http_flowdash_json_pointer_end(void *data)
{
    ngx_http_flowdash_json_parser_t *jp = data;

    u_char                    *end;
    ngx_http_flowdash_json_t  *json;

    if (jp->verdict) {
        jp->depth--;
        return 1;
    }

    json = jp->json;

    ngx_http_flowdash_json_names_end(&jp->names,
                                     ngx_http_flowdash_json_pointer_place(jp));

    if (jp->depth-- != jp->path_depth) {
        return ngx_http_flowdash_json_pointer_end_value(jp);
    }

    jp->path_depth--;

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
        end = ngx_http_flowdash_json_pointer_position(jp);
        json->object.len = end - json->object.data;
    }

    return ngx_http_flowdash_json_pointer_end_value(jp);
}


static void
ngx_http_flowdash_json_pointer_begin_value(ngx_http_flowdash_json_parser_t *jp)
{
    u_char                          *last, index[NGX_INT_T_LEN];
    ngx_str_t                       *token;
    ngx_http_flowdash_json_level_t  *level;
    ngx_http_flowdash_json_place_e   place;

    place = ngx_http_flowdash_json_pointer_place(jp);

    if (place == NGX_HTTP_FLOWDASH_JSON_FIELD) {
        jp->value = ngx_http_flowdash_json_skip(jp->cursor, ':');
        return;
    }

    if (place != NGX_HTTP_FLOWDASH_JSON_WAY || jp->path_depth == 0) {
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


static int
ngx_http_flowdash_json_pointer_end_value(ngx_http_flowdash_json_parser_t *jp)
{
    ngx_int_t                  rc;
    ngx_str_t                  value;
    ngx_http_flowdash_json_t  *json;

    json = jp->json;

    jp->cursor = ngx_http_flowdash_json_pointer_position(jp);

    if (ngx_http_flowdash_json_pointer_place(jp)
        != NGX_HTTP_FLOWDASH_JSON_FIELD)
    {
        return 1;
    }

    value.data = jp->value;
    value.len = jp->cursor - jp->value;

    rc = json->member(json->data, &jp->name, &jp->spelling, &value);

    if (rc == NGX_ERROR) {
        longjmp(jp->memory.exhausted, 1);
    }

    if (rc == NGX_DECLINED) {

        if (json->size > json->max_size) {
            return ngx_http_flowdash_json_pointer_stop(jp,
                                                NGX_HTTP_FLOWDASH_JSON_LARGE);
        }

        return ngx_http_flowdash_json_pointer_refuse(jp,
                                             NGX_HTTP_FLOWDASH_JSON_DUPLICATE,
                                             json->rule, json->error);
    }

    return 1;
}


/* where the members of the innermost container are */

static ngx_http_flowdash_json_place_e
ngx_http_flowdash_json_pointer_place(ngx_http_flowdash_json_parser_t *jp)
{
    ngx_uint_t  in_task;

    in_task = (jp->path_depth == jp->json->pointer->nelts + 1);

    if (jp->depth == jp->path_depth) {
        return in_task ? NGX_HTTP_FLOWDASH_JSON_FIELD
                       : NGX_HTTP_FLOWDASH_JSON_WAY;
    }

    return (in_task && jp->json->unique) ? NGX_HTTP_FLOWDASH_JSON_VALUE
                                         : NGX_HTTP_FLOWDASH_JSON_BESIDE;
}


static u_char *
ngx_http_flowdash_json_pointer_position(ngx_http_flowdash_json_parser_t *jp)
{
    ngx_str_t  *text;

    text = &jp->json->text;

    return text->data + (jp->yajl ? yajl_get_bytes_consumed(jp->yajl)
                                  : text->len);
}


/*
 * Parsing continues after a refusal: if the text turns out not to be JSON,
 * that is the better error.
 */

static int
ngx_http_flowdash_json_pointer_refuse(ngx_http_flowdash_json_parser_t *jp,
    ngx_http_flowdash_json_verdict_e verdict, ngx_uint_t rule,
    const char *error)
{
    jp->verdict = verdict;
    jp->json->rule = rule;
    jp->json->error = error;
    jp->json->offset = ngx_http_flowdash_json_pointer_position(jp)
                       - jp->json->text.data;

    return 1;
}


/* what would need too much memory or time is not even read to its end */

static int
ngx_http_flowdash_json_pointer_stop(ngx_http_flowdash_json_parser_t *jp,
    ngx_http_flowdash_json_verdict_e verdict)
{
    (void) ngx_http_flowdash_json_pointer_refuse(jp, verdict, 0,
                                       verdict == NGX_HTTP_FLOWDASH_JSON_DEEP
                                       ? "nested too deep"
                                       : "over flowdash_max_fields_size");
    jp->stopped = 1;

    return 0;
}


ngx_int_t
ngx_http_flowdash_json_pointer_charge(ngx_http_flowdash_json_t *json,
    size_t size)
{
    json->size += size;

    return (json->size > json->max_size) ? NGX_DECLINED : NGX_OK;
}
