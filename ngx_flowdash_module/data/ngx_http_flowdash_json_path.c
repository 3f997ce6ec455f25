
/*
 * Follows a pointer through a JSON text.  Whether a selector fits an object is
 * known at its end only, so the rest of the path is followed in each.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_strict.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_json_scan.h>
#include <ngx_http_flowdash_json_names.h>
#include <ngx_http_flowdash_json_match.h>
#include <ngx_http_flowdash_json_path.h>


static void ngx_http_flowdash_json_path_refuse(
    ngx_http_flowdash_json_path_t *path,
    ngx_http_flowdash_json_verdict_e verdict, ngx_uint_t rule,
    const char *error);
static ngx_int_t ngx_http_flowdash_json_path_wanted(
    ngx_http_flowdash_json_path_t *path);
static ngx_int_t ngx_http_flowdash_json_path_check(
    ngx_http_flowdash_json_path_t *path, ngx_http_flowdash_json_place_e place,
    ngx_str_t *wanted);
static ngx_int_t ngx_http_flowdash_json_path_judge(
    ngx_http_flowdash_json_path_t *path);
static void ngx_http_flowdash_json_path_open(
    ngx_http_flowdash_json_path_t *path);
static void ngx_http_flowdash_json_path_found(
    ngx_http_flowdash_json_path_t *path, u_char *start);
static void ngx_http_flowdash_json_path_end_level(
    ngx_http_flowdash_json_path_t *path);
static void ngx_http_flowdash_json_path_begin_value(
    ngx_http_flowdash_json_path_t *path);
static ngx_uint_t ngx_http_flowdash_json_path_is_next(
    ngx_http_flowdash_json_path_t *path);
static ngx_http_flowdash_json_place_e ngx_http_flowdash_json_path_place(
    ngx_http_flowdash_json_path_t *path);
static ngx_http_flowdash_token_t *ngx_http_flowdash_json_path_token(
    ngx_http_flowdash_json_path_t *path, ngx_uint_t n);
static ngx_uint_t ngx_http_flowdash_json_path_is_selector(
    ngx_http_flowdash_token_t *token);


ngx_int_t
ngx_http_flowdash_json_path_name(ngx_http_flowdash_json_path_t *path)
{
    ngx_http_flowdash_json_place_e  place;

    place = ngx_http_flowdash_json_path_place(path);

    return (place == NGX_HTTP_FLOWDASH_JSON_WAY)
           ? ngx_http_flowdash_json_path_wanted(path)
           : ngx_http_flowdash_json_path_check(path, place, NULL);
}


/*
 * On the way, an object is searched for the next token's name, or for that of
 * the selector that may fit it, or for both.
 */

static ngx_int_t
ngx_http_flowdash_json_path_wanted(ngx_http_flowdash_json_path_t *path)
{
    ngx_int_t                        rc;
    ngx_str_t                       *name;
    ngx_uint_t                       i;
    ngx_http_flowdash_token_t       *wanted[2];
    ngx_http_flowdash_json_path_level_t  *level;

    level = &path->levels[path->path_depth - 1];

    wanted[0] = ngx_http_flowdash_json_path_token(path, path->path_depth - 1);
    wanted[1] = level->element
                ? ngx_http_flowdash_json_path_token(path, path->path_depth - 2)
                : NULL;

    for (i = 0; i < 2; i++) {

        if (wanted[i] == NULL) {
            continue;
        }

        rc = ngx_http_flowdash_json_path_check(path,
                                               NGX_HTTP_FLOWDASH_JSON_WAY,
                                               &wanted[i]->name);

        if (rc != NGX_OK || path->verdict) {
            return rc;
        }
    }

    name = &path->names.name;

    path->next = (wanted[0]
                  && ngx_http_flowdash_text_equal(name, &wanted[0]->name));
    path->judge = (wanted[1]
                   && ngx_http_flowdash_text_equal(name, &wanted[1]->name));

    if ((path->next && level->named) || (path->judge && level->judged)) {
        ngx_http_flowdash_json_path_refuse(path,
                   NGX_HTTP_FLOWDASH_JSON_DUPLICATE, 0,
                   "a name on the way to the value occurs twice");
        return NGX_OK;
    }

    level->named |= path->next;
    level->judged |= path->judge;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_json_path_check(ngx_http_flowdash_json_path_t *path,
    ngx_http_flowdash_json_place_e place, ngx_str_t *wanted)
{
    ngx_int_t  rc;

    rc = ngx_http_flowdash_json_names_check(&path->names, path->depth, place,
                                            path->scan, wanted);

    if (rc != NGX_DECLINED) {
        return rc;
    }

    if (*path->names.size > path->names.max_size) {
        ngx_http_flowdash_json_path_refuse(path, NGX_HTTP_FLOWDASH_JSON_LARGE,
                                           0, "over flowdash_max_fields_size");
        return NGX_DECLINED;
    }

    ngx_http_flowdash_json_path_refuse(path, NGX_HTTP_FLOWDASH_JSON_DUPLICATE,
                                       path->names.rule, path->names.error);
    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_json_path_scalar(ngx_http_flowdash_json_path_t *path)
{
    ngx_uint_t                  n;
    ngx_http_flowdash_token_t  *last;

    ngx_http_flowdash_json_path_begin_value(path);

    if (path->judge) {
        path->judge = 0;

        if (ngx_http_flowdash_json_path_judge(path) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    n = path->path_depth;
    last = n ? ngx_http_flowdash_json_path_token(path, n - 1) : NULL;

    /* a scalar fits no selector */

    if (path->next && n == path->pointer->nelts
        && !ngx_http_flowdash_json_path_is_selector(last))
    {
        ngx_http_flowdash_json_path_found(path, path->scan->start);
    }

    path->next = 0;

    return NGX_OK;
}


/* compares a member of an object with the selector that may fit it */

static ngx_int_t
ngx_http_flowdash_json_path_judge(ngx_http_flowdash_json_path_t *path)
{
    ngx_str_t                        text;
    ngx_http_flowdash_token_t       *selector;
    ngx_http_flowdash_json_match_e   match;

    text.data = path->scan->start;
    text.len = path->scan->end - path->scan->start;

    if (text.data[0] == '"'
        && ngx_http_flowdash_json_decode(&text, &text, path->pool) != NGX_OK)
    {
        return NGX_ERROR;
    }

    selector = ngx_http_flowdash_json_path_token(path, path->path_depth - 2);

    match = ngx_http_flowdash_json_match(&text, &selector->value);

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

    return NGX_OK;
}


void
ngx_http_flowdash_json_path_start(ngx_http_flowdash_json_path_t *path)
{
    ngx_http_flowdash_json_path_begin_value(path);

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
        ngx_http_flowdash_json_path_open(path);
    }

    path->judge = 0;
    path->next = 0;

    ngx_http_flowdash_json_names_start(&path->names, path->depth);
}


/* a container on the way: it is the value, or searched for it */

static void
ngx_http_flowdash_json_path_open(ngx_http_flowdash_json_path_t *path)
{
    ngx_uint_t                       n, array, element;
    ngx_http_flowdash_json_path_level_t  *level;

    n = path->path_depth;
    array = (*path->scan->start == '[');

    element = n && ngx_http_flowdash_json_path_is_selector(
                            ngx_http_flowdash_json_path_token(path, n - 1));

    if (element && array) {

        /* it has no members to be selected by */

        return;
    }

    if (n == path->pointer->nelts && !element) {
        path->target = path->scan->start;
        path->target_depth = path->depth;
        return;
    }

    level = &path->levels[n];

    ngx_memzero(level, sizeof(ngx_http_flowdash_json_path_level_t));

    level->start = path->scan->start;
    level->array = array;
    level->element = element;

    path->path_depth++;
}


void
ngx_http_flowdash_json_path_end(ngx_http_flowdash_json_path_t *path)
{
    ngx_uint_t  depth;

    ngx_http_flowdash_json_names_end(&path->names, path->depth);

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
    value->len = path->scan->end - start;
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
            value.len = path->scan->end - level->start;
        }
    }

    outer->value = value;
}


/* sets path->next if the value that begins is on the way */

static void
ngx_http_flowdash_json_path_begin_value(ngx_http_flowdash_json_path_t *path)
{
    if (path->target == NULL && path->depth && path->depth == path->path_depth
        && ngx_http_flowdash_json_path_is_next(path))
    {
        path->next = 1;
    }
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


/* at the place where the scanner is */

static void
ngx_http_flowdash_json_path_refuse(ngx_http_flowdash_json_path_t *path,
    ngx_http_flowdash_json_verdict_e verdict, ngx_uint_t rule,
    const char *error)
{
    path->verdict = verdict;
    path->rule = rule;
    path->error = error;
    path->offset = path->scan->end - path->scan->text.data;
}
