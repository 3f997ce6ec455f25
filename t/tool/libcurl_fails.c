
/*
 * Loaded into nginx before libcurl (LD_PRELOAD), this lets libcurl fail as a
 * file beside it says, libcurl_fails.so.how, which it removes:
 *
 *     action    curl_multi_socket_action() says that it has failed, once it
 *               has done its work: the first time after a transfer is added
 *     nothing   it says so and does nothing
 *     remove    curl_multi_remove_handle() fails
 *     add       curl_multi_add_handle() fails
 *     memory    the same, and memory has run out
 *     added     the same, and the handle is said to be added already
 *     inside    the same, and it is said to be called from within libcurl
 *     again     curl_multi_socket_action() does nothing and says so
 *     N         the N-th allocation from the start of the next transfer on
 *               fails; a file of the same name with .failed is written
 */


#define _GNU_SOURCE

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>


typedef CURLcode (*global_init_t)(long flags, curl_malloc_callback m,
    curl_free_callback f, curl_realloc_callback r, curl_strdup_callback s,
    curl_calloc_callback c);
typedef CURLMcode (*handle_t)(CURLM *multi, CURL *easy);
typedef CURLMcode (*action_t)(CURLM *multi, curl_socket_t fd, int events,
    int *running);


static void *real(const char *name);
static const char *file_name(const char *suffix);
static int asked(const char *how);
static int out_of_memory(void);
static void *fail_malloc(size_t size);
static void *fail_calloc(size_t n, size_t size);
static void *fail_realloc(void *p, size_t size);
static char *fail_strdup(const char *s);


static int   action_fails, nothing_is_done;
static long  left;


static void *
real(const char *name)
{
    return dlsym(dlopen("libcurl.so.4", RTLD_LAZY | RTLD_NOLOAD), name);
}


static const char *
file_name(const char *suffix)
{
    Dl_info      info;
    static char  name[4096];

    if (dladdr((void *) file_name, &info) == 0) {
        abort();
    }

    (void) snprintf(name, sizeof(name), "%s.%s", info.dli_fname, suffix);

    return name;
}


static int
asked(const char *how)
{
    int    found;
    char   line[64];
    FILE  *file;

    file = fopen(file_name("how"), "r");

    if (file == NULL) {
        return 0;
    }

    found = fgets(line, sizeof(line), file) != NULL;
    (void) fclose(file);

    if (how == NULL) {
        left = found ? atol(line) : 0;
        found = (left != 0);

    } else {
        found = found && strcmp(line, how) == 0;
    }

    if (found) {
        (void) unlink(file_name("how"));
    }

    return found;
}


CURLMcode
curl_multi_socket_action(CURLM *multi, curl_socket_t fd, int events,
    int *running)
{
    CURLMcode  rc;

    if (nothing_is_done) {
        nothing_is_done = 0;
        return CURLM_INTERNAL_ERROR;
    }

    if (asked("again")) {
        return CURLM_RECURSIVE_API_CALL;
    }

    rc = ((action_t) real("curl_multi_socket_action"))(multi, fd, events,
                                                       running);

    if (action_fails) {
        action_fails = 0;
        return CURLM_INTERNAL_ERROR;
    }

    return rc;
}


CURLMcode
curl_multi_add_handle(CURLM *multi, CURL *easy)
{
    if (asked("add")) {
        return CURLM_INTERNAL_ERROR;
    }

    if (asked("memory")) {
        return CURLM_OUT_OF_MEMORY;
    }

    if (asked("added")) {
        return CURLM_ADDED_ALREADY;
    }

    if (asked("inside")) {
        return CURLM_RECURSIVE_API_CALL;
    }

    /* not before: the timer of another transfer may end at any time */

    nothing_is_done = asked("nothing");
    action_fails = asked("action");
    (void) asked(NULL);

    return ((handle_t) real("curl_multi_add_handle"))(multi, easy);
}


CURLMcode
curl_multi_remove_handle(CURLM *multi, CURL *easy)
{
    if (asked("remove")) {
        return CURLM_INTERNAL_ERROR;
    }

    return ((handle_t) real("curl_multi_remove_handle"))(multi, easy);
}


CURLcode
curl_global_init(long flags)
{
    return ((global_init_t) real("curl_global_init_mem"))(flags, fail_malloc,
                                   free, fail_realloc, fail_strdup,
                                   fail_calloc);
}


static int
out_of_memory(void)
{
    FILE  *file;

    if (left == 0 || --left > 0) {
        return 0;
    }

    file = fopen(file_name("failed"), "w");

    if (file != NULL) {
        (void) fclose(file);
    }

    return 1;
}


static void *
fail_malloc(size_t size)
{
    return out_of_memory() ? NULL : malloc(size);
}


static void *
fail_calloc(size_t n, size_t size)
{
    return out_of_memory() ? NULL : calloc(n, size);
}


static void *
fail_realloc(void *p, size_t size)
{
    return out_of_memory() ? NULL : realloc(p, size);
}


static char *
fail_strdup(const char *s)
{
    return out_of_memory() ? NULL : strdup(s);
}
