
/*
 * flowdash_sign_key without a server: keys in the directive and in files, what
 * is refused and how, and that neither messages nor memory show a key.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <sys/stat.h>

#include "tap.h"


ngx_module_t  ngx_http_flowdash_module;

static u_char  *test_read;              /* what was allocated last */
static size_t   test_read_len;


static void *
test_remember(ngx_pool_t *pool, size_t size)
{
    test_read_len = size;
    test_read = test_pnalloc(pool, size);

    return test_read;
}


#define ngx_pool_cleanup_add  test_cleanup_add
#include "ngx_http_flowdash_sign.c"
#undef  ngx_pool_cleanup_add
#include "ngx_http_flowdash_text.c"
#include "ngx_http_flowdash_secret.c"
#define ngx_pnalloc           test_remember
#include "ngx_http_flowdash_conf_util.c"
#undef  ngx_pnalloc
#include "ngx_http_flowdash_conf_sign.c"


/* not called by what is tested */

ngx_int_t
ngx_http_flowdash_marker_add(ngx_http_flowdash_markers_t *markers,
    ngx_str_t *name, ngx_str_t *marker)
{
    (void) markers;
    (void) name;
    (void) marker;

    return NGX_ERROR;
}


/* 24 and 64 bytes in base64 */

#define K24  "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define K64  K24 K24 "MfKQ9r8GKYqrTwjUPD8ILA"

#define DIR         "conf/"
#define NO_KEY      "no key in \"" DIR "key\": "
#define ALL_READ    "\"" DIR "key\" in \"flowdash_sign_key\": all users can "
#define NO_SECRET   "no secret in \"" DIR "key\""
#define FILE_ERROR  "after \"file:\", the name of a file is expected"
#define ARG(n, e)   "invalid argument " n " of \"flowdash_sign_key\": " e

#define WRONG_START   "a key starts with \"whsec_\""
#define WRONG_BASE64  "after \"whsec_\", a key must be in standard base64"
#define TOO_SHORT     "the key has fewer than 24 bytes"


typedef struct {
    const char  *args;         /* separated by blanks */
    const char  *content;      /* of the file "key", or NULL for no file */
    mode_t       mode;
    ngx_int_t    keys;         /* how many; -1: refused */
    const char  *log;          /* a part of what is logged, "" for nothing */
} test_case_t;


static char  large[4098];      /* filled in by main() */

static test_case_t  cases[] = {
    { "off", NULL, 0, 0, "" },
    { "whsec_" K24, NULL, 0, 1, "" },
    { "whsec_" K24 " whsec_" K64, NULL, 0, 2, "" },
    { "file:key", "whsec_" K24, 0600, 1, "" },
    { "file:key", " \t\r\nwhsec_" K24 "\r\n\t ", 0640, 1, "" },
    { "file:key whsec_" K64 " file:key", "whsec_" K24, 0600, 3, "" },
    { "file:key", "whsec_" K24, 0604, 1, ALL_READ },

    { "off whsec_" K24, NULL, 0, -1, ARG("1", "\"off\" must stand alone") },
    { "whsec_" K24 " off", NULL, 0, -1, ARG("2", "\"off\" must stand alone") },
    { "off off", NULL, 0, -1, ARG("1", "\"off\" must stand alone") },
    { K24, NULL, 0, -1, ARG("1", WRONG_START) },
    { "whsec_" K24 " whsec_" K64 " whsec_TWZL", NULL, 0, -1,
      ARG("3", TOO_SHORT) },
    { "whsec_" K24 " whsec_" K24 "G", NULL, 0, -1, ARG("2", WRONG_BASE64) },
    { "file:", NULL, 0, -1, ARG("1", FILE_ERROR) },
    { "file:whsec_" K24, NULL, 0, -1, ARG("1", FILE_ERROR) },

    { "whsec_" K24 " file:key", NULL, 0, -1,
      "\"" DIR "key\" failed (2: No such file or directory)" },
    { "file:../conf", NULL, 0, -1, "no secret in \"" DIR "../conf\"" },
    { "file:key", large, 0600, -1, NO_SECRET },
    { "file:key", large + 1, 0600, -1, NO_KEY WRONG_START },
    { "file:key", "", 0600, -1, NO_KEY WRONG_START },
    { "file:key", " \n", 0600, -1, NO_KEY WRONG_START },
    { "file:key", K24, 0600, -1, NO_KEY WRONG_START },
    { "file:key", "whsec_" K24 "\nwhsec_" K24, 0600, -1,
      NO_KEY WRONG_BASE64 },
};


/* makes the file "key" what the case says */

static void
write_key(test_case_t *t)
{
    FILE  *file;

    (void) unlink(DIR "key");

    if (t->content == NULL) {
        return;
    }

    file = fopen(DIR "key", "w");

    if (file == NULL || fputs(t->content, file) < 0 || fclose(file) != 0
        || chmod(DIR "key", t->mode) != 0)
    {
        perror(DIR "key");
        exit(2);
    }
}


/* no four bytes of a key are in what is logged */

static ngx_uint_t
shows_key(void)
{
    size_t       i;
    char         part[5];
    const char  *key = "whsec_" K24;

    for (i = 0; i + 4 <= strlen(key); i++) {
        ngx_cpystrn((u_char *) part, (u_char *) key + i, sizeof(part));

        if (ngx_strcmp(part, "sec_") != 0 && ngx_strcmp(part, "whse") != 0
            && ngx_strcmp(part, "hsec") != 0
            && strstr((char *) test_logged, part))
        {
            return 1;
        }
    }

    return 0;
}


/* of what was read of a file, at most the blanks around the key are left */

static ngx_uint_t
is_wiped(void)
{
    size_t  i;

    for (i = 0; i < test_read_len; i++) {
        if (test_read[i] > ' ') {
            return 0;
        }
    }

    return 1;
}


/* what the directive leaves in "keys" */

static char *
configure(ngx_pool_t *pool, const char *line, ngx_array_t **keys)
{
    char           *s, *next;
    ngx_str_t      *arg;
    ngx_conf_t      cf;
    ngx_cycle_t     cycle;
    ngx_command_t   cmd;

    static void                          *loc_conf[1];
    static ngx_http_conf_ctx_t            ctx;
    static ngx_http_flowdash_loc_conf_t   conf;

    loc_conf[0] = &conf;
    ctx.loc_conf = loc_conf;

    ngx_memzero(&cf, sizeof(ngx_conf_t));
    ngx_memzero(&cycle, sizeof(ngx_cycle_t));
    ngx_memzero(&cmd, sizeof(ngx_command_t));

    ngx_str_set(&cycle.conf_prefix, DIR);
    cycle.pool = pool;

    ngx_str_set(&cmd.name, "flowdash_sign_key");

    cf.ctx = &ctx;
    cf.cycle = &cycle;
    cf.pool = pool;
    cf.log = &test_log;
    cf.args = ngx_array_create(pool, 4, sizeof(ngx_str_t));

    arg = ngx_array_push(cf.args);
    *arg = cmd.name;

    next = ngx_pnalloc(pool, strlen(line) + 1);
    strcpy(next, line);

    while ((s = strsep(&next, " ")) != NULL) {
        arg = ngx_array_push(cf.args);
        arg->data = (u_char *) s;
        arg->len = strlen(s);
    }

    test_log_clear();
    test_read_len = 0;

    return ngx_http_flowdash_conf_sign(&cf, &cmd, keys);
}


static ngx_uint_t
case_is(test_case_t *t)
{
    char         *rv, *log;
    ngx_uint_t    good;
    ngx_pool_t   *pool;
    ngx_array_t  *keys;

    pool = ngx_create_pool(1024, &test_log);
    keys = NGX_CONF_UNSET_PTR;
    log = (char *) test_logged;

    write_key(t);

    rv = configure(pool, t->args, &keys);

    if (t->keys < 0) {
        good = (rv == NGX_CONF_ERROR && test_logged_level == NGX_LOG_EMERG);

    } else {
        good = (rv == NGX_CONF_OK && test_logged_level != NGX_LOG_EMERG
                && (keys == NULL ? t->keys == 0
                                 : keys->nelts == (ngx_uint_t) t->keys));
    }

    good &= (t->log[0] ? strstr(log, t->log) != NULL : log[0] == '\0');
    good &= !shows_key() && is_wiped();

    if (!good) {
        printf("# logged: %s\n", log);
    }

    ngx_destroy_pool(pool);

    return good;
}


/* memory runs out at each of the allocations */

static ngx_uint_t
out_of_memory(void)
{
    char         *rv;
    ngx_int_t     n;
    ngx_uint_t    good;
    ngx_pool_t   *pool;
    ngx_array_t  *keys;

    good = 1;

    for (n = 0; n < 10; n++) {
        pool = ngx_create_pool(1024, &test_log);
        keys = NGX_CONF_UNSET_PTR;

        test_budget = n;
        rv = configure(pool, "whsec_" K24 " file:key", &keys);
        test_budget = -1;

        good &= (test_read == NULL || is_wiped());

        ngx_destroy_pool(pool);

        if (rv == NGX_CONF_OK) {
            break;
        }
    }

    return good && n == 3;
}


/* there are no requests */

ngx_http_flowdash_ctx_t *
ngx_http_flowdash_get_ctx(ngx_http_request_t *r)
{
    return NULL;
}


int
main(void)
{
    char          dir[] = "/tmp/flowdash-unit-XXXXXX", *rv;
    ngx_uint_t    i;
    ngx_pool_t   *pool;
    ngx_array_t  *keys;

    (void) test_begin(0);
    test_log_keep();

    if (mkdtemp(dir) == NULL || chmod(dir, 0755) != 0 || chdir(dir) != 0
        || mkdir("conf", 0755) != 0)
    {
        perror(dir);
        return 2;
    }

    memset(large, 'x', sizeof(large) - 1);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ok(case_is(&cases[i]), show("flowdash_sign_key", cases[i].args));
    }

    pool = ngx_create_pool(1024, &test_log);
    keys = NULL;

    rv = configure(pool, "whsec_" K24, &keys);
    ok(rv && strcmp(rv, "is duplicate") == 0, "twice on a level");

    ngx_destroy_pool(pool);

    write_key(&cases[3]);
    ok(out_of_memory(), "memory that runs out is an error");

    (void) unlink(DIR "key");
    (void) rmdir("conf");
    (void) chdir("/");
    (void) rmdir(dir);

    return test_end();
}
