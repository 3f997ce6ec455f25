
/*
 * Follows a pointer through a JSON text.  Whether a selector fits an object is
 * known at its end only, so the rest of the path is followed in each.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_strict.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_json_names.h>
#include <ngx_http_flowdash_json_match.h>
#include <ngx_http_flowdash_json_path.h>


static void ngx_http_flowdash_json_path_wanted(
    ngx_http_flowdash_json_path_t *path, ngx_str_t *name,
    ngx_str_t *spelling);
static void ngx_http_flowdash_json_path_refuse_name(
    ngx_http_flowdash_json_path_t *path);
static void ngx_http_flowdash_json_path_judge(
    ngx_http_flowdash_json_path_t *path, ngx_str_t *text);
static void ngx_http_flowdash_json_path_open(
    ngx_http_flowdash_json_path_t *path, u_char *start, ngx_uint_t array);
static void ngx_http_flowdash_json_path_found(
    ngx_http_flowdash_json_path_t *path, u_char *start);
static void ngx_http_flowdash_json_path_end_level(
    ngx_http_flowdash_json_path_t *path);
static u_char *ngx_http_flowdash_json_path_begin_value(
    ngx_http_flowdash_json_path_t *path);
static ngx_uint_t ngx_http_flowdash_json_path_is_next(
    ngx_http_flowdash_json_path_t *path);
static ngx_http_flowdash_json_place_e ngx_http_flowdash_json_path_place(
    ngx_http_flowdash_json_path_t *path);
static ngx_http_flowdash_token_t *ngx_http_flowdash_json_path_token(
    ngx_http_flowdash_json_path_t *path, ngx_uint_t n);
static ngx_uint_t ngx_http_flowdash_json_path_is_selector(
    ngx_http_flowdash_token_t *token);
static u_char *ngx_http_flowdash_json_path_position(
    ngx_http_flowdash_json_path_t *path);


void
ngx_http_flowdash_json_path_name(ngx_http_flowdash_json_path_t *path,
    ngx_str_t *name)
{
    u_char                          *end;
    ngx_str_t                        spelling;
    ngx_http_flowdash_json_place_e   place;

    end = ngx_http_flowdash_json_path_position(path);

    spelling.data = ngx_http_flowdash_json_skip(path->cursor, ',');
    spelling.len = end - spelling.data;

    path->cursor = end;

    place = ngx_http_flowdash_json_path_place(path);

    if (place == NGX_HTTP_FLOWDASH_JSON_WAY) {
        ngx_http_flowdash_json_path_wanted(path, name, &spelling);
        return;
    }

    if (ngx_http_flowdash_json_names_check(&path->names, path->depth, place,
                                           name, &spelling, NULL)
        != NGX_OK)
    {
        ngx_http_flowdash_json_path_refuse_name(path);
    }
}


/*
 * On the way, an object is searched for the next token's name, or for that of
 * the selector that may fit it, or for both.
 */

static void
ngx_http_flowdash_json_path_wanted(ngx_http_flowdash_json_path_t *path,
    ngx_str_t *name, ngx_str_t *spelling)
{
    ngx_uint_t                       i;
    ngx_http_flowdash_token_t       *wanted[2];
    ngx_http_flowdash_json_path_level_t  *level;

    level = &path->levels[path->path_depth - 1];

    wanted[0] = ngx_http_flowdash_json_path_token(path, path->path_depth - 1);
    wanted[1] = level->element
                ? ngx_http_flowdash_json_path_token(path, path->path_depth - 2)
                : NULL;

    for (i = 0; i < 2; i++) {

        if (wanted[i]
            && ngx_http_flowdash_json_names_check(&path->names, path->depth,
                                                  NGX_HTTP_FLOWDASH_JSON_WAY,
                                                  name, spelling,
                                                  &wanted[i]->name)
               != NGX_OK)
        {
            ngx_http_flowdash_json_path_refuse_name(path);
            return;
        }
    }

    path->next = (wanted[0]
                  && ngx_http_flowdash_text_equal(name, &wanted[0]->name));
    path->judge = (wanted[1]
                   && ngx_http_flowdash_text_equal(name, &wanted[1]->name));

    if ((path->next && level->named) || (path->judge && level->judged)) {
        ngx_http_flowdash_json_path_refuse(path,
                   NGX_HTTP_FLOWDASH_JSON_DUPLICATE, 0,
                   "a name on the way to the value occurs twice");
        return;
    }

    level->named |= path->next;
    level->judged |= path->judge;
}


static void
ngx_http_flowdash_json_path_refuse_name(ngx_http_flowdash_json_path_t *path)
{
    if (*path->names.size > path->names.max_size) {
        path->stopped = 1;
        ngx_http_flowdash_json_path_refuse(path, NGX_HTTP_FLOWDASH_JSON_LARGE,
                                           0, "over flowdash_max_fields_size");
        return;
    }

    ngx_http_flowdash_json_path_refuse(path, NGX_HTTP_FLOWDASH_JSON_DUPLICATE,
                                       path->names.rule, path->names.error);
}


void
ngx_http_flowdash_json_path_scalar(ngx_http_flowdash_json_path_t *path,
    ngx_str_t *text)
{
    u_char                     *start;
    ngx_uint_t                  n;
    ngx_http_flowdash_token_t  *last;

    start = ngx_http_flowdash_json_path_begin_value(path);

    path->cursor = ngx_http_flowdash_json_path_position(path);

    if (path->judge) {
        path->judge = 0;
        ngx_http_flowdash_json_path_judge(path, text);
    }

    n = path->path_depth;
    last = n ? ngx_http_flowdash_json_path_token(path, n - 1) : NULL;

    /* a scalar fits no selector */

    if (path->next && n == path->pointer->nelts
        && !ngx_http_flowdash_json_path_is_selector(last))
    {
        ngx_http_flowdash_json_path_found(path, start);
    }

    path->next = 0;
}


/* compares a member of an object with the selector that may fit it */

static void
ngx_http_flowdash_json_path_judge(ngx_http_flowdash_json_path_t *path,
    ngx_str_t *text)
{
    ngx_http_flowdash_token_t       *selector;
    ngx_http_flowdash_json_match_e   match;

    selector = ngx_http_flowdash_json_path_token(path, path->path_depth - 2);

    match = ngx_http_flowdash_json_match(text, &selector->value);

    if (match == NGX_HTTP_FLOWDASH_JSON_SAME) {
        path->levels[path->path_depth - 1].fits = 1;

    } else if (match == NGX_HTTP_FLOWDASH_JSON_SIMILAR
               && (path->names.strict & NGX_HTTP_FLOWDASH_STRICT_MEANING))
    {
        ngx_http_flowdash_json_path_refuse(path,
                   NGX_HTTP_FLOWDASH_JSON_DUPLICATE,
                   NGX_HTTP_FLOWDASH_STRICT_MEANING,
                   "a value that some apps take for the selected one");
    }
}


void
ngx_http_flowdash_json_path_start(ngx_http_flowdash_json_path_t *path,
    ngx_uint_t array)
{
    u_char  *start;

    start = ngx_http_flowdash_json_path_begin_value(path);

    path->cursor = ngx_http_flowdash_json_path_position(path);
    path->depth++;

    if (path->judge && (path->names.strict & NGX_HTTP_FLOWDASH_STRICT_MEANING))
    {
        /* to JavaScript, ["7"] is "7" where it wants a string */

        ngx_http_flowdash_json_path_refuse(path,
                   NGX_HTTP_FLOWDASH_JSON_DUPLICATE,
                   NGX_HTTP_FLOWDASH_STRICT_MEANING,
                   "an array or object where a selector looks for a value");
        return;
    }

    if (path->next) {
        ngx_http_flowdash_json_path_open(path, start, array);
    }

    path->judge = 0;
    path->next = 0;

    if (ngx_http_flowdash_json_names_start(&path->names, path->depth,
                                       ngx_http_flowdash_json_path_place(path))
        != NGX_OK)
    {
        ngx_http_flowdash_json_path_refuse_name(path);
    }
}


/* a container on the way: it is the value, or searched for it */

static void
ngx_http_flowdash_json_path_open(ngx_http_flowdash_json_path_t *path,
    u_char *start, ngx_uint_t array)
{
    ngx_uint_t                       n, element;
    ngx_http_flowdash_json_path_level_t  *level;

    n = path->path_depth;

    element = n && ngx_http_flowdash_json_path_is_selector(
                            ngx_http_flowdash_json_path_token(path, n - 1));

    if (element && array) {

        /* it has no members to be selected by */

        return;
    }

    if (n == path->pointer->nelts && !element) {
        path->target = start;
        path->target_depth = path->depth;
        return;
    }

    level = &path->levels[n];

    ngx_memzero(level, sizeof(ngx_http_flowdash_json_path_level_t));

    level->start = start;
    level->array = array;
    level->element = element;

    path->path_depth++;
}


void
ngx_http_flowdash_json_path_end(ngx_http_flowdash_json_path_t *path)
{
    ngx_uint_t  depth;

    ngx_http_flowdash_json_names_end(&path->names,
                                     ngx_http_flowdash_json_path_place(path));

    path->cursor = ngx_http_flowdash_json_path_position(path);

    depth = path->depth--;

    if (path->target == NULL) {

        if (depth == path->path_depth) {
            ngx_http_flowdash_json_path_end_level(path);
        }

        return;
    }

    if (depth == path->target_depth) {
        ngx_http_flowdash_json_path_found(path, path->target);
        path->target = NULL;
    }
}


/* the value begins at "start", and ends here */

static void
ngx_http_flowdash_json_path_found(ngx_http_flowdash_json_path_t *path,
    u_char *start)
{
    ngx_str_t  *value;

    value = path->path_depth ? &path->levels[path->path_depth - 1].value
                             : &path->value;

    value->data = start;
    value->len = path->cursor - start;
}


/* what was found goes to the level above, unless a selector does not fit */

static void
ngx_http_flowdash_json_path_end_level(ngx_http_flowdash_json_path_t *path)
{
    ngx_str_t                        value;
    ngx_http_flowdash_json_path_level_t  *level, *outer;

    level = &path->levels[--path->path_depth];

    value = level->value;

    if (path->path_depth == 0) {
        path->value = value;
        return;
    }

    outer = level - 1;

    if (level->element) {

        if (!level->fits) {
            return;
        }

        if (outer->chosen) {
            ngx_http_flowdash_json_path_refuse(path,
                       NGX_HTTP_FLOWDASH_JSON_DUPLICATE, 0,
                       "two members that one selector fits");
            return;
        }

        outer->chosen = 1;

        if (path->path_depth == path->pointer->nelts) {
            value.data = level->start;
            value.len = path->cursor - level->start;
        }
    }

    outer->value = value;
}


/* returns where a value begins, and sets path->next if it is on the way */

static u_char *
ngx_http_flowdash_json_path_begin_value(ngx_http_flowdash_json_path_t *path)
{
    u_char  *p;

    /* behind a colon, a comma, or nothing */

    p = ngx_http_flowdash_json_skip(path->cursor, ' ');

    if (*p == ':' || *p == ',') {
        p = ngx_http_flowdash_json_skip(p, *p);
    }

    if (path->target == NULL && path->depth && path->depth == path->path_depth
        && ngx_http_flowdash_json_path_is_next(path))
    {
        path->next = 1;
    }

    return p;
}


/* names are compared before; this is for elements, and for selectors */

static ngx_uint_t
ngx_http_flowdash_json_path_is_next(ngx_http_flowdash_json_path_t *path)
{
    u_char                          *last, index[NGX_INT_T_LEN];
    ngx_http_flowdash_token_t       *token;
    ngx_http_flowdash_json_path_level_t  *level;

    token = ngx_http_flowdash_json_path_token(path, path->path_depth - 1);

    if (ngx_http_flowdash_json_path_is_selector(token)) {
        return 1;
    }

    level = &path->levels[path->path_depth - 1];

    if (!level->array) {
        return 0;
    }

    last = ngx_sprintf(index, "%ui", level->elements++);

    return token->name.len == (size_t) (last - index)
           && ngx_memcmp(token->name.data, index, token->name.len) == 0;
}


/* where the members of the innermost container are */

static ngx_http_flowdash_json_place_e
ngx_http_flowdash_json_path_place(ngx_http_flowdash_json_path_t *path)
{
    ngx_http_flowdash_token_t  *token;

    if (path->target) {
        return path->unique ? NGX_HTTP_FLOWDASH_JSON_VALUE
                            : NGX_HTTP_FLOWDASH_JSON_BESIDE;
    }

    if (path->depth != path->path_depth) {
        return NGX_HTTP_FLOWDASH_JSON_BESIDE;
    }

    token = ngx_http_flowdash_json_path_token(path, path->path_depth - 1);

    /* a selector looks at all members, so that no name may occur twice */

    return ngx_http_flowdash_json_path_is_selector(token)
           ? NGX_HTTP_FLOWDASH_JSON_VALUE : NGX_HTTP_FLOWDASH_JSON_WAY;
}


/* returns NULL at the end of the pointer */

static ngx_http_flowdash_token_t *
ngx_http_flowdash_json_path_token(ngx_http_flowdash_json_path_t *path,
    ngx_uint_t n)
{
    ngx_http_flowdash_token_t  *token;

    if (n >= path->pointer->nelts) {
        return NULL;
    }

    token = path->pointer->elts;

    return &token[n];
}


static ngx_uint_t
ngx_http_flowdash_json_path_is_selector(ngx_http_flowdash_token_t *token)
{
    return token && token->value.data;
}


static u_char *
ngx_http_flowdash_json_path_position(ngx_http_flowdash_json_path_t *path)
{
    return path->text.data + (path->yajl ? yajl_get_bytes_consumed(path->yajl)
                                         : path->text.len);
}


void
ngx_http_flowdash_json_path_refuse(ngx_http_flowdash_json_path_t *path,
    ngx_http_flowdash_json_verdict_e verdict, ngx_uint_t rule,
    const char *error)
{
    path->verdict = verdict;
    path->rule = rule;
    path->error = error;
    path->offset = ngx_http_flowdash_json_path_position(path)
                   - path->text.data;
}
