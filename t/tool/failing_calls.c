
/*
 * Makes a chosen call of the module fail, as if memory had run out.
 *
 * The module of the coverage build and of the sanitized one is linked with
 * "-Wl,--wrap=NAME" for each CALL() and VARIADIC() below: its own calls of
 * these functions come here, those of nginx and of the libraries do not.
 *
 * A test names a file by FLOWDASH_FAILING and writes a failing_t into it; all
 * processes of nginx share the file's memory.  A call is known by its path:
 * a hash of the return addresses of all functions of the module that are on
 * the stack.  So it is the same call in the next request, too.
 *
 * Without FLOWDASH_FAILING every call goes straight through.
 */


#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>


#define PATHS  65536
#define DEPTH  64


typedef struct {
    uint64_t  record;               /* 1: write down the paths of all calls */
    uint64_t  path;                 /* the call that fails, or 0 */
    uint64_t  more;                 /* 1: all later calls fail, too */
    uint64_t  failed;               /* how many have failed */
    uint64_t  stack[DEPTH];         /* of the first: offsets in the module */
    uint64_t  calls;                /* how many were written down */
    uint64_t  paths[PATHS];
} failing_t;


static uint64_t call_path(const uintptr_t *frame, uint64_t *stack);
static int must_fail(const uintptr_t *frame);


/* the module in memory, by names that the linker defines */

extern const char  __ehdr_start[] __attribute__((visibility("hidden")));
extern const char  _end[] __attribute__((visibility("hidden")));

static failing_t  *failing;


static void __attribute__((constructor))
map_file(void)
{
    int          fd;
    void        *p;
    const char  *name;

    name = getenv("FLOWDASH_FAILING");

    if (name == NULL) {
        return;
    }

    fd = open(name, O_RDWR);

    if (fd == -1 || ftruncate(fd, sizeof(failing_t)) == -1) {
        abort();
    }

    p = mmap(NULL, sizeof(failing_t), PROT_READ|PROT_WRITE, MAP_SHARED, fd, 0);

    if (p == MAP_FAILED) {
        abort();
    }

    close(fd);

    failing = p;
}


/*
 * The module is compiled with frame pointers, each of which points to the one
 * of its caller, with the return address behind it.
 */

static uint64_t
call_path(const uintptr_t *frame, uint64_t *stack)
{
    int       i;
    uint64_t  path, offset;

    path = 5381;

    for (i = 0; i < DEPTH - 1; i++) {
        offset = frame[1] - (uintptr_t) __ehdr_start;

        if (offset >= (uintptr_t) (_end - __ehdr_start)) {
            stack[i] = 0;
            break;
        }

        path = path * 1000003 + offset;
        stack[i] = offset;
        frame = (const uintptr_t *) frame[0];
    }

    return path;
}


static int
must_fail(const uintptr_t *frame)
{
    uint64_t  path, n, stack[DEPTH];

    if (failing == NULL || (!failing->record && !failing->path)) {
        return 0;
    }

    path = call_path(frame, stack);

    if (failing->record) {
        n = __atomic_fetch_add(&failing->calls, 1, __ATOMIC_SEQ_CST);

        if (n < PATHS) {
            failing->paths[n] = path;
        }
    }

    if (path != failing->path && !(failing->more && failing->failed)) {
        return 0;
    }

    if (__atomic_fetch_add(&failing->failed, 1, __ATOMIC_SEQ_CST) == 0) {
        memcpy(failing->stack, stack, sizeof(stack));
    }

    return 1;
}


/*
 * Only the size of arguments and results matters here, so that no header of
 * nginx or a library is needed: integers of nginx are as long as a pointer.
 */

#define CALL(type, failure, name, parameters, arguments)                      \
                                                                              \
    type __real_##name parameters;                                            \
    type __wrap_##name parameters;                                            \
                                                                              \
    type                                                                      \
    __wrap_##name parameters                                                  \
    {                                                                         \
        if (must_fail(__builtin_frame_address(0))) {                          \
            return failure;                                                   \
        }                                                                     \
                                                                              \
        return __real_##name arguments;                                       \
    }


#define NGX_ERROR               ((intptr_t) -1)
#define CURLE_OUT_OF_MEMORY     27
#define CURLM_OUT_OF_MEMORY     3
#define CURLSHE_NOMEM           4
#define CURLUE_OUT_OF_MEMORY    7
#define Z_MEM_ERROR             (-4)


/* nginx */

CALL(void *, NULL, ngx_alloc, (size_t size, void *log), (size, log))
CALL(void *, NULL, ngx_calloc, (size_t size, void *log), (size, log))
CALL(void *, NULL, ngx_create_pool, (size_t size, void *log), (size, log))
CALL(void *, NULL, ngx_palloc, (void *pool, size_t size), (pool, size))
CALL(void *, NULL, ngx_pcalloc, (void *pool, size_t size), (pool, size))
CALL(void *, NULL, ngx_pnalloc, (void *pool, size_t size), (pool, size))
CALL(void *, NULL, ngx_pstrdup, (void *pool, void *src), (pool, src))
CALL(void *, NULL, ngx_array_create, (void *pool, uintptr_t n, size_t size),
     (pool, n, size))
CALL(void *, NULL, ngx_array_push, (void *a), (a))
CALL(void *, NULL, ngx_array_push_n, (void *a, uintptr_t n), (a, n))
CALL(void *, NULL, ngx_list_push, (void *list), (list))
CALL(void *, NULL, ngx_alloc_chain_link, (void *pool), (pool))
CALL(intptr_t, NGX_ERROR, ngx_chain_add_copy,
     (void *pool, void *chain, void *in), (pool, chain, in))
CALL(void *, NULL, ngx_thread_task_alloc, (void *pool, size_t size),
     (pool, size))
CALL(intptr_t, NGX_ERROR, ngx_thread_task_post, (void *tp, void *task),
     (tp, task))
CALL(void *, NULL, ngx_create_temp_buf, (void *pool, size_t size),
     (pool, size))
CALL(void *, NULL, ngx_pool_cleanup_add, (void *pool, size_t size),
     (pool, size))
CALL(void *, NULL, ngx_slab_calloc, (void *pool, size_t size), (pool, size))
CALL(void *, NULL, ngx_shared_memory_add,
     (void *cf, void *name, size_t size, void *tag), (cf, name, size, tag))
CALL(void *, NULL, ngx_get_connection, (int s, void *log), (s, log))
CALL(void *, NULL, ngx_resolve_start, (void *r, void *temp), (r, temp))
CALL(intptr_t, (free(ctx), NGX_ERROR), ngx_resolve_name, (void *ctx), (ctx))
CALL(intptr_t, NGX_ERROR, ngx_conf_full_name,
     (void *cycle, void *name, uintptr_t prefix), (cycle, name, prefix))
CALL(intptr_t, NGX_ERROR, ngx_ssl_create,
     (void *ssl, uintptr_t protocols, void *data), (ssl, protocols, data))
CALL(intptr_t, NGX_ERROR, ngx_ssl_certificate,
     (void *cf, void *ssl, void *cert, void *key, void *passwords),
     (cf, ssl, cert, key, passwords))
CALL(intptr_t, NGX_ERROR, ngx_ssl_trusted_certificate,
     (void *cf, void *ssl, void *cert, intptr_t depth),
     (cf, ssl, cert, depth))
CALL(intptr_t, NGX_ERROR, ngx_write_chain_to_temp_file,
     (void *file, void *chain), (file, chain))
CALL(intptr_t, NGX_ERROR, ngx_read_file,
     (void *file, void *buf, size_t size, int64_t offset),
     (file, buf, size, offset))
CALL(void *, NULL, ngx_http_add_variable,
     (void *cf, void *name, uintptr_t flags), (cf, name, flags))
CALL(intptr_t, NGX_ERROR, ngx_http_get_variable_index,
     (void *cf, void *name), (cf, name))
CALL(intptr_t, NGX_ERROR, ngx_http_add_location,
     (void *cf, void *locations, void *clcf), (cf, locations, clcf))
CALL(intptr_t, NGX_ERROR, ngx_http_compile_complex_value, (void *ccv), (ccv))
CALL(intptr_t, NGX_ERROR, ngx_http_complex_value,
     (void *r, void *val, void *value), (r, val, value))
CALL(void *, NULL, ngx_http_cleanup_add, (void *r, size_t size), (r, size))
CALL(intptr_t, NGX_ERROR, ngx_http_subrequest,
     (void *r, void *uri, void *args, void *psr, void *ps, uintptr_t flags),
     (r, uri, args, psr, ps, flags))
CALL(intptr_t, 500, ngx_http_read_client_request_body,
     (void *r, void *handler), (r, handler))
CALL(intptr_t, 500, ngx_http_discard_request_body, (void *r), (r))
CALL(intptr_t, NGX_ERROR, ngx_http_send_header, (void *r), (r))


/* libcurl */

#define VARIADIC(failure, name)                                               \
                                                                              \
    int __real_##name(void *handle, int option, ...);                         \
    int __wrap_##name(void *handle, int option, ...);                         \
                                                                              \
    int                                                                       \
    __wrap_##name(void *handle, int option, ...)                              \
    {                                                                         \
        void     *value;                                                      \
        va_list   ap;                                                         \
                                                                              \
        if (must_fail(__builtin_frame_address(0))) {                          \
            return failure;                                                   \
        }                                                                     \
                                                                              \
        va_start(ap, option);                                                 \
        value = va_arg(ap, void *);                                           \
        va_end(ap);                                                           \
                                                                              \
        return __real_##name(handle, option, value);                          \
    }


CALL(int, CURLE_OUT_OF_MEMORY, curl_global_init, (long flags), (flags))
CALL(void *, NULL, curl_easy_init, (void), ())
VARIADIC(CURLE_OUT_OF_MEMORY, curl_easy_setopt)
CALL(void *, NULL, curl_multi_init, (void), ())
VARIADIC(CURLM_OUT_OF_MEMORY, curl_multi_setopt)
CALL(int, CURLM_OUT_OF_MEMORY, curl_multi_add_handle,
     (void *multi, void *easy), (multi, easy))
CALL(int, CURLM_OUT_OF_MEMORY, curl_multi_assign,
     (void *multi, int s, void *data), (multi, s, data))
CALL(void *, NULL, curl_share_init, (void), ())
VARIADIC(CURLSHE_NOMEM, curl_share_setopt)
CALL(void *, NULL, curl_url, (void), ())
CALL(int, CURLUE_OUT_OF_MEMORY, curl_url_set,
     (void *url, int part, void *text, unsigned flags),
     (url, part, text, flags))
CALL(int, CURLUE_OUT_OF_MEMORY, curl_url_get,
     (void *url, int part, void *text, unsigned flags),
     (url, part, text, flags))


/* OpenSSL, zlib; yajl allocates by ngx_palloc() */

CALL(int, 0, RAND_bytes, (void *buf, int size), (buf, size))
CALL(int, 0, EVP_Digest,
     (void *data, size_t len, void *md, void *size, void *type, void *engine),
     (data, len, md, size, type, engine))
CALL(void *, NULL, EVP_MD_CTX_new, (void), ())
CALL(int, 0, EVP_DigestInit_ex, (void *ctx, void *type, void *engine),
     (ctx, type, engine))
CALL(int, 0, EVP_DigestUpdate, (void *ctx, void *data, size_t len),
     (ctx, data, len))
CALL(int, 0, EVP_DigestFinal_ex, (void *ctx, void *md, void *len),
     (ctx, md, len))
CALL(void *, NULL, EVP_PKEY_new_raw_private_key,
     (int type, void *engine, void *key, size_t len),
     (type, engine, key, len))
CALL(int, 0, EVP_DigestSignInit,
     (void *ctx, void *pctx, void *type, void *engine, void *pkey),
     (ctx, pctx, type, engine, pkey))
CALL(int, 0, EVP_DigestSignUpdate, (void *ctx, void *data, size_t len),
     (ctx, data, len))
CALL(int, 0, EVP_DigestSignFinal, (void *ctx, void *sig, void *len),
     (ctx, sig, len))
CALL(int, Z_MEM_ERROR, inflateInit2_,
     (void *stream, int bits, void *version, int size),
     (stream, bits, version, size))
