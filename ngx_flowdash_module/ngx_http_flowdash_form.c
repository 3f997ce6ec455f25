
/*
 * Forms: which of their pairs are fields of the task, and how a changed field
 * is said in them.  Pure functions over bytes; no request is needed or known.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_form.h>


/* a new pair of a field */

typedef struct {
    ngx_str_t    path;
    ngx_str_t    text;
} ngx_http_flowdash_form_value_t;


static ngx_int_t ngx_http_flowdash_form_urlencoded_parse_pair(
    ngx_http_flowdash_form_t *form, u_char *text, u_char *p, u_char *last);
static ngx_int_t ngx_http_flowdash_form_urlencoded_add_pair(
    ngx_http_flowdash_form_t *form, ngx_http_flowdash_form_pair_t *known,
    ngx_str_t *field, u_char *text, u_char *p, u_char *last);
static ngx_int_t ngx_http_flowdash_form_urlencoded_semicolons(
    ngx_http_flowdash_form_t *form, u_char *text, u_char *p, u_char *last);
static ngx_int_t ngx_http_flowdash_form_urlencoded_decode(
    ngx_http_flowdash_form_t *form, u_char *p, u_char *last, ngx_str_t *value);
static const char *ngx_http_flowdash_form_name_split(
    ngx_http_flowdash_form_t *form, ngx_str_t *name, ngx_str_t *field,
    ngx_str_t *path, ngx_uint_t *found);
static const char *ngx_http_flowdash_form_name_follow(
    ngx_http_flowdash_form_t *form, ngx_str_t *name, ngx_str_t *field,
    ngx_str_t *path, ngx_uint_t *found);
static ngx_uint_t ngx_http_flowdash_form_name_brackets(ngx_str_t *path);
static ngx_uint_t ngx_http_flowdash_form_name_brackets_balanced(
    ngx_str_t *name);
static ngx_uint_t ngx_http_flowdash_form_name_looks_like(ngx_str_t *name,
    ngx_str_t *token);
static ngx_uint_t ngx_http_flowdash_form_name_next_index(ngx_str_t *key,
    ngx_str_t *token);
static ngx_http_flowdash_form_node_t *ngx_http_flowdash_form_index_walk(
    ngx_http_flowdash_form_t *form, ngx_http_flowdash_form_pair_t *pair,
    ngx_str_t *field);
static ngx_int_t ngx_http_flowdash_form_index_mixed(
    ngx_http_flowdash_form_t *form, ngx_http_flowdash_form_pair_t *pair);
static ngx_http_flowdash_form_node_t *ngx_http_flowdash_form_index_child(
    ngx_http_flowdash_form_t *form, ngx_http_flowdash_form_node_t *parent,
    ngx_str_t *key);
static ngx_http_flowdash_form_node_t *ngx_http_flowdash_form_index_lookup(
    ngx_http_flowdash_form_node_t *parent, ngx_str_t *key);

static size_t ngx_http_flowdash_form_task_length(
    ngx_http_flowdash_form_node_t *node);
static u_char *ngx_http_flowdash_form_task_write(u_char *p,
    ngx_http_flowdash_form_node_t *node);
static size_t ngx_http_flowdash_form_task_pairs_length(
    ngx_http_flowdash_form_node_t *node);
static u_char *ngx_http_flowdash_form_task_write_pairs(u_char *p,
    ngx_http_flowdash_form_node_t *node);

static const char *ngx_http_flowdash_form_check_leaf(
    ngx_http_flowdash_form_t *form, ngx_http_flowdash_json_node_t *leaf,
    size_t *size);
static ngx_int_t ngx_http_flowdash_form_check_file(
    ngx_http_flowdash_form_t *form, ngx_str_t *old, ngx_str_t *new);
static ngx_uint_t ngx_http_flowdash_form_check_same_leaf(
    ngx_http_flowdash_json_node_t *a, ngx_http_flowdash_json_node_t *b);
static ngx_uint_t ngx_http_flowdash_text_equal(ngx_str_t *a, ngx_str_t *b);
static ngx_uint_t ngx_http_flowdash_form_check_can_encode(
    ngx_http_flowdash_form_t *form, ngx_str_t *key);
static ngx_uint_t ngx_http_flowdash_form_check_has_boundary(
    ngx_http_flowdash_form_t *form, ngx_str_t *text);

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


void
ngx_http_flowdash_form_init(ngx_http_flowdash_form_t *form, ngx_pool_t *pool,
    ngx_array_t *pointer, ngx_str_t *boundary, size_t max_size)
{
    ngx_memzero(form, sizeof(ngx_http_flowdash_form_t));

    form->pool = pool;
    form->pointer = pointer;
    form->boundary = *boundary;
    form->max_size = max_size;
    form->empty = 1;

    form->root.object = 1;

    ngx_rbtree_init(&form->root.names, &form->root.sentinel,
                    ngx_str_rbtree_insert_value);
}


ngx_int_t
ngx_http_flowdash_form_urlencoded_parse(ngx_http_flowdash_form_t *form,
    ngx_str_t *text)
{
    u_char     *p, *end, *last;
    ngx_int_t   rc;

    if (ngx_http_flowdash_form_charge(form, text->len) != NGX_OK) {
        return NGX_DECLINED;
    }

    last = text->data + text->len;

    for (p = text->data; p < last; p = end + 1) {

        end = ngx_strlchr(p, last, '&');

        if (end == NULL) {
            end = last;
        }

        if (end == p) {
            continue;
        }

        form->empty = 0;

        rc = ngx_http_flowdash_form_urlencoded_parse_pair(form, text->data, p,
                                                          end);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    form->tail = text->len;
    form->open = (text->len == 0 || last[-1] == '&');

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_form_urlencoded_parse_pair(ngx_http_flowdash_form_t *form,
    u_char *text, u_char *p, u_char *last)
{
    u_char                         *value;
    ngx_int_t                       rc;
    ngx_str_t                       field, name, charset;
    ngx_http_flowdash_form_pair_t   unknown;

    ngx_memzero(&unknown, sizeof(ngx_http_flowdash_form_pair_t));

    value = ngx_strlchr(p, last, '=');

    rc = ngx_http_flowdash_form_urlencoded_decode(form, p,
                                                  value ? value : last, &name);

    if (rc == NGX_DECLINED) {
        return ngx_http_flowdash_form_refuse(form,
                                     NGX_HTTP_FLOWDASH_FORM_MALFORMED,
                                     p - text, "a name with a wrong escape");
    }

    if (rc != NGX_OK) {
        return rc;
    }

    form->offset = p - text;

    if (value && name.len == sizeof("_charset_") - 1
        && ngx_strncmp(name.data, "_charset_", name.len) == 0)
    {
        charset.data = value + 1;
        charset.len = last - charset.data;

        if (!ngx_http_flowdash_text_is_utf8_name(&charset)) {
            return ngx_http_flowdash_form_refuse(form,
                                       NGX_HTTP_FLOWDASH_FORM_CHARSET,
                                       p - text, "\"_charset_\" is not UTF-8");
        }
    }

    unknown.name = name;

    rc = ngx_http_flowdash_form_name(form, &unknown, &field);

    if (rc == NGX_DONE) {
        return ngx_http_flowdash_form_urlencoded_semicolons(form, text, p,
                                                            last);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_strlchr(p, last, ';')) {
        return ngx_http_flowdash_form_refuse(form,
                                     NGX_HTTP_FLOWDASH_FORM_MALFORMED,
                                     p - text, "a field with a semicolon");
    }

    return ngx_http_flowdash_form_urlencoded_add_pair(form, &unknown, &field,
                                                      text, p,
                                                      last);
}


/* a pair of the task, to which its value is added */

static ngx_int_t
ngx_http_flowdash_form_urlencoded_add_pair(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_form_pair_t *known, ngx_str_t *field, u_char *text,
    u_char *p, u_char *last)
{
    u_char                         *value;
    ngx_int_t                       rc;
    ngx_http_flowdash_form_pair_t  *pair;

    if (ngx_http_flowdash_form_charge(form,
                                      sizeof(ngx_http_flowdash_form_pair_t))
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    pair = ngx_palloc(form->pool, sizeof(ngx_http_flowdash_form_pair_t));
    if (pair == NULL) {
        return NGX_ERROR;
    }

    *pair = *known;

    value = ngx_strlchr(p, last, '=');

    pair->bare = (value == NULL);
    pair->start = p - text;
    pair->value = (value ? value + 1 : last) - text;
    pair->last = last - text;

    rc = ngx_http_flowdash_form_urlencoded_decode(form, text + pair->value,
                                                  last,
                                                  &pair->text);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_DECLINED
        || ngx_http_flowdash_text_check_utf8(&pair->text))
    {
        return ngx_http_flowdash_form_refuse(form,
                           NGX_HTTP_FLOWDASH_FORM_MALFORMED, pair->value,
                           "a value with a wrong escape, or not UTF-8");
    }

    return ngx_http_flowdash_form_index_add(form, pair, field);
}


/*
 * Some apps take semicolons for separators, too: then a field could stand
 * behind one.  This is for pairs that are not the task's; of those that are,
 * the values would end there.
 */

static ngx_int_t
ngx_http_flowdash_form_urlencoded_semicolons(ngx_http_flowdash_form_t *form,
    u_char *text, u_char *p, u_char *last)
{
    u_char                         *end, *value;
    ngx_int_t                       rc;
    ngx_str_t                       field;
    ngx_http_flowdash_form_pair_t   pair;

    for ( ;; ) {

        p = ngx_strlchr(p, last, ';');

        if (p == NULL) {
            return NGX_OK;
        }

        p++;

        end = ngx_strlchr(p, last, ';');

        if (end == NULL) {
            end = last;
        }

        value = ngx_strlchr(p, end, '=');

        rc = ngx_http_flowdash_form_urlencoded_decode(form, p,
                                                      value ? value : end,
                                                      &pair.name);

        if (rc == NGX_OK) {
            rc = ngx_http_flowdash_form_name(form, &pair, &field);
        }

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (rc != NGX_DONE) {
            return ngx_http_flowdash_form_refuse(form,
                                   NGX_HTTP_FLOWDASH_FORM_MALFORMED,
                                   p - text, "a field behind a semicolon");
        }
    }
}


/*
 * Returns NGX_OK, NGX_DECLINED if there is a "%" that is no escape, or
 * NGX_ERROR.
 */

static ngx_int_t
ngx_http_flowdash_form_urlencoded_decode(ngx_http_flowdash_form_t *form,
    u_char *p,
    u_char *last, ngx_str_t *value)
{
    u_char     *dst;
    ngx_int_t   c;

    if (ngx_strlchr(p, last, '%') == NULL && ngx_strlchr(p, last, '+') == NULL)
    {
        value->data = p;
        value->len = last - p;
        return NGX_OK;
    }

    dst = ngx_pnalloc(form->pool, last - p);
    if (dst == NULL) {
        return NGX_ERROR;
    }

    value->data = dst;

    for ( /* void */ ; p < last; p++) {

        if (*p == '+') {
            *dst++ = ' ';
            continue;
        }

        if (*p != '%') {
            *dst++ = *p;
            continue;
        }

        if (last - p < 3) {
            return NGX_DECLINED;
        }

        c = ngx_hextoi(p + 1, 2);

        if (c == NGX_ERROR) {
            return NGX_DECLINED;
        }

        *dst++ = (u_char) c;
        p += 2;
    }

    value->len = dst - value->data;

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_form_name(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_form_pair_t *pair, ngx_str_t *field)
{
    ngx_uint_t   found;
    const char  *error;

    error = ngx_http_flowdash_form_name_split(form, &pair->name, field,
                                              &pair->path, &found);

    if (error) {
        return ngx_http_flowdash_form_refuse(form,
                                             NGX_HTTP_FLOWDASH_FORM_MALFORMED,
                                             form->offset, error);
    }

    return found ? NGX_OK : NGX_DONE;
}


/*
 * Apps do not agree on names with stray brackets, spaces or control
 * characters, and some take them for those of fields.  Returns an error, or
 * NULL with "found" set if it is a field.
 */

static const char *
ngx_http_flowdash_form_name_split(ngx_http_flowdash_form_t *form,
    ngx_str_t *name,
    ngx_str_t *field, ngx_str_t *path, ngx_uint_t *found)
{
    const char   *error;
    ngx_array_t  *pointer;

    *found = 0;

    pointer = form->pointer;

    if (!ngx_http_flowdash_form_name_brackets_balanced(name)
        || ngx_http_flowdash_text_check_utf8(name))
    {
        if (pointer->nelts
            && !ngx_http_flowdash_form_name_looks_like(name, pointer->elts))
        {
            return NULL;
        }

        return "a name that is empty, or with stray brackets, spaces or "
               "control characters";
    }

    error = ngx_http_flowdash_form_name_follow(form, name, field, path, found);

    if (error || !*found) {
        return error;
    }

    if (field->len == 0) {
        return "an array where the task should be";
    }

    if (pointer->nelts + ngx_http_flowdash_form_name_brackets(path)
        > NGX_HTTP_FLOWDASH_FORM_DEPTH)
    {
        return "a name with too many brackets";
    }

    return NULL;
}


/*
 * Follows the pointer through the name: the field is what comes behind it, the
 * path what comes behind the field.
 */

static const char *
ngx_http_flowdash_form_name_follow(ngx_http_flowdash_form_t *form,
    ngx_str_t *name,
    ngx_str_t *field, ngx_str_t *path, ngx_uint_t *found)
{
    u_char      *p, *last;
    ngx_str_t   *token, key;
    ngx_uint_t   n;

    token = form->pointer->elts;
    p = name->data;
    last = p + name->len;

    for (n = 0; /* void */ ; n++) {

        if (p == last) {

            /* "?task=7" may well be something else */

            return form->query ? NULL : "a value where the task should be";
        }

        if (n) {
            p++;
        }

        for (key.data = p; p < last && *p != '[' && *p != ']'; p++) {
            /* void */
        }

        key.len = p - key.data;

        if (n) {
            p++;
        }

        if (n == form->pointer->nelts) {
            break;
        }

        if (!ngx_http_flowdash_text_equal(&key, &token[n])) {
            if (n ? ngx_http_flowdash_form_name_next_index(&key, &token[n])
                  : ngx_http_flowdash_form_name_looks_like(name, token))
            {
                return "a name that some apps take for the task's";
            }

            return NULL;
        }
    }

    *found = 1;
    *field = key;

    path->data = p;
    path->len = last - p;

    return NULL;
}


static ngx_uint_t
ngx_http_flowdash_form_name_brackets(ngx_str_t *path)
{
    size_t      i;
    ngx_uint_t  n;

    n = 0;

    for (i = 0; i < path->len; i++) {
        n += (path->data[i] == '[');
    }

    return n;
}


/* root[key][key]..., keys may be empty */

static ngx_uint_t
ngx_http_flowdash_form_name_brackets_balanced(ngx_str_t *name)
{
    u_char      *p, *last;
    ngx_uint_t   inside, behind;

    p = name->data;
    last = p + name->len;

    if (p == last || *p == '[' || *p == ' ') {
        return 0;
    }

    inside = 0;
    behind = 0;

    for ( /* void */ ; p < last; p++) {

        if (*p < 0x20 || *p == 0x7f) {
            return 0;
        }

        if (*p == '[') {

            /* "[ ]" is "[]" to PHP */

            if (inside || (last - p > 1 && p[1] == ' ')) {
                return 0;
            }

            inside = 1;

        } else if (*p == ']') {

            if (!inside) {
                return 0;
            }

            inside = 0;
            behind = 1;

        } else if (behind && !inside) {
            return 0;
        }
    }

    return !inside;
}


/* what Rack skips before a name, and what PHP makes an underscore of */

static ngx_uint_t
ngx_http_flowdash_form_name_looks_like(ngx_str_t *name, ngx_str_t *token)
{
    u_char  *p, *last;
    size_t   i;

    p = name->data;
    last = p + name->len;

    while (p < last && (*p <= ' ' || *p == '[' || *p == ']')) {
        p++;
    }

    if ((size_t) (last - p) < token->len) {
        return 0;
    }

    for (i = 0; i < token->len; i++, p++) {

        if (*p != token->data[i]
            && (token->data[i] != '_'
                || (*p != ' ' && *p != '.' && *p != '[')))
        {
            return 0;
        }
    }

    return p == last || *p <= ' ' || *p == '[' || *p == ']' || *p == 0x7f;
}


/* an empty key that PHP makes a number of, while that is a key to others */

static ngx_uint_t
ngx_http_flowdash_form_name_next_index(ngx_str_t *key, ngx_str_t *token)
{
    return key->len == 0
           && ngx_atoi(token->data, token->len) != NGX_ERROR;
}


ngx_int_t
ngx_http_flowdash_form_index_add(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_form_pair_t *pair, ngx_str_t *field)
{
    ngx_http_flowdash_form_node_t  *node;

    pair->next = NULL;
    pair->again = NULL;

    node = ngx_http_flowdash_form_index_walk(form, pair, field);

    if (node == NULL) {
        return form->verdict ? NGX_DECLINED : NGX_ERROR;
    }

    /* some apps keep files apart, and would take the value alone */

    if (node->array || node->object
        || (node->pair && node->pair->file != pair->file))
    {
        return ngx_http_flowdash_form_index_mixed(form, pair);
    }

    if (node->pair) {
        node->again->again = pair;

    } else {
        node->pair = pair;
    }

    node->again = pair;

    pair->field->end = pair;
    pair->field->file |= pair->file;

    if (form->pairs) {
        form->last->next = pair;

    } else {
        form->pairs = pair;
    }

    form->last = pair;

    return NGX_OK;
}


/*
 * Along a pair's name, to the node of its value.  Returns NULL on error, or
 * with form->verdict set.
 */

static ngx_http_flowdash_form_node_t *
ngx_http_flowdash_form_index_walk(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_form_pair_t *pair, ngx_str_t *field)
{
    u_char                         *p, *last;
    ngx_str_t                       key;
    ngx_http_flowdash_form_node_t  *node;

    key = *field;
    p = pair->path.data;
    last = p + pair->path.len;

    node = &form->root;

    for ( ;; ) {

        if (node != &form->root
            && (node->pair || (key.len ? node->array : node->object)))
        {
            (void) ngx_http_flowdash_form_index_mixed(form, pair);
            return NULL;
        }

        /*
         * PHP makes an element of each a[][b], qs a single one of all, and
         * Rack a new one when the last has that key; a[][] is flat in qs.
         */

        if (key.len == 0 && p < last && (node->first || p[1] == ']')) {
            (void) ngx_http_flowdash_form_refuse(form,
                             NGX_HTTP_FLOWDASH_FORM_MALFORMED, pair->start,
                             "an array that some apps read in another way");
            return NULL;
        }

        node = ngx_http_flowdash_form_index_child(form, node, &key);

        if (node == NULL) {
            return NULL;
        }

        if (pair->field == NULL) {
            pair->field = node;
        }

        if (p == last) {
            return node;
        }

        key.data = ++p;

        while (*p != ']') {
            p++;
        }

        key.len = p++ - key.data;
    }
}


static ngx_int_t
ngx_http_flowdash_form_index_mixed(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_form_pair_t *pair)
{
    return ngx_http_flowdash_form_refuse(form,
                     NGX_HTTP_FLOWDASH_FORM_MALFORMED, pair->start,
                     "a field that is two of value, file, array, object");
}


/*
 * The child of that key, made if there is none; without a key always a new
 * one.  Returns NULL on error, or with form->verdict set.
 */

static ngx_http_flowdash_form_node_t *
ngx_http_flowdash_form_index_child(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_form_node_t *parent, ngx_str_t *key)
{
    ngx_http_flowdash_form_node_t  *node;

    if (key->len) {
        parent->object = 1;

        node = ngx_http_flowdash_form_index_lookup(parent, key);
        if (node) {
            return node;
        }

    } else {
        parent->array = 1;
    }

    if (ngx_http_flowdash_form_charge(form,
                                      sizeof(ngx_http_flowdash_form_node_t))
        != NGX_OK)
    {
        return NULL;
    }

    node = ngx_pcalloc(form->pool, sizeof(ngx_http_flowdash_form_node_t));
    if (node == NULL) {
        return NULL;
    }

    ngx_rbtree_init(&node->names, &node->sentinel,
                    ngx_str_rbtree_insert_value);

    if (parent->first) {
        parent->last->next = node;

    } else {
        parent->first = node;
    }

    parent->last = node;

    if (key->len) {
        node->node.str = *key;
        node->node.node.key = ngx_crc32_long(key->data, key->len);

        ngx_rbtree_insert(&parent->names, &node->node.node);
    }

    return node;
}


static ngx_http_flowdash_form_node_t *
ngx_http_flowdash_form_index_lookup(ngx_http_flowdash_form_node_t *parent,
    ngx_str_t *key)
{
    return (ngx_http_flowdash_form_node_t *)
               ngx_str_rbtree_lookup(&parent->names, key,
                                     ngx_crc32_long(key->data, key->len));
}


ngx_int_t
ngx_http_flowdash_form_charge(ngx_http_flowdash_form_t *form, size_t size)
{
    form->size += size;

    if (form->size > form->max_size) {
        return ngx_http_flowdash_form_refuse(form,
                                    NGX_HTTP_FLOWDASH_FORM_LARGE, form->offset,
                                    "over flowdash_max_fields_size");
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_form_refuse(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_form_verdict_e verdict, off_t offset, const char *error)
{
    form->verdict = verdict;
    form->offset = offset;
    form->error = error;

    return NGX_DECLINED;
}


ngx_uint_t
ngx_http_flowdash_text_is_utf8_name(ngx_str_t *charset)
{
    return (charset->len == sizeof("utf-8") - 1
            && ngx_strncasecmp(charset->data, (u_char *) "utf-8",
                               charset->len)
               == 0)
           || (charset->len == sizeof("utf8") - 1
               && ngx_strncasecmp(charset->data, (u_char *) "utf8",
                                  charset->len)
                  == 0);
}


ngx_int_t
ngx_http_flowdash_form_task(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_task_t *task)
{
    ngx_str_t                          text;
    ngx_uint_t                         i;
    ngx_array_t                       *pointer;
    ngx_list_part_t                   *part;
    ngx_http_flowdash_field_t         *field;
    ngx_http_flowdash_form_node_t     *node;
    ngx_http_flowdash_json_verdict_e   verdict;

    pointer = ngx_array_create(form->pool, 1, sizeof(ngx_str_t));
    if (pointer == NULL) {
        return NGX_ERROR;
    }

    text.data = ngx_pnalloc(form->pool,
                            ngx_http_flowdash_form_task_length(&form->root));
    if (text.data == NULL) {
        return NGX_ERROR;
    }

    text.len = ngx_http_flowdash_form_task_write(text.data, &form->root)
               - text.data;

    if (ngx_http_flowdash_task_init(task, form->pool, &text, pointer, &verdict)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    i = 0;
    part = &task->fields.part;

    while ((field = ngx_http_flowdash_task_next(&part, &i))) {

        node = ngx_http_flowdash_form_index_lookup(&form->root,
                                                   &field->node.str);

        /* some apps take the first of its values, some the last */

        field->ambiguous = (node->pair && node->pair->again && !node->file);
    }

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
            len += ngx_http_flowdash_json_string_length(&child->node.str);
        }
    }

    return len;
}


static u_char *
ngx_http_flowdash_form_task_write(u_char *p,
    ngx_http_flowdash_form_node_t *node)
{
    ngx_http_flowdash_form_node_t  *child;

    if (node->pair) {
        return ngx_http_flowdash_form_task_write_pairs(p, node);
    }

    *p++ = node->object ? '{' : '[';

    for (child = node->first; child; child = child->next) {

        if (child != node->first) {
            *p++ = ',';
        }

        if (node->object) {
            p = ngx_http_flowdash_json_write_string(p, &child->node.str);
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


/* a string, or an array if there are several, or a file outside of one */

static u_char *
ngx_http_flowdash_form_task_write_pairs(u_char *p,
    ngx_http_flowdash_form_node_t *node)
{
    ngx_uint_t                      array;
    ngx_http_flowdash_form_pair_t  *pair;

    array = node->pair->again || (node->pair->file && node->node.str.len);

    if (array) {
        *p++ = '[';
    }

    for (pair = node->pair; pair; pair = pair->again) {

        if (pair != node->pair) {
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


ngx_int_t
ngx_http_flowdash_form_check(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_field_t *field, ngx_str_t *old, const char **error)
{
    size_t                           size, name;
    ngx_int_t                        rc;
    ngx_str_t                       *token;
    ngx_uint_t                       i;
    ngx_array_t                      leaves;
    ngx_http_flowdash_form_node_t   *node;
    ngx_http_flowdash_json_node_t  **leaf;

    node = ngx_http_flowdash_form_index_lookup(&form->root, &field->node.str);

    if (node && node->file) {
        *error = "a file cannot be changed";
        return ngx_http_flowdash_form_check_file(form, old, &field->value);
    }

    *error = "a name that a form cannot have";

    token = form->pointer->elts;
    name = field->node.str.len;

    for (i = 0; i < form->pointer->nelts; i++) {
        if (!ngx_http_flowdash_form_check_can_encode(form, &token[i])) {
            return NGX_DECLINED;
        }

        name += sizeof("[]") - 1 + token[i].len;
    }

    if (!ngx_http_flowdash_form_check_can_encode(form, &field->node.str)) {
        return NGX_DECLINED;
    }

    rc = ngx_http_flowdash_json_leaves(&field->value, &leaves, form->pool);

    if (rc != NGX_OK) {
        *error = "half of a surrogate pair, which a form cannot have";
        return rc;
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

    return NGX_OK;
}


/*
 * Returns what is wrong with a leaf, or NULL.  Each has a pair with the whole
 * name, which makes a form much larger than JSON; "size" is that of all.
 */

static const char *
ngx_http_flowdash_form_check_leaf(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_json_node_t *leaf, size_t *size)
{
    ngx_http_flowdash_json_node_t  *part;

    /* an empty array is said with brackets of its own */

    if (leaf->depth + leaf->array + form->pointer->nelts
        > NGX_HTTP_FLOWDASH_FORM_DEPTH)
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

        if (part->parent->object
            && !ngx_http_flowdash_form_check_can_encode(form, &part->key))
        {
            return "a name that a form cannot have";
        }

        if (part->index) {

            /* what is above it was checked with the first leaf there */

            break;
        }
    }

    if (ngx_http_flowdash_form_check_has_boundary(form, &leaf->text)) {
        return "a value with the form's boundary in it";
    }

    return NULL;
}


/* an endpoint may say the file again, in a spelling of its own */

static ngx_int_t
ngx_http_flowdash_form_check_file(ngx_http_flowdash_form_t *form,
    ngx_str_t *old, ngx_str_t *new)
{
    ngx_uint_t                       i, n;
    ngx_array_t                      was, is;
    ngx_http_flowdash_json_node_t  **a, **b;

    if (ngx_http_flowdash_json_leaves(old, &was, form->pool) == NGX_ERROR
        || ngx_http_flowdash_json_leaves(new, &is, form->pool) == NGX_ERROR)
    {
        return NGX_ERROR;
    }

    if (was.nelts != is.nelts) {
        return NGX_DECLINED;
    }

    a = was.elts;
    b = is.elts;

    for (i = 0; i < was.nelts; i++) {

        /* members may be in another order, but mostly they are not */

        for (n = 0; n < is.nelts; n++) {
            if (ngx_http_flowdash_form_check_same_leaf(a[i],
                                                       b[(i + n) % is.nelts]))
            {
                break;
            }
        }

        if (n == is.nelts) {
            return NGX_DECLINED;
        }
    }

    return NGX_DONE;
}


static ngx_uint_t
ngx_http_flowdash_form_check_same_leaf(ngx_http_flowdash_json_node_t *a,
    ngx_http_flowdash_json_node_t *b)
{
    if (!ngx_http_flowdash_text_equal(&a->text, &b->text)
        || a->string != b->string || a->depth != b->depth)
    {
        return 0;
    }

    for ( /* void */ ; a->parent; a = a->parent, b = b->parent) {

        if (a->array != b->array || a->object != b->object
            || a->parent->array != b->parent->array)
        {
            return 0;
        }

        if (a->parent->array) {

            if (a->index != b->index) {
                return 0;
            }

        } else if (!ngx_http_flowdash_text_equal(&a->key, &b->key)) {
            return 0;
        }
    }

    return 1;
}


static ngx_uint_t
ngx_http_flowdash_text_equal(ngx_str_t *a, ngx_str_t *b)
{
    return a->len == b->len
           && (a->len == 0 || ngx_memcmp(a->data, b->data, a->len) == 0);
}


/* as a part of a name */

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

        if (*p < 0x20 || *p == 0x7f || *p == '[' || *p == ']') {
            return 0;
        }

        if (form->boundary.len && (*p == '"' || *p == '\\')) {
            return 0;
        }
    }

    return !ngx_http_flowdash_form_check_has_boundary(form, key);
}


static ngx_uint_t
ngx_http_flowdash_form_check_has_boundary(ngx_http_flowdash_form_t *form,
    ngx_str_t *text)
{
    u_char  *p, *last;
    size_t   len;

    len = form->boundary.len;

    if (len == 0 || text->len < len) {
        return 0;
    }

    last = text->data + text->len - len;

    for (p = text->data; p <= last; p++) {
        if (ngx_memcmp(p, form->boundary.data, len) == 0) {
            return 1;
        }
    }

    return 0;
}


ngx_array_t *
ngx_http_flowdash_form_edits(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_task_t *task)
{
    ngx_uint_t                      i;
    ngx_array_t                    *edits;
    ngx_list_part_t                *part;
    ngx_http_flowdash_field_t      *field;
    ngx_http_flowdash_form_node_t  *node;
    ngx_http_flowdash_form_pair_t  *pair;

    edits = ngx_array_create(form->pool, 4,
                             sizeof(ngx_http_flowdash_form_edit_t));
    if (edits == NULL) {
        return NULL;
    }

    i = 0;
    part = &task->fields.part;

    while ((field = ngx_http_flowdash_task_next(&part, &i))) {

        if (field->place.data == NULL
            || ngx_http_flowdash_text_equal(&field->value, &field->place))
        {
            continue;
        }

        node = ngx_http_flowdash_form_index_lookup(&form->root,
                                                   &field->node.str);

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
 * The pairs that say a JSON value.  A flat array is said as it was sent, by
 * repeating the name, or else with empty brackets.
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

    if (ngx_http_flowdash_json_leaves(json, &leaves, form->pool) != NGX_OK) {
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


/* the brackets that lead to a leaf */

static ngx_int_t
ngx_http_flowdash_form_edit_path(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_json_node_t *leaf, ngx_str_t *path)
{
    u_char                         *p, index[NGX_INT_T_LEN];
    size_t                          len;
    ngx_http_flowdash_json_node_t  *node;

    /* an empty array as one empty element */

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
    ngx_uint_t                       i;
    ngx_http_flowdash_form_node_t   *node;
    ngx_http_flowdash_form_value_t  *value;

    node = pair->field;
    value = node->values->elts;
    i = node->written++;

    separator = form->boundary.len ? sizeof(CRLF) - 1 : sizeof("&") - 1;

    if (i >= node->values->nelts) {

        /* there is another before it, so that there is a separator, too */

        ngx_str_set(&text, "");

        return ngx_http_flowdash_form_edit_add(form, edits,
                                               pair->start - separator,
                                               pair->last, &text);
    }

    if (!ngx_http_flowdash_text_equal(&value[i].path, &pair->path)) {
        if (ngx_http_flowdash_form_edit_encode_pair(form, &node->node.str,
                                                    &value[i], &text)
            != NGX_OK
            || ngx_http_flowdash_form_edit_add(form, edits, pair->start,
                                               pair->last, &text)
               != NGX_OK)
        {
            return NGX_ERROR;
        }

    } else if (!ngx_http_flowdash_text_equal(&value[i].text, &pair->text)) {
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

        if (ngx_http_flowdash_form_edit_encode_pair(form, &node->node.str,
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


/* a pair with its separator, behind another */

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

        /* there is nothing but the closing delimiter */

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
    ngx_list_part_t                 *part;
    ngx_http_flowdash_field_t       *field;
    ngx_http_flowdash_form_value_t  *value;

    open = form->open;

    i = 0;
    part = &task->fields.part;

    while ((field = ngx_http_flowdash_task_next(&part, &i))) {

        if (field->place.data) {
            continue;
        }

        values = ngx_http_flowdash_form_edit_values(form, &field->value, 0);
        if (values == NULL) {
            return NGX_ERROR;
        }

        value = values->elts;

        for (n = 0; n < values->nelts; n++) {

            if (ngx_http_flowdash_form_edit_encode_pair(form, &field->node.str,
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


/* a whole pair: name=value, or a part with its delimiter */

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


ngx_int_t
ngx_http_flowdash_form_urlencoded_write(ngx_http_flowdash_form_t *form,
    ngx_str_t *text,
    ngx_array_t *edits, ngx_str_t *result)
{
    off_t                           offset;
    u_char                         *p;
    ngx_uint_t                      i;
    ngx_http_flowdash_form_edit_t  *edit;

    edit = edits->elts;

    result->len = text->len;

    for (i = 0; i < edits->nelts; i++) {
        result->len += edit[i].text.len - (edit[i].last - edit[i].start);
    }

    p = ngx_pnalloc(form->pool, result->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    result->data = p;
    offset = 0;

    for (i = 0; i < edits->nelts; i++) {
        p = ngx_cpymem(p, text->data + offset, edit[i].start - offset);
        p = ngx_cpymem(p, edit[i].text.data, edit[i].text.len);
        offset = edit[i].last;
    }

    ngx_memcpy(p, text->data + offset, text->len - offset);

    return NGX_OK;
}
