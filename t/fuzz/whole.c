
/*
 * The whole path: a client's request through nginx and the module, to an
 * endpoint by both engines, and on to the app.  What endpoint, app and client
 * get is compared with what plain models of JSON and of forms say.
 *
 * The texts: settings, method, query, Content-Type, body; the status of the
 * endpoint's answers, their Content-Type and their body.  Both steps get the
 * same answer, so the second merges the same again.
 *
 * Where a model does not know (a rule of flowdash_strict, a spelling that is
 * not the usual one) it says MAYBE, and what must hold in any case is checked.
 */


#include "nginx.h"
#include "work.h"
#include "task.h"
#include "urlencoded.h"
#include "multipart.h"


typedef enum {
    NO = 0,
    YES,
    MAYBE
} whole_answer_e;


typedef enum {
    OTHER = 0,
    JSON,
    URLENCODED,
    MULTIPART
} whole_kind_e;


typedef struct {
    ngx_pool_t      *pool;
    ngx_uint_t       strict;       /* index of the location */
    ngx_uint_t       root;
    ngx_uint_t       engine;
    size_t           client_piece;
    ngx_uint_t       framing;
    ngx_uint_t       chunked;

    ngx_str_t        method;
    ngx_str_t        query;
    ngx_str_t        type;
    ngx_str_t        body;
    ngx_uint_t       status;
    ngx_str_t        answer_type;
    ngx_str_t        answer;

    whole_answer_e   action;
    whole_answer_e   accepted;     /* if it is an action */
    whole_answer_e   passes;       /* the answer to a step */
    whole_kind_e     kind;
    ngx_uint_t       quiet;        /* the query has nothing to say */
    ngx_array_t     *pointer;
    form_case_t      form;
    form_pairs_t     pairs;
    ngx_uint_t       is_form;
    task_model_t     task;
    json_t          *changes;      /* an object; NULL: none */
    ngx_uint_t       unknown;      /* whether there are changes */

    ngx_str_t        response;
    ngx_uint_t       said;         /* the status of the response */
} whole_t;


size_t LLVMFuzzerMutate(u_char *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(u_char *data, size_t size, size_t max_size,
    unsigned int seed);


/* the places of a task, and what a field is called there in a form */

static const struct {
    const char      *pointer;
    const char      *open;
    const char      *close;
} whole_roots[] = {
    { "/task", "task[", "]" },
    { "/issue", "issue[", "]" },
    { "", "", "" },
    { "/a/b", "a[b][", "]" },
};


#define WHOLE_TEXTS   8
#define WHOLE_ROOTS   4
#define WHOLE_STRICT  15       /* none, all, all but one of 13 */


static void
whole_conf_location(FILE *conf, const char *dir, ngx_uint_t strict,
    ngx_uint_t root, ngx_uint_t engine)
{
    static const char  steps[2][2][200] = {
        { "flowdash_call http://unix:%s/endpoint:/;",
          "proxy_pass http://unix:%s/endpoint:/;" },
        { "proxy_pass http://unix:%s/endpoint:/;",
          "flowdash_call http://unix:%s/endpoint:/;" },
    };

    fprintf(conf, "location = /%c%c%c {\n flowdash_action Act;\n"
            " flowdash_task \"%s\";\n", (int) ('a' + strict),
            (int) ('a' + root), (int) ('a' + engine),
            whole_roots[root].pointer);

    if (strict == 0) {
        fprintf(conf, " flowdash_strict none;\n");

    } else if (strict > 1) {
        fprintf(conf, " flowdash_strict all -%s;\n",
                ngx_http_flowdash_strict_name((ngx_uint_t) 1
                                              << (strict - 2)));
    }

    /* a body in memory, or in a file */

    fprintf(conf, " client_body_buffer_size %s;\n flowdash_step One { ",
            engine ? "100" : "16k");
    fprintf(conf, steps[engine][0], dir);
    fprintf(conf, " }\n flowdash_step Two { ");
    fprintf(conf, steps[engine][1], dir);
    fprintf(conf, " }\n proxy_pass http://unix:%s/app;\n}\n", dir);
}


static void
whole_conf(FILE *conf, const char *dir)
{
    ngx_uint_t  strict, root, engine;

    fprintf(conf, "events { worker_connections 64; }\n"
            "http {\n access_log off;\n flowdash_zone fuzz:1m;\n"
            "client_body_temp_path %s/1; proxy_temp_path %s/2;\n"
            "fastcgi_temp_path %s/3; uwsgi_temp_path %s/4;\n"
            "scgi_temp_path %s/5;\n"
            "server { listen unix:%s/nginx;\n", dir, dir, dir, dir, dir, dir);

    for (strict = 0; strict < WHOLE_STRICT; strict++) {
        for (root = 0; root < WHOLE_ROOTS; root++) {
            for (engine = 0; engine < 2; engine++) {
                whole_conf_location(conf, dir, strict, root, engine);
            }
        }
    }

    fprintf(conf, "}}\n");
}


int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    nginx_start(whole_conf);

    return 0;
}


/* all bytes are lower-case letters, digits or of "more" */

static ngx_uint_t
whole_is_plain(ngx_str_t *s, const char *more)
{
    size_t  i;

    for (i = 0; i < s->len; i++) {
        if (!(s->data[i] >= 'a' && s->data[i] <= 'z')
            && !(s->data[i] >= '0' && s->data[i] <= '9')
            && (s->data[i] == '\0' || strchr(more, s->data[i]) == NULL))
        {
            return 0;
        }
    }

    return 1;
}


/* a name of five letters at most means nothing else to any parser */

static ngx_uint_t
whole_is_name(ngx_str_t *s)
{
    size_t  i;

    for (i = 0; i < s->len; i++) {
        if (s->data[i] < 'a' || s->data[i] > 'z') {
            return 0;
        }
    }

    return s->len && s->len <= 5;
}


static ngx_uint_t
whole_text_is(ngx_str_t *s, const char *text)
{
    return s->len == strlen(text)
           && strncasecmp((char *) s->data, text, s->len) == 0;
}


/* JSON that every rule of flowdash_strict accepts */

static ngx_uint_t
whole_is_plain_json(json_t *j)
{
    json_t  *member;

    switch (j->type) {

    case 's':
        return whole_is_plain(&j->text, " \"");

    case 'n':
        return whole_is_plain(&j->text, "-.");

    case 'l':
        return 1;
    }

    for (member = j->first; member; member = member->next) {

        if (j->type == 'o'
            && (!whole_is_name(&member->name)
                || member->spelling.len != member->name.len + 2))
        {
            return 0;
        }

        if (!whole_is_plain_json(member)) {
            return 0;
        }
    }

    return 1;
}


static ngx_uint_t
whole_has_method(ngx_str_t *s)
{
    size_t  i;

    for (i = 0; i + 6 <= s->len; i++) {
        if (strncasecmp((char *) s->data + i, "method", 6) == 0) {
            return 1;
        }
    }

    return 0;
}


/* a top-level name that may override the method */

static ngx_uint_t
whole_overrides(json_t *j)
{
    json_t  *member;

    for (member = j->first; member; member = member->next) {
        if (j->type == 'o'
            && (member->half_name || whole_has_method(&member->name)))
        {
            return 1;
        }
    }

    return 0;
}


static whole_kind_e
whole_kind(whole_t *w)
{
    size_t  len;

    static const char  multipart[] = "multipart/form-data; boundary=";

    len = sizeof(multipart) - 1;

    if (w->body.len == 0) {
        return OTHER;
    }

    if (whole_text_is(&w->type, "application/json")) {
        return JSON;
    }

    if (whole_text_is(&w->type, "application/x-www-form-urlencoded")) {
        return URLENCODED;
    }

    if (w->type.len <= len || w->type.len > len + 40
        || memcmp(w->type.data, multipart, len) != 0)
    {
        return OTHER;
    }

    w->form.boundary.data = w->type.data + len;
    w->form.boundary.len = w->type.len - len;

    return whole_is_plain(&w->form.boundary, "BQXY-") ? MULTIPART : OTHER;
}


/* a form that every rule accepts: it is what is written of plain pairs */

static whole_answer_e
whole_form_accepted(whole_t *w)
{
    u_char       *text, *p;
    ngx_str_t     is;
    ngx_uint_t    i;
    form_pair_t  *pair;

    text = fuzz_alloc(w->pool, 4 * w->body.len + 1024);
    p = text;

    for (i = 0; i < w->pairs.n; i++) {
        pair = &w->pairs.pair[i];

        if (!pair->task || pair->file || pair->path.len
            || !whole_is_name(&pair->field)
            || !whole_is_plain(&pair->value, "")
            || whole_has_method(&pair->field)
            || pair->raw.len > 500
            || form_of_field(&w->form, &w->pairs, &pair->field).n != 1)
        {
            return MAYBE;
        }

        if (w->kind == URLENCODED) {
            p = ngx_sprintf(p, "%s%s%V%s=%V", i ? "&" : "",
                            whole_roots[w->root].open, &pair->field,
                            whole_roots[w->root].close, &pair->value);

        } else {
            p = ngx_sprintf(p, "--%V\r\nContent-Disposition: form-data; "
                            "name=\"%s%V%s\"\r\n\r\n%V\r\n",
                            &w->form.boundary, whole_roots[w->root].open,
                            &pair->field, whole_roots[w->root].close,
                            &pair->value);
        }

        if ((size_t) (p - text) > 2 * w->body.len) {
            return MAYBE;
        }
    }

    if (w->kind == MULTIPART) {
        p = ngx_sprintf(p, "--%V--\r\n", &w->form.boundary);
    }

    is.data = text;
    is.len = p - text;

    return w->pairs.n && fuzz_is(&is, &w->body) ? YES : MAYBE;
}


static void
whole_model_request(whole_t *w)
{
    ngx_uint_t  quiet;

    static ngx_str_t  listed[] = {
        ngx_string("POST"), ngx_string("PUT"), ngx_string("PATCH")
    }, others[] = {
        ngx_string("GET"), ngx_string("DELETE"), ngx_string("OPTIONS"),
    };

    /* such a query overrides nothing, and has no field of the task */

    quiet = whole_is_plain(&w->query, "=&");

    w->action = MAYBE;

    if (quiet) {
        w->action = (fuzz_is(&w->method, &others[0])
                     || fuzz_is(&w->method, &others[1])
                     || fuzz_is(&w->method, &others[2])) ? NO : MAYBE;
    }

    if (fuzz_is(&w->method, &listed[0]) || fuzz_is(&w->method, &listed[1])
        || fuzz_is(&w->method, &listed[2]))
    {
        w->action = YES;
    }

    w->quiet = (w->query.len == 0 || (quiet && w->pointer->nelts));
    w->kind = whole_kind(w);
    w->accepted = MAYBE;

    switch (w->kind) {

    case JSON:
        task_read(w->pool, &w->body, w->pointer, &w->task);

        if (w->task.verdict != NGX_HTTP_FLOWDASH_JSON_OK) {
            w->accepted = NO;

        } else if (w->quiet && !whole_overrides(w->task.json)
                   && (w->strict == 0 || whole_is_plain_json(w->task.json)))
        {
            w->accepted = YES;
        }

        break;

    case URLENCODED:
    case MULTIPART:
        w->is_form = (w->kind == URLENCODED)
                     ? urlencoded_model(&w->form, &w->body, &w->pairs)
                     : multipart_model(&w->form, &w->body, &w->pairs);

        if (!w->is_form) {
            w->accepted = NO;

        } else if (w->quiet) {
            w->accepted = whole_form_accepted(w);
        }

        break;

    default:
        break;
    }
}


/* rules, a form and a query may refuse a change, but not between plain ones */

static ngx_uint_t
whole_changes_pass(whole_t *w, json_t *answer)
{
    if (w->strict == 0 && w->kind == JSON && w->quiet) {
        return 1;
    }

    return w->accepted == YES && whole_is_plain_json(answer)
           && (w->kind != MULTIPART || fuzz_has(&w->form.boundary, "B"));
}


/* the changes of an answer that is JSON */

static void
whole_model_changes(whole_t *w, ngx_str_t *text)
{
    task_model_t  m;
    ngx_str_t     pointer = ngx_string("/task");

    task_read(w->pool, text, fuzz_pointer(w->pool, &pointer), &m);

    if (m.verdict == NGX_HTTP_FLOWDASH_JSON_MALFORMED) {
        w->passes = w->answer_type.len ? NO : YES;
        return;
    }

    if (m.verdict == NGX_HTTP_FLOWDASH_JSON_DEEP) {
        w->passes = NO;
        return;
    }

    if (m.json->type != 'o') {
        w->passes = YES;
        return;
    }

    if (m.verdict != NGX_HTTP_FLOWDASH_JSON_OK) {
        w->passes = NO;
        return;
    }

    w->changes = m.object;

    w->passes = (m.depth <= 10 && whole_changes_pass(w, m.json)) ? YES : MAYBE;
}


static void
whole_model_answer(whole_t *w)
{
    size_t     i;
    ngx_str_t  text;

    if (w->status < 200 || w->status > 299) {
        w->passes = NO;
        return;
    }

    text = w->answer;

    if (w->status == 204) {
        text.len = 0;
    }

    if (text.len >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0) {
        text.data += 3;
        text.len -= 3;
    }

    for (i = 0; i < text.len && memchr(" \t\r\n", text.data[i], 4); i++) {
        /* void */
    }

    if (i == text.len || whole_text_is(&w->answer_type, "text/plain")
        || whole_text_is(&w->answer_type, "text/html"))
    {
        w->passes = YES;
        return;
    }

    if (w->answer_type.len == 0
        || whole_text_is(&w->answer_type, "application/json"))
    {
        whole_model_changes(w, &text);
        return;
    }

    w->passes = MAYBE;
    w->unknown = 1;
}


/* three digits; anything else stands for one of these */

static ngx_uint_t
whole_status(ngx_str_t *text)
{
    ngx_int_t  status;

    static const ngx_uint_t  some[] = {
        200, 201, 202, 204, 205, 299, 300, 302, 304, 307, 399, 400, 401, 404,
        409, 500, 503, 599
    };

    status = text->len == 3 ? ngx_atoi(text->data, 3) : NGX_ERROR;

    if (status >= 200 && status <= 599) {
        return (ngx_uint_t) status;
    }

    return text->len ? some[text->data[0] % (sizeof(some) / sizeof(some[0]))]
                     : 200;
}


/* the row of texts; 0 if no such request can be sent */

static ngx_uint_t
whole_read(whole_t *w, fuzz_input_t *in)
{
    u_char      c;
    size_t      i;
    ngx_str_t   settings, pointer, text;

    ngx_memzero(w, sizeof(whole_t));

    w->pool = in->pool;

    settings = fuzz_text(in);

    c = fuzz_setting(&settings, 0, '-');
    w->strict = (c == '-') ? 0 : (c == '+') ? 1 : 2 + c % 13;
    w->root = fuzz_setting(&settings, 1, '0') % WHOLE_ROOTS;
    w->engine = fuzz_setting(&settings, 2, '0') % 2;

    c = fuzz_setting(&settings, 3, '-');
    w->client_piece = (c == '-') ? NGINX_BUFFER : (c % 16 + 1) * 40;

    w->framing = fuzz_setting(&settings, 4, '0') % 3;

    c = fuzz_setting(&settings, 5, '-');
    nginx.endpoint.piece = (c == '-') ? NGINX_BUFFER : (c % 16 + 1) * 40;
    nginx.app.piece = NGINX_BUFFER;

    w->chunked = fuzz_setting(&settings, 6, '-') == 'c';

    w->method = fuzz_text(in);
    w->query = fuzz_text(in);
    w->type = fuzz_text(in);
    w->body = fuzz_text(in);
    text = fuzz_text(in);
    w->answer_type = fuzz_text(in);
    w->answer = fuzz_rest(in);

    w->status = whole_status(&text);

    pointer.data = (u_char *) whole_roots[w->root].pointer;
    pointer.len = strlen(whole_roots[w->root].pointer);
    w->pointer = fuzz_pointer(w->pool, &pointer);

    w->form.pool = w->pool;
    w->form.pointer = w->pointer;

    for (i = 0; i < w->method.len; i++) {
        if (w->method.data[i] < 'A' || w->method.data[i] > 'Z') {
            return 0;
        }
    }

    for (i = 0; i < w->query.len; i++) {
        if (w->query.data[i] <= ' ' || w->query.data[i] == '#') {
            return 0;
        }
    }

    for (i = 0; i < w->type.len; i++) {
        if (memchr("\0\r\n", w->type.data[i], 3)) {
            return 0;
        }
    }

    for (i = 0; i < w->answer_type.len; i++) {
        if (memchr("\0\r\n", w->answer_type.data[i], 3)) {
            return 0;
        }
    }

    return w->method.len && w->method.len < 20;
}


/* the body in three chunks */

static u_char *
whole_chunks(u_char *p, ngx_str_t *body)
{
    size_t  at, n;

    for (at = 0; at < body->len; at += n) {
        n = ngx_min(body->len / 3 + 1, body->len - at);
        p = ngx_sprintf(p, "%xz\r\n", n);
        p = ngx_cpymem(p, body->data + at, n);
        p = ngx_cpymem(p, CRLF, 2);
    }

    return ngx_cpymem(p, "0\r\n\r\n", 5);
}


static void
whole_ask(whole_t *w)
{
    u_char     *p;
    ngx_str_t   request;

    request.data = fuzz_alloc(w->pool, w->query.len + w->type.len
                                       + w->body.len + 1024);

    p = ngx_sprintf(request.data, "%V /%c%c%c%s%V HTTP/1.1\r\nHost: a\r\n"
                    "Connection: close\r\n",
                    &w->method, 'a' + w->strict, 'a' + w->root,
                    'a' + w->engine, w->query.len ? "?" : "", &w->query);

    if (w->type.len) {
        p = ngx_sprintf(p, "Content-Type: %V\r\n", &w->type);
    }

    if (w->chunked) {
        p = ngx_sprintf(p, "Transfer-Encoding: chunked\r\n\r\n");
        p = whole_chunks(p, &w->body);

    } else {
        p = ngx_sprintf(p, "Content-Length: %uz\r\n\r\n", w->body.len);
        p = ngx_cpymem(p, w->body.data, w->body.len);
    }

    request.len = p - request.data;

    work_done = 0;

    w->response = nginx_request(w->pool, &request, w->client_piece);

    /* of what there is, most takes 300 comparisons for a byte */

    fuzz_check(work_done <= 100000 + 600 * (request.len
                                            + nginx.endpoint.answer.len),
               "the work is linear");
}


static void
whole_answer(whole_t *w)
{
    u_char     *p;
    ngx_str_t  *answer;

    answer = &nginx.endpoint.answer;
    answer->data = fuzz_alloc(w->pool, w->answer_type.len + w->answer.len
                                       + 1024);

    p = ngx_sprintf(answer->data, "HTTP/1.1 %ui X\r\nConnection: close\r\n",
                    w->status);

    if (w->answer_type.len) {
        p = ngx_sprintf(p, "Content-Type: %V\r\n", &w->answer_type);
    }

    if (w->status == 204 || w->status == 304) {
        p = ngx_sprintf(p, "\r\n");

    } else if (w->framing == 0) {
        p = ngx_sprintf(p, "Content-Length: %uz\r\n\r\n", w->answer.len);
        p = ngx_cpymem(p, w->answer.data, w->answer.len);

    } else if (w->framing == 1) {
        p = ngx_sprintf(p, "\r\n");
        p = ngx_cpymem(p, w->answer.data, w->answer.len);

    } else {
        p = ngx_sprintf(p, "Transfer-Encoding: chunked\r\n\r\n");
        p = whole_chunks(p, &w->answer);
    }

    answer->len = p - answer->data;

    ngx_str_set(&nginx.app.answer, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
                                   "\r\nok");
}


/* each line has a level; nothing is worse than an error */

static void
whole_check_log(whole_t *w)
{
    u_char     *p, *end, *last;
    ngx_str_t   text, line;

    text = nginx_take_log(w->pool);
    fuzz_context = text;
    last = text.data + text.len;

    for (p = text.data; p < last; p = end + 1) {

        end = memchr(p, LF, last - p);
        fuzz_check(end, "a line of the log ends");

        line.data = p;
        line.len = end - p;

        if (!fuzz_has(&line, " [warn] ") && !fuzz_has(&line, " [error] ")) {
            fuzz_show("log", &line);
            fuzz_fail(__FILE__, __LINE__, "a line of the log is one");
        }

        for ( /* void */ ; p < end; p++) {
            fuzz_check(*p >= ' ' && *p != 0x7f, "the log has only text");
        }
    }
}


/* the task that a step was told; "action", "user" and "task" in this order */

static json_t *
whole_payload(whole_t *w, nginx_request_t *request)
{
    json_t      *j, *member;
    ngx_str_t    type;
    ngx_uint_t   depth, i;

    static ngx_str_t  names[] = {
        ngx_string("action"), ngx_string("user"), ngx_string("task")
    }, action = ngx_string("\"Act\"");

    fuzz_check(ngx_strncmp(request->head.data, "POST / HTTP/1.", 14) == 0
               && nginx_header(&request->head, "Content-Type", &type) == 1
               && whole_text_is(&type, "application/json"),
               "a call is a POST of JSON");

    j = json_parse(w->pool, &request->body, &depth);

    fuzz_check(j && j->type == 'o' && j->members == 3, "a payload is JSON");

    for (i = 0, member = j->first; i < 3; i++, member = member->next) {
        fuzz_check(fuzz_is(&member->name, &names[i]), "a payload's members");
    }

    fuzz_check(fuzz_is(&j->first->text, &action), "the action's name");
    fuzz_check(j->last->type == 'o', "a task is an object");

    return j->last;
}


/* all that differs is in the answer, and has its values */

static void
whole_check_told(json_t *before, json_t *after, json_t *changes)
{
    json_t  *field, *change, *old;

    for (field = after->first; field; field = field->next) {

        fuzz_check(json_member(after, &field->name) == field,
                   "a name is unique");

        change = changes ? json_member(changes, &field->name) : NULL;
        old = json_member(before, &field->name);

        fuzz_check(change || old, "a field comes from somewhere");

        if (change && fuzz_is(&field->text, &change->text)) {
            continue;
        }

        fuzz_check(old && fuzz_is(&field->text, &old->text),
                   "what is not mentioned stays to the byte");

        /* a file that is said again stays, in other words */

        fuzz_check(change == NULL || old->type == 'a' || old->type == 'o',
                   "a change is one");
    }

    for (field = before->first; field; field = field->next) {
        fuzz_check(json_member(after, &field->name), "no field is lost");
    }

    for (change = changes ? changes->first : NULL; change;
         change = change->next)
    {
        fuzz_check(json_member(after, &change->name), "nor a change");
    }
}


static void
whole_check_json(whole_t *w, json_t *before, json_t *after, ngx_str_t *body)
{
    ngx_str_t   none = ngx_string("{}");
    ngx_str_t   expected;
    task_model_t  *m;

    m = &w->task;

    fuzz_check(fuzz_is(&before->text, m->object ? &m->object->text : &none),
               "the task that the client has sent");

    if (after == NULL) {
        return;
    }

    if (w->changes == NULL || w->changes->members == 0) {
        fuzz_check(fuzz_is(&before->text, &after->text)
                   && fuzz_is(&w->body, body), "nothing is changed");
        return;
    }

    if (m->object == NULL) {
        task_check_created(w->pool, &w->body, m, w->pointer, w->changes,
                           body);
        return;
    }

    expected = task_write(w->pool, &m->object->text, m->object, w->changes);
    fuzz_check(fuzz_is(&after->text, &expected),
               "the second step is told the changes");

    expected = task_write(w->pool, &w->body, m->object, w->changes);
    fuzz_check(fuzz_is(body, &expected), "the app gets the changes");
}


/* the answer's fields that differ from what the form says */

static json_t *
whole_mentioned(whole_t *w, json_t *before)
{
    u_char      *p;
    json_t      *change, *old;
    ngx_str_t    text;
    ngx_uint_t   depth;

    text.data = fuzz_alloc(w->pool, 2 * w->changes->text.len + 2);
    p = text.data;
    *p++ = '{';

    for (change = w->changes->first; change; change = change->next) {
        old = json_member(before, &change->name);

        if (old == NULL || !fuzz_is(&old->text, &change->text)) {
            p = ngx_sprintf(p, "%s%V:%V", p == text.data + 1 ? "" : ",",
                            &change->spelling, &change->text);
        }
    }

    *p++ = '}';
    text.len = p - text.data;

    return json_parse(w->pool, &text, &depth);
}


static void
whole_check_form(whole_t *w, json_t *before, json_t *after, ngx_str_t *body)
{
    json_t        *mentioned;
    ngx_uint_t     repeated;
    form_pairs_t   is;

    fuzz_check(w->is_form, "the form is one");

    form_check_values(&w->form, before, &w->pairs);

    if (after == NULL) {
        return;
    }

    mentioned = w->changes ? whole_mentioned(w, before) : NULL;

    if (mentioned == NULL || mentioned->members == 0) {
        fuzz_check(fuzz_is(&w->body, body), "nothing is changed");
        return;
    }

    ngx_memzero(&is, sizeof(form_pairs_t));

    fuzz_check(w->kind == URLENCODED
               ? urlencoded_model(&w->form, body, &is)
               : multipart_model(&w->form, body, &is),
               "the result is a form");

    repeated = 0;
    form_check_rest(&w->pairs, &is, mentioned);
    form_check_changed(&w->form, &w->pairs, &is, mentioned, &repeated);
}


/* what endpoint and app have got of an action */

static void
whole_check_action(whole_t *w)
{
    json_t     *before, *after;
    ngx_str_t  *body;

    before = whole_payload(w, &nginx.endpoint.request[0]);
    after = NULL;
    body = NULL;

    if (nginx.endpoint.n == 2) {
        after = whole_payload(w, &nginx.endpoint.request[1]);
        body = &nginx.app.request[0].body;

        if (!w->unknown) {
            whole_check_told(before, after, w->changes);
        }
    }

    if (!w->quiet || w->unknown) {
        return;
    }

    if (w->kind == JSON) {
        whole_check_json(w, before, after, body);

    } else if (w->kind != OTHER) {
        whole_check_form(w, before, after, body);
    }
}


static void
whole_check(whole_t *w)
{
    ngx_uint_t  asked, called;

    fuzz_check(w->response.len > 12
               && memcmp(w->response.data, "HTTP/1.1 ", 9) == 0,
               "the client gets a response");

    w->said = ngx_atoi(w->response.data + 9, 3);

    asked = nginx.endpoint.n;
    called = nginx.app.n;

    fuzz_check(asked <= 2 && called <= 1, "nobody is called too often");
    fuzz_check(called == (w->said == 200), "the client is told the truth");

    if (asked == 0 && called) {
        fuzz_check(w->action != YES, "no action is lost");
        fuzz_check(fuzz_is(&nginx.app.request[0].body, &w->body),
                   "what is no action passes untouched");
        return;
    }

    if (asked == 0) {
        fuzz_check(w->said >= 400 && w->said < 500, "who is refused is told");
        fuzz_check(w->action != NO, "what is no action is not refused");
        fuzz_check(w->action != YES || w->accepted != YES,
                   "what is plain is accepted");
        return;
    }

    fuzz_check(w->action != NO, "nobody is asked without an action");
    fuzz_check(w->accepted != NO, "nor for what no parser reads");

    if (asked == 1) {
        fuzz_check(called == 0 && w->said == 502,
                   "the app is not called without all steps");
        fuzz_check(w->passes != YES, "an answer that is right passes");

    } else {
        fuzz_check(called == 1, "both engines judge an answer alike");
        fuzz_check(w->passes != NO, "an answer that is wrong stops it");
    }

    whole_check_action(w);
}


/* changes one text, so that the others stay what they are */

size_t
LLVMFuzzerCustomMutator(u_char *data, size_t size, size_t max_size,
    unsigned int seed)
{
    u_char        *end, *last;
    size_t         at, len, rest;
    unsigned int   n;

    static u_char  text[NGINX_BUFFER];

    last = data + size;

    if (size == 0 || size + 1 >= max_size || seed % 8 == 0) {
        return LLVMFuzzerMutate(data, size, max_size);
    }

    /* the body of request or answer in two of three cases */

    seed /= 8;
    n = (seed % 3 == 0) ? seed / 3 % WHOLE_TEXTS : (seed % 3 == 1) ? 4 : 7;

    for (at = 0; n; n--) {
        end = memchr(data + at, FUZZ_END, size - at);

        if (end == NULL) {
            break;
        }

        at = end + 1 - data;
    }

    end = memchr(data + at, FUZZ_END, size - at);
    end = end ? end : last;

    len = end - (data + at);
    rest = last - end;

    if (len + 1 >= sizeof(text)) {
        return LLVMFuzzerMutate(data, size, max_size);
    }

    ngx_memcpy(text, data + at, len);
    len = LLVMFuzzerMutate(text, len, ngx_min(max_size - at - rest,
                                              sizeof(text)));

    ngx_memmove(data + at + len, end, rest);
    ngx_memcpy(data + at, text, len);

    return at + len + rest;
}


int
LLVMFuzzerTestOneInput(const u_char *data, size_t size)
{
    whole_t       w;
    fuzz_input_t  in;

    fuzz_begin(&in, data, size);
    ngx_str_null(&fuzz_context);

    if (whole_read(&w, &in)) {
        whole_model_request(&w);
        whole_model_answer(&w);
        whole_answer(&w);
        whole_ask(&w);
        whole_check_log(&w);
        whole_check(&w);
    }

    return fuzz_end(&in);
}
