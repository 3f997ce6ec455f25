
/*
 * The file of a record: what somebody has written who has the key, or has not.
 * The MACs of the lines are right, as no fuzzer would find one: what is behind
 * them is tried.
 *
 * settings: '-' no MACs are added; where the file is cut, and changed
 * the lines of JSON, each with its end, and tabs between the parts of one
 */


#include "fuzz.h"
#include "json.h"
#include "../unit/record.h"

#include <ngx_http_flowdash_record_mac.h>
#include <ngx_http_flowdash_record_todo.h>


static ngx_str_t  fuzz_key = ngx_string("a key of the worker's");


static ngx_str_t
with_macs(fuzz_input_t *in, ngx_str_t *lines)
{
    u_char                          *p, *end, *last, *d;
    ngx_str_t                        file, json;
    ngx_uint_t                       n;
    ngx_http_flowdash_record_mac_t   mac;

    for (p = lines->data, n = 1; p < lines->data + lines->len; p++) {
        n += (*p == LF);
    }

    ngx_memzero(&mac, sizeof(ngx_http_flowdash_record_mac_t));
    mac.key = fuzz_key;

    d = fuzz_alloc(in->pool, lines->len + n * 66);
    file.data = d;
    last = lines->data + lines->len;

    for (p = lines->data; p < last; p = end + 1) {
        end = memchr(p, LF, last - p);
        end = end ? end : last;

        json.data = p;
        json.len = end - p;

        fuzz_check(ngx_http_flowdash_record_mac(&mac, &json, d) == NGX_OK,
                   "there is a MAC");
        ngx_http_flowdash_record_written(&mac);

        d[64] = ' ';
        d = ngx_cpymem(d + 65, p, json.len);
        *d++ = LF;
    }

    file.len = d - file.data;

    return fuzz_copy(in->pool, file.data, file.len);
}


/* no member has the name of another */

static ngx_uint_t
no_twins(json_t *j)
{
    json_t  *a, *b;

    for (a = j->first; a; a = a->next) {

        for (b = a->next; j->type == 'o' && b; b = b->next) {
            if (fuzz_is(&a->name, &b->name)) {
                return 0;
            }
        }

        if (!no_twins(a)) {
            return 0;
        }
    }

    return 1;
}


/* each part of a line that was read is an object to a second parser */

static void
check_lines(fuzz_input_t *in, ngx_str_t *lines)
{
    u_char      *p, *end, *last;
    json_t      *j;
    ngx_str_t    json;
    ngx_uint_t   depth;

    last = lines->data + lines->len;

    for (p = lines->data; p < last; p = end + 1) {
        for (end = p; end < last && *end != LF && *end != '\t'; end++) {
            /* void */
        }

        json.data = p;
        json.len = end - p;

        j = json_parse(in->pool, &json, &depth);

        fuzz_check(j && j->type == 'o' && depth < 8, "a line is an object");
        fuzz_check(no_twins(j), "no member is there twice");
    }
}


static ngx_int_t
read_file(fuzz_input_t *in, ngx_str_t *file,
    ngx_http_flowdash_record_t **record, size_t *length)
{
    ngx_int_t                        rc;
    const char                      *error;
    ngx_http_flowdash_record_mac_t   mac;

    error = NULL;
    *length = 0;
    mac.key = fuzz_key;

    rc = ngx_http_flowdash_record_read(file, in->pool, &mac, record, length,
                                       &error);

    fuzz_check(rc != NGX_ERROR, "there is memory");
    fuzz_check(rc != NGX_DECLINED || (error && *error), "a refusal is said");
    fuzz_check(*length <= file->len, "no more is read than there is");

    return rc;
}


/* whatever it says, there is an end of what is to be sent */

static void
check_todo(ngx_http_flowdash_record_t *record)
{
    ngx_str_t                        boot = ngx_string("another");
    ngx_uint_t                       n;
    ngx_http_flowdash_delivery_t    *delivery;
    ngx_http_flowdash_record_todo_e  todo;

    todo = ngx_http_flowdash_record_todo(record, &boot);
    delivery = NULL;

    for (n = 0; (delivery = ngx_http_flowdash_record_next(record, delivery));
         n++)
    {
        fuzz_check(n < record->steps.nelts + record->afters.nelts,
                   "deliveries have an end");
        fuzz_check(delivery->state == NGX_HTTP_FLOWDASH_DELIVERY_WAITING,
                   "what is sent waits");
    }

    fuzz_check((n != 0) == (todo == NGX_HTTP_FLOWDASH_RECORD_UNDO
                            || todo == NGX_HTTP_FLOWDASH_RECORD_AFTER)
               || (record->outcome == NGX_HTTP_FLOWDASH_OUTCOME_NONE
                   && todo == NGX_HTTP_FLOWDASH_RECORD_UNKNOWN),
               "what is to do can be sent");
}


static void
check_damage(fuzz_input_t *in, ngx_str_t *file, ngx_str_t *settings)
{
    size_t                       length, at;
    ngx_int_t                    rc;
    ngx_str_t                    cut;
    ngx_http_flowdash_record_t  *record;

    at = fuzz_setting(settings, 1, 0) * 256 + fuzz_setting(settings, 2, 0);
    at %= file->len;

    cut = fuzz_copy(in->pool, file->data, at);
    rc = read_file(in, &cut, &record, &length);

    fuzz_check(rc == NGX_OK || rc == NGX_DONE, "a cut file can be read");
    fuzz_check(length == 0 || file->data[length - 1] == LF,
               "it ends with a line");

    file->data[at] ^= 1 << fuzz_setting(settings, 3, 0) % 8;

    fuzz_check(read_file(in, file, &record, &length) == NGX_DECLINED,
               "a changed file is refused");

    file->data[at] ^= 1 << fuzz_setting(settings, 3, 0) % 8;
}


int
LLVMFuzzerTestOneInput(const u_char *data, size_t size)
{
    size_t                           length;
    ngx_int_t                        rc;
    ngx_str_t                        settings, lines, file, before, after;
    fuzz_input_t                     in;
    ngx_http_flowdash_record_t      *record;
    ngx_http_flowdash_record_mac_t   mac;

    fuzz_begin(&in, data, size);

    settings = fuzz_text(&in);
    lines = fuzz_rest(&in);

    if (fuzz_setting(&settings, 0, '+') == '-') {
        (void) read_file(&in, &lines, &record, &length);
        return fuzz_end(&in);
    }

    file = with_macs(&in, &lines);
    rc = read_file(&in, &file, &record, &length);

    if (rc != NGX_OK) {
        return fuzz_end(&in);
    }

    /* a zero cannot be in a line: it would be the end of the file */

    fuzz_check(length == file.len, "all of it is read");

    check_lines(&in, &lines);
    check_todo(record);

    /* after-steps that an outcome has brought and another has left */

    if (record->afters.nelts && !record->marked
        && record->outcome != NGX_HTTP_FLOWDASH_OUTCOME_OK)
    {
        return fuzz_end(&in);
    }

    before = record_text(record);

    mac.key = fuzz_key;
    file = record_rewrite(record, &mac);
    file = fuzz_copy(in.pool, file.data, file.len);

    fuzz_check(read_file(&in, &file, &record, &length) == NGX_OK
               && length == file.len, "what was written is read");

    after = record_text(record);

    fuzz_check(fuzz_is(&before, &after), "it is the same record");

    free(before.data);
    free(after.data);

    check_damage(&in, &file, &settings);

    return fuzz_end(&in);
}
