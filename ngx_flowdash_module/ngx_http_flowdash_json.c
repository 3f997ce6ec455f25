
/*
 * JSON texts: where an object and its members stand in them.  yajl does the
 * parsing; what is kept here is the way along the pointer, and places.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_json.h>

#include <setjmp.h>
#include <yajl/yajl_parse.h>


/* yajl does not check its allocations: a failed one must not return to it */

typedef struct {
    ngx_pool_t                        *pool;
    jmp_buf                            exhausted;
} ngx_http_flowdash_json_memory_t;


/*
 * A container on the way of the pointer: level N is searched for token N, and
 * the level behind the last token is the object itself.
 */

typedef struct {
    ngx_uint_t                         array;    /* unsigned  array:1; */
    ngx_uint_t                         elements;
} ngx_http_flowdash_json_level_t;


typedef struct {
    ngx_http_flowdash_json_t          *json;
    ngx_http_flowdash_json_verdict_e   verdict;
    ngx_http_flowdash_json_memory_t    memory;
    yajl_handle                        yajl;
    ngx_pool_t                        *pool;     /* for what is reported */

    u_char                            *cursor;   /* behind the last token */
    ngx_uint_t                         depth;

    ngx_http_flowdash_json_level_t    *levels;
    ngx_uint_t                         path_depth;  /* levels that are open */
    ngx_uint_t                         next;     /* the next value is one */

    ngx_str_t                          name;     /* the member being read */
    ngx_str_t                          spelling;
    u_char                            *value;
} ngx_http_flowdash_json_parser_t;


typedef struct {
    ngx_http_flowdash_json_memory_t    memory;
    yajl_handle                        yajl;
    ngx_str_t                         *value;
    ngx_pool_t                        *pool;
    ngx_int_t                          rc;
} ngx_http_flowdash_json_decoder_t;


typedef struct {
    ngx_http_flowdash_json_memory_t    memory;
    yajl_handle                        yajl;
    ngx_pool_t                        *pool;
    ngx_array_t                       *leaves;
    ngx_http_flowdash_json_node_t     *parent;
    ngx_str_t                          key;
} ngx_http_flowdash_json_splitter_t;


static ngx_int_t ngx_http_flowdash_json_run(
    ngx_http_flowdash_json_memory_t *memory, const yajl_callbacks *callbacks,
    void *data, yajl_handle *yajl, ngx_str_t *text, size_t *offset,
    ngx_log_t *log);
static void *ngx_http_flowdash_json_malloc(void *data, size_t size);
static void *ngx_http_flowdash_json_realloc(void *data, void *p, size_t size);
static void ngx_http_flowdash_json_free(void *data, void *p);

static int ngx_http_flowdash_json_pointer_null(void *data);
static int ngx_http_flowdash_json_pointer_boolean(void *data, int value);
static int ngx_http_flowdash_json_pointer_number(void *data, const char *p,
    size_t len);
static int ngx_http_flowdash_json_pointer_string(void *data, const u_char *p,
    size_t len);
static int ngx_http_flowdash_json_pointer_start_map(void *data);
static int ngx_http_flowdash_json_pointer_map_key(void *data, const u_char *p,
    size_t len);
static int ngx_http_flowdash_json_pointer_start_array(void *data);
static int ngx_http_flowdash_json_pointer_end(void *data);

static void ngx_http_flowdash_json_pointer_set_name(
    ngx_http_flowdash_json_parser_t *jp, const u_char *p, size_t len);
static int ngx_http_flowdash_json_pointer_scalar(
    ngx_http_flowdash_json_parser_t *jp);
static int ngx_http_flowdash_json_pointer_start(
    ngx_http_flowdash_json_parser_t *jp, ngx_uint_t array);
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
static ngx_uint_t ngx_http_flowdash_json_lone_surrogate(ngx_str_t *spelling);
static u_char *ngx_http_flowdash_json_check_text(ngx_str_t *text);
static size_t ngx_http_flowdash_text_utf8_length(u_char *p, u_char *last);

static int ngx_http_flowdash_json_decoded(void *data, const u_char *p,
    size_t len);

static int ngx_http_flowdash_json_leaves_null(void *data);
static int ngx_http_flowdash_json_leaves_boolean(void *data, int value);
static int ngx_http_flowdash_json_leaves_number(void *data, const char *p,
    size_t len);
static int ngx_http_flowdash_json_leaves_string(void *data, const u_char *p,
    size_t len);
static int ngx_http_flowdash_json_leaves_start_map(void *data);
static int ngx_http_flowdash_json_leaves_map_key(void *data, const u_char *p,
    size_t len);
static int ngx_http_flowdash_json_leaves_start_array(void *data);
static int ngx_http_flowdash_json_leaves_end(void *data);
static ngx_http_flowdash_json_node_t *ngx_http_flowdash_json_leaves_add(
    ngx_http_flowdash_json_splitter_t *splitter, const void *p, size_t len);
static void ngx_http_flowdash_json_leaves_leaf(
    ngx_http_flowdash_json_splitter_t *splitter,
    ngx_http_flowdash_json_node_t *node);
static int ngx_http_flowdash_json_leaves_start(
    ngx_http_flowdash_json_splitter_t *splitter, ngx_uint_t array);
static void ngx_http_flowdash_json_copy(
    ngx_http_flowdash_json_memory_t *memory, ngx_pool_t *pool, ngx_str_t *dst,
    const void *p, size_t len);


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


static const yajl_callbacks  ngx_http_flowdash_json_decode_callbacks = {
    NULL,                                  /* null */
    NULL,                                  /* boolean */
    NULL,                                  /* integer */
    NULL,                                  /* double */
    NULL,                                  /* number */
    ngx_http_flowdash_json_decoded,        /* string */
    NULL,                                  /* start map */
    NULL,                                  /* map key */
    NULL,                                  /* end map */
    NULL,                                  /* start array */
    NULL                                   /* end array */
};


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

    if (rc == NGX_DECLINED && jp.verdict != NGX_HTTP_FLOWDASH_JSON_DEEP) {
        json->error = "not JSON";
        json->offset = offset;
        jp.verdict = NGX_HTTP_FLOWDASH_JSON_MALFORMED;
    }

    *verdict = jp.verdict;

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_json_decode(ngx_str_t *text, ngx_str_t *value,
    ngx_pool_t *pool)
{
    size_t                            offset;
    ngx_int_t                         rc;
    ngx_http_flowdash_json_decoder_t  decoder;

    if (text->len < 2 || text->data[0] != '"') {
        return NGX_DECLINED;
    }

    if (ngx_strlchr(text->data, text->data + text->len, '\\') == NULL) {
        value->data = text->data + 1;
        value->len = text->len - 2;
        return NGX_OK;
    }

    decoder.value = value;
    decoder.pool = pool;
    decoder.rc = NGX_DECLINED;

    rc = ngx_http_flowdash_json_run(&decoder.memory,
                                    &ngx_http_flowdash_json_decode_callbacks,
                                    &decoder, &decoder.yajl, text, &offset,
                                    pool->log);

    return (rc == NGX_OK) ? decoder.rc : rc;
}


/*
 * Returns NGX_OK if the text is JSON and no callback refused it, NGX_DECLINED
 * with the offset if not, NGX_ERROR if memory ran out, whoever noticed.
 */

static ngx_int_t
ngx_http_flowdash_json_run(ngx_http_flowdash_json_memory_t *memory,
    const yajl_callbacks *callbacks, void *data, yajl_handle *yajl,
    ngx_str_t *text, size_t *offset, ngx_log_t *log)
{
    yajl_status       status;
    yajl_alloc_funcs  alloc;

    memory->pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE / 4, log);
    if (memory->pool == NULL) {
        return NGX_ERROR;
    }

    if (setjmp(memory->exhausted) != 0) {
        ngx_destroy_pool(memory->pool);
        return NGX_ERROR;
    }

    alloc.malloc = ngx_http_flowdash_json_malloc;
    alloc.realloc = ngx_http_flowdash_json_realloc;
    alloc.free = ngx_http_flowdash_json_free;
    alloc.ctx = memory;

    *yajl = yajl_alloc(callbacks, &alloc, data);

    status = yajl_parse(*yajl, text->data, text->len);
    *offset = yajl_get_bytes_consumed(*yajl);

    if (status == yajl_status_ok) {
        status = yajl_complete_parse(*yajl);
        *offset = text->len;
    }

    /* what yajl has allocated goes with the pool */

    ngx_destroy_pool(memory->pool);

    return (status == yajl_status_ok) ? NGX_OK : NGX_DECLINED;
}


static void *
ngx_http_flowdash_json_malloc(void *data, size_t size)
{
    ngx_http_flowdash_json_memory_t *memory = data;

    size_t  *p;

    /* the size is kept in front for realloc() */

    p = ngx_palloc(memory->pool, sizeof(size_t) + size);
    if (p == NULL) {
        longjmp(memory->exhausted, 1);
    }

    *p = size;

    return p + 1;
}


static void *
ngx_http_flowdash_json_realloc(void *data, void *p, size_t size)
{
    void    *new;
    size_t  *old;

    new = ngx_http_flowdash_json_malloc(data, size);

    if (p) {
        old = (size_t *) p - 1;
        ngx_memcpy(new, p, ngx_min(*old, size));
        ngx_http_flowdash_json_free(data, p);
    }

    return new;
}


static void
ngx_http_flowdash_json_free(void *data, void *p)
{
    ngx_http_flowdash_json_memory_t *memory = data;

    if (p) {
        (void) ngx_pfree(memory->pool, (size_t *) p - 1);
    }
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
        ngx_http_flowdash_json_pointer_set_name(jp, p, len);
        return 1;
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


/* what yajl has decoded is lost with the next string that has an escape */

static void
ngx_http_flowdash_json_pointer_set_name(ngx_http_flowdash_json_parser_t *jp,
    const u_char *p, size_t len)
{
    jp->name.len = len;
    jp->name.data = jp->spelling.data + 1;

    if (p == jp->name.data) {
        return;
    }

    ngx_http_flowdash_json_copy(&jp->memory, jp->pool, &jp->name, p, len);
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

    if (jp->verdict) {
        return 1;
    }

    json = jp->json;

    ngx_http_flowdash_json_pointer_begin_value(jp);

    jp->cursor = ngx_http_flowdash_json_pointer_position(jp);

    if (jp->depth == 0) {
        json->map = !array;
    }

    if (jp->depth++ == NGX_HTTP_FLOWDASH_JSON_DEPTH) {
        (void) ngx_http_flowdash_json_pointer_refuse(jp,
                                                   NGX_HTTP_FLOWDASH_JSON_DEEP,
                                                   "nested too deep");
        return 0;
    }

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
        return 1;
    }

    json = jp->json;

    if (jp->depth-- != jp->path_depth) {
        return ngx_http_flowdash_json_pointer_end_value(jp);
    }

    jp->path_depth--;

    if (json->found == jp->path_depth) {

        /* the object, or the last container on a way that has ended short */

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
        return ngx_http_flowdash_json_pointer_refuse(jp,
                   NGX_HTTP_FLOWDASH_JSON_DUPLICATE,
                   "a field's name occurs twice");
    }

    return 1;
}


/* directly inside the object */

static ngx_uint_t
ngx_http_flowdash_json_pointer_at_member(ngx_http_flowdash_json_parser_t *jp)
{
    return jp->depth == jp->path_depth
           && jp->path_depth == jp->json->pointer->nelts + 1;
}


/* directly inside a container in which a token of the pointer is looked up */

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


/* to the next token over white space and one "c"; yajl has checked the rest */

static u_char *
ngx_http_flowdash_json_pointer_skip(u_char *p, u_char c)
{
    while (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r' || *p == c) {
        p++;
    }

    return p;
}


/*
 * The parse goes on after a refusal: whether a text is JSON at all counts
 * more than what it says.
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


/*
 * yajl decodes halves of surrogate pairs to "?", so that two names would be
 * taken for one.
 */

static ngx_uint_t
ngx_http_flowdash_json_lone_surrogate(ngx_str_t *spelling)
{
    u_char      *p, *last;
    ngx_int_t    code;
    ngx_uint_t   high;

    high = 0;
    last = spelling->data + spelling->len;

    for (p = spelling->data; p < last; p++) {

        if (*p != '\\') {
            if (high) {
                return 1;
            }

            continue;
        }

        if (*++p != 'u') {
            if (high) {
                return 1;
            }

            continue;
        }

        code = ngx_hextoi(p + 1, 4);
        p += 4;

        if (high != ((code & 0xfc00) == 0xdc00)) {
            return 1;
        }

        high = ((code & 0xfc00) == 0xd800);
    }

    return high;
}


static int
ngx_http_flowdash_json_decoded(void *data, const u_char *p, size_t len)
{
    ngx_http_flowdash_json_decoder_t *decoder = data;

    ngx_http_flowdash_json_copy(&decoder->memory, decoder->pool,
                                decoder->value, p, len);
    decoder->rc = NGX_OK;

    return 1;
}


ngx_int_t
ngx_http_flowdash_json_leaves(ngx_str_t *text, ngx_array_t *leaves,
    ngx_pool_t *pool)
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
    ngx_str_null(&splitter.key);

    rc = ngx_http_flowdash_json_run(&splitter.memory,
                                    &ngx_http_flowdash_json_leaves_callbacks,
                                    &splitter, &splitter.yajl, text, &offset,
                                    pool->log);

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
    }

    return node;
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


static void
ngx_http_flowdash_json_copy(ngx_http_flowdash_json_memory_t *memory,
    ngx_pool_t *pool, ngx_str_t *dst, const void *p, size_t len)
{
    dst->data = ngx_pnalloc(pool, len);
    if (dst->data == NULL) {
        longjmp(memory->exhausted, 1);
    }

    ngx_memcpy(dst->data, p, len);
    dst->len = len;
}


size_t
ngx_http_flowdash_json_string_length(ngx_str_t *s)
{
    if (ngx_http_flowdash_text_check_utf8(s)) {
        return 0;
    }

    return s->len + ngx_escape_json(NULL, s->data, s->len) + 2;
}


u_char *
ngx_http_flowdash_json_write_string(u_char *p, ngx_str_t *s)
{
    *p++ = '"';
    p = (u_char *) ngx_escape_json(p, s->data, s->len);
    *p++ = '"';

    return p;
}


u_char *
ngx_http_flowdash_text_check_utf8(ngx_str_t *s)
{
    u_char  *p, *last;
    size_t   len;

    last = s->data + s->len;

    for (p = s->data; p < last; p += len) {

        len = ngx_http_flowdash_text_utf8_length(p, last);

        if (len == 0) {
            return p;
        }
    }

    return NULL;
}


/* yajl takes vertical tabs and form feeds for white space, JSON does not */

static u_char *
ngx_http_flowdash_json_check_text(ngx_str_t *text)
{
    u_char  *p, *last;

    last = text->data + text->len;

    for (p = text->data; p < last; p++) {

        if (*p < 0x20 && *p != '\t' && *p != '\n' && *p != '\r') {
            return p;
        }
    }

    return ngx_http_flowdash_text_check_utf8(text);
}


/*
 * The length of the character at "p", 0 if there is none.  Stricter than both
 * yajl and ngx_utf8_decode(): see Table 3-7 of the Unicode standard.
 */

static size_t
ngx_http_flowdash_text_utf8_length(u_char *p, u_char *last)
{
    u_char  c, low, high;
    size_t  len, i;

    c = *p;

    if (c < 0x80) {
        return 1;
    }

    if (c < 0xc2 || c > 0xf4) {
        return 0;
    }

    len = (c < 0xe0) ? 2 : (c < 0xf0) ? 3 : 4;

    if ((size_t) (last - p) < len) {
        return 0;
    }

    low = (c == 0xe0) ? 0xa0 : (c == 0xf0) ? 0x90 : 0x80;
    high = (c == 0xed) ? 0x9f : (c == 0xf4) ? 0x8f : 0xbf;

    if (p[1] < low || p[1] > high) {
        return 0;
    }

    for (i = 2; i < len; i++) {
        if (p[i] < 0x80 || p[i] > 0xbf) {
            return 0;
        }
    }

    return len;
}


ngx_uint_t
ngx_http_flowdash_text_is_json_type(ngx_str_t *type)
{
    u_char  *p, *last;
    size_t   len;

    p = type->data;
    last = ngx_strlchr(p, p + type->len, ';');

    if (last == NULL) {
        last = p + type->len;
    }

    while (last > p && (last[-1] == ' ' || last[-1] == '\t')) {
        last--;
    }

    len = last - p;

    if (len == sizeof("application/json") - 1
        && ngx_strncasecmp(p, (u_char *) "application/json", len) == 0)
    {
        return 1;
    }

    if (len == sizeof("text/json") - 1
        && ngx_strncasecmp(p, (u_char *) "text/json", len) == 0)
    {
        return 1;
    }

    return len > sizeof("+json") - 1
           && ngx_strlchr(p, last, '/') != NULL
           && ngx_strncasecmp(last - 5, (u_char *) "+json", 5) == 0;
}
