
/*
 * A pointer with selectors, and a JSON text: the rules of flowdash_strict, the
 * pointer, the text.
 *
 * What the module finds, and refuses, is compared with a walk through what
 * json.h reads.
 */


#include "json.h"

#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_json_select.h>
#include <ngx_http_flowdash_pointer.h>


#define FUZZ_DEPTH  NGX_HTTP_FLOWDASH_JSON_DEPTH


typedef struct {
    ngx_http_flowdash_token_t  *tokens;
    ngx_uint_t                  n;
    unsigned                    refused:1;  /* two values are possible */
    unsigned                    half:1;     /* of a pair, where one selects */
} select_model_t;


static json_t *select_find(select_model_t *m, json_t *j, ngx_uint_t n);


/* the only member of this name; no name may be half a pair */

static json_t *
select_member(select_model_t *m, json_t *j, ngx_str_t *name)
{
    json_t  *member, *found;

    found = NULL;

    for (member = j->first; member; member = member->next) {

        if (member->half_name) {
            m->refused = 1;
        }

        if (fuzz_is(&member->name, name)) {
            m->refused |= (found != NULL);
            found = member;
        }
    }

    return found;
}


static json_t *
select_by(select_model_t *m, json_t *j, ngx_uint_t n)
{
    json_t                     *member, *id, *value, *found, *again;
    ngx_uint_t                  fits;
    ngx_http_flowdash_token_t  *token;

    token = &m->tokens[n];
    found = NULL;
    fits = 0;

    for (member = j->first; member; member = member->next) {

        if (j->type == 'o') {
            again = select_member(m, j, &member->name);
            fuzz_check(again, "a name is found");
        }

        if (member->type != 'o') {
            continue;
        }

        id = select_member(m, member, &token->name);
        value = select_find(m, member, n + 1);

        if (id == NULL || id->type == 'o' || id->type == 'a') {
            continue;
        }

        m->half |= id->half;

        if (fuzz_is(id->type == 's' ? &id->value : &id->text, &token->value)) {
            found = value;
            m->refused |= (fits++ > 0);
        }
    }

    return found;
}


static json_t *
select_find(select_model_t *m, json_t *j, ngx_uint_t n)
{
    json_t                     *next;
    ngx_http_flowdash_token_t  *token;

    if (n == m->n) {
        return j;
    }

    token = &m->tokens[n];

    if (token->value.data) {
        return (j->type == 'o' || j->type == 'a') ? select_by(m, j, n) : NULL;
    }

    next = (j->type == 'o') ? select_member(m, j, &token->name)
         : (j->type == 'a') ? json_element(j, &token->name) : NULL;

    return next ? select_find(m, next, n + 1) : NULL;
}


static void
check_refusal(ngx_http_flowdash_json_select_t *sel, json_t *json,
    ngx_uint_t depth, select_model_t *m,
    ngx_http_flowdash_json_verdict_e verdict)
{
    fuzz_check(sel->value.data == NULL, "what is refused has no value");
    fuzz_check(sel->error && sel->offset <= sel->text.len,
               "a refusal has a reason and a place");

    if (sel->rule) {
        fuzz_check(sel->rule & sel->strict, "only rules that are set refuse");
        return;
    }

    if (verdict == NGX_HTTP_FLOWDASH_JSON_MALFORMED) {
        fuzz_check(json == NULL, "what is JSON is read");
        return;
    }

    if (verdict == NGX_HTTP_FLOWDASH_JSON_DEEP) {
        fuzz_check(json == NULL || depth > FUZZ_DEPTH, "not too deep");
        return;
    }

    fuzz_check(verdict == NGX_HTTP_FLOWDASH_JSON_DUPLICATE
               && (m->refused || m->half),
               "what has one meaning is read");
}


/* with another pointer to the whole text, each finds what it finds alone */

static void
check_together(fuzz_input_t *in, ngx_http_flowdash_json_select_t *alone)
{
    ngx_uint_t                        i;
    ngx_array_t                       none;
    ngx_http_flowdash_json_select_t   sel[3];

    ngx_memzero(&none, sizeof(ngx_array_t));

    sel[0] = *alone;
    sel[1] = *alone;
    sel[1].pointer = &none;
    sel[1].unique = 1;
    sel[1].max_size = 0;
    sel[2] = *alone;

    fuzz_check(ngx_http_flowdash_json_select_all(sel, 3, in->pool) == NGX_OK,
               "there is memory");

    for (i = 0; i < 3; i += 2) {
        fuzz_check(sel[i].verdict == alone->verdict
                   && sel[i].error == alone->error
                   && sel[i].rule == alone->rule
                   && sel[i].offset == alone->offset
                   && sel[i].size == alone->size
                   && sel[i].value.data == alone->value.data
                   && sel[i].value.len == alone->value.len,
                   "the same as alone");
    }
}


int
LLVMFuzzerTestOneInput(const u_char *data, size_t size)
{
    json_t                             *json, *found;
    ngx_str_t                           settings, pointer;
    ngx_uint_t                          depth;
    const char                         *error;
    ngx_array_t                         tokens;
    fuzz_input_t                        in;
    select_model_t                      m;
    ngx_http_flowdash_json_select_t     sel;
    ngx_http_flowdash_json_verdict_e    verdict;

    fuzz_begin(&in, data, size);

    settings = fuzz_text(&in);
    pointer = fuzz_text(&in);

    if (ngx_http_flowdash_pointer_read(&pointer, &tokens, &error, in.pool)
        != NGX_OK)
    {
        return fuzz_end(&in);
    }

    ngx_memzero(&sel, sizeof(ngx_http_flowdash_json_select_t));
    ngx_memzero(&m, sizeof(select_model_t));

    sel.text = fuzz_rest(&in);
    sel.pointer = &tokens;
    sel.strict = fuzz_strict(fuzz_setting(&settings, 0, '-'));
    sel.max_size = NGX_MAX_SIZE_T_VALUE;

    m.tokens = tokens.elts;
    m.n = tokens.nelts;

    depth = 0;
    json = json_parse(in.pool, &sel.text, &depth);
    found = json ? select_find(&m, json, 0) : NULL;

    fuzz_check(ngx_http_flowdash_json_select(&sel, in.pool) == NGX_OK,
               "there is memory");

    verdict = sel.verdict;

    check_together(&in, &sel);

    if (verdict != NGX_HTTP_FLOWDASH_JSON_OK) {
        check_refusal(&sel, json, depth, &m, verdict);
        return fuzz_end(&in);
    }

    fuzz_check(json && depth <= FUZZ_DEPTH && !m.refused,
               "what has two meanings is refused");

    if (!m.half) {
        fuzz_check(sel.value.data == (found ? found->text.data : NULL)
                   && sel.value.len == (found ? found->text.len : 0),
                   "the value");
    }

    return fuzz_end(&in);
}
