
/*
 * Finds an object in a JSON text by an RFC 6901 pointer, and its members.
 * yajl parses; this follows the path of the pointer and remembers places.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_json.h>
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
static ngx_uint_t ngx_http_flowdash_json_pointer_at_member(
    ngx_http_flowdash_json_parser_t *jp);
static ngx_uint_t ngx_http_flowdash_json_pointer_at_path(
    ngx_http_flowdash_json_parser_t *jp);
static u_char *ngx_http_flowdash_json_pointer_position(
    ngx_http_flowdash_json_parser_t *jp);
static u_char *ngx_http_flowdash_json_pointer_skip(u_char *p, u_char c);
static int ngx_http_flowdash_json_pointer_refuse(
    ngx_http_flowdash_json_parser_t *jp,
    ngx_http_flowdash_json_verdict_e verdict, const char *error);
static int ngx_http_flowdash_json_pointer_stop(
    ngx_http_flowdash_json_parser_t *jp,
    ngx_http_flowdash_json_verdict_e verdict, const char *error);


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

    bad = ngx_http_flowdash_json_check_text(&json->text);

    if (bad) {
        json->error = "a byte that JSON in UTF-8 does not have";
        json->offset = bad - json->text.data;
        *verdict = NGX_HTTP_FLOWDASH_JSON_MALFORMED;
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

    u_char     *end;
    ngx_str_t  *token;

    if (jp->verdict) {
        return 1;
    }

    end = ngx_http_flowdash_json_pointer_position(jp);

    if (jp->depth != jp->path_depth) {
        jp->cursor = end;
        return 1;
    }

    jp->spelling.data = ngx_http_flowdash_json_pointer_skip(jp->cursor, ',');
    jp->spelling.len = end - jp->spelling.data;

    jp->cursor = end;

    if (ngx_http_flowdash_json_lone_surrogate(&jp->spelling)) {
        return ngx_http_flowdash_json_pointer_refuse(jp,
                   NGX_HTTP_FLOWDASH_JSON_DUPLICATE,
                   "half of a surrogate pair in a name");
    }

    if (ngx_http_flowdash_json_pointer_at_member(jp)) {
        return ngx_http_flowdash_json_pointer_set_name(jp, p, len);
    }

    token = jp->json->pointer->elts;
    token += jp->path_depth - 1;

    if (len != token->len || ngx_memcmp(p, token->data, len) != 0) {
        return 1;
    }

    if (jp->json->found >= jp->path_depth) {
        return ngx_http_flowdash_json_pointer_refuse(jp,
                   NGX_HTTP_FLOWDASH_JSON_DUPLICATE,
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
                                             NGX_HTTP_FLOWDASH_JSON_LARGE,
                                             "over flowdash_max_fields_size");
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
                   NGX_HTTP_FLOWDASH_JSON_NO_OBJECT,
                   "not an object where the task should be");
    }

    return ngx_http_flowdash_json_pointer_end_value(jp);
}


static int
ngx_http_flowdash_json_pointer_start(ngx_http_flowdash_json_parser_t *jp,
    ngx_uint_t array)
{
    ngx_http_flowdash_json_t  *json;

    /* yajl's memory grows with the depth, so this holds after a refusal, too */

    if (jp->depth == NGX_HTTP_FLOWDASH_JSON_DEPTH) {
        return ngx_http_flowdash_json_pointer_stop(jp,
                                                   NGX_HTTP_FLOWDASH_JSON_DEEP,
                                                   "nested too deep");
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

    if (!jp->next) {
        return 1;
    }

    jp->next = 0;

    json->found = jp->path_depth;

    if (jp->path_depth == json->pointer->nelts) {

        if (array) {
            return ngx_http_flowdash_json_pointer_refuse(jp,
                       NGX_HTTP_FLOWDASH_JSON_NO_OBJECT,
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

    if (jp->depth-- != jp->path_depth) {
        return ngx_http_flowdash_json_pointer_end_value(jp);
    }

    jp->path_depth--;

    if (json->found == jp->path_depth) {

        /* the object, or the last container of a path that ends early */

        if (jp->levels[jp->path_depth].array) {
            return ngx_http_flowdash_json_pointer_refuse(jp,
                       NGX_HTTP_FLOWDASH_JSON_NO_OBJECT,
                       "an array without the element on the way to the task");
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

    if (ngx_http_flowdash_json_pointer_at_member(jp)) {
        jp->value = ngx_http_flowdash_json_pointer_skip(jp->cursor, ':');
        return;
    }

    if (!ngx_http_flowdash_json_pointer_at_path(jp)) {
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

    if (!ngx_http_flowdash_json_pointer_at_member(jp)) {
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
                                             NGX_HTTP_FLOWDASH_JSON_LARGE,
                                             "over flowdash_max_fields_size");
        }

        return ngx_http_flowdash_json_pointer_refuse(jp,
                   NGX_HTTP_FLOWDASH_JSON_DUPLICATE,
                   "a field's name occurs twice");
    }

    return 1;
}


/* whether this is directly inside the object */

static ngx_uint_t
ngx_http_flowdash_json_pointer_at_member(ngx_http_flowdash_json_parser_t *jp)
{
    return jp->depth == jp->path_depth
           && jp->path_depth == jp->json->pointer->nelts + 1;
}


/*
 * Whether this is directly inside a container that is searched for a token of
 * the pointer.
 */

static ngx_uint_t
ngx_http_flowdash_json_pointer_at_path(ngx_http_flowdash_json_parser_t *jp)
{
    return jp->path_depth && jp->depth == jp->path_depth
           && jp->path_depth <= jp->json->pointer->nelts;
}


static u_char *
ngx_http_flowdash_json_pointer_position(ngx_http_flowdash_json_parser_t *jp)
{
    return jp->json->text.data + yajl_get_bytes_consumed(jp->yajl);
}


/* skips white space and one "c", as yajl has checked */

static u_char *
ngx_http_flowdash_json_pointer_skip(u_char *p, u_char c)
{
    while (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r' || *p == c) {
        p++;
    }

    return p;
}


/*
 * Parsing continues after a refusal: if the text turns out not to be JSON,
 * that is the better error.
 */

static int
ngx_http_flowdash_json_pointer_refuse(ngx_http_flowdash_json_parser_t *jp,
    ngx_http_flowdash_json_verdict_e verdict, const char *error)
{
    jp->verdict = verdict;
    jp->json->error = error;
    jp->json->offset = yajl_get_bytes_consumed(jp->yajl);

    return 1;
}


/* what would need too much memory or time is not even read to its end */

static int
ngx_http_flowdash_json_pointer_stop(ngx_http_flowdash_json_parser_t *jp,
    ngx_http_flowdash_json_verdict_e verdict, const char *error)
{
    (void) ngx_http_flowdash_json_pointer_refuse(jp, verdict, error);

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
