
/*
 * The sockets that were opened for libcurl, so that they can be closed when
 * libcurl cannot do it any more; and whether descriptors are running out.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_flowdash_curl_open.h>


/* for how many descriptors the table has room at first */

#define NGX_FLOWDASH_CURL_OPEN_MIN  64


/*
 * libcurl closes some sockets without a word, and their descriptors may belong
 * to others since.  So a socket is known by its inode, too.
 */

typedef struct {
    ino_t       *inodes;        /* by descriptor; 0: none of libcurl's */
    ngx_uint_t   n;
    ngx_uint_t   limit;         /* of descriptors; 0: none is known */
    ngx_log_t   *log;
} ngx_flowdash_curl_opens_t;


static ngx_int_t ngx_flowdash_curl_open_remember(ngx_socket_t fd);
static ino_t ngx_flowdash_curl_open_inode(ngx_socket_t fd);


static ngx_flowdash_curl_opens_t  ngx_flowdash_curl_opens;


void
ngx_flowdash_curl_open_init(ngx_log_t *log)
{
    struct rlimit               rlmt;
    ngx_flowdash_curl_opens_t  *fo;

    fo = &ngx_flowdash_curl_opens;

    ngx_memzero(fo, sizeof(ngx_flowdash_curl_opens_t));

    fo->log = log;

    if (getrlimit(RLIMIT_NOFILE, &rlmt) == -1) {
        ngx_log_error(NGX_LOG_ALERT, log, ngx_errno,
                      "getrlimit(RLIMIT_NOFILE) failed");
        return;
    }

    if (rlmt.rlim_cur < NGX_MAX_INT32_VALUE) {
        fo->limit = rlmt.rlim_cur;
    }
}


/*
 * A new descriptor is the lowest that is free.  While there are few
 * connections, there cannot be many descriptors, because nginx needs only a
 * few files for each.
 */

ngx_uint_t
ngx_flowdash_curl_open_is_scarce(void)
{
    int         fd;
    ngx_uint_t  limit, used;

    limit = ngx_flowdash_curl_opens.limit;

    used = ngx_cycle->connection_n - ngx_cycle->free_connection_n;

    if (limit == 0 || used < limit / 4) {
        return 0;
    }

    fd = dup(STDERR_FILENO);

    if (fd == -1) {
        return 1;
    }

    (void) close(fd);

    return (ngx_uint_t) fd >= limit - limit / 16;
}


ngx_socket_t
ngx_flowdash_curl_open(int family, int type, int protocol)
{
    ngx_err_t     err;
    ngx_uint_t    level;
    ngx_socket_t  fd;

    fd = socket(family, type, protocol);

    if (fd == (ngx_socket_t) -1) {
        err = ngx_socket_errno;

        /* libcurl tries IPv6 without asking whether the kernel has it */

        level = (err == EAFNOSUPPORT) ? NGX_LOG_INFO : NGX_LOG_ERR;

        ngx_log_error(level, ngx_flowdash_curl_opens.log, err,
                      "flowdash: " ngx_socket_n " failed");

        ngx_set_socket_errno(err);
        return fd;
    }

    if (ngx_flowdash_curl_open_remember(fd) != NGX_OK) {
        (void) ngx_close_socket(fd);
        ngx_set_socket_errno(NGX_ENOMEM);
        return (ngx_socket_t) -1;
    }

    return fd;
}


static ngx_int_t
ngx_flowdash_curl_open_remember(ngx_socket_t fd)
{
    ino_t                      *inodes;
    ngx_uint_t                  i, n;
    ngx_flowdash_curl_opens_t  *fo;

    fo = &ngx_flowdash_curl_opens;

    i = (ngx_uint_t) fd;

    if (i >= fo->n) {
        n = ngx_max(2 * i, NGX_FLOWDASH_CURL_OPEN_MIN);

        inodes = ngx_calloc(n * sizeof(ino_t), fo->log);
        if (inodes == NULL) {
            return NGX_ERROR;
        }

        if (fo->inodes) {
            ngx_memcpy(inodes, fo->inodes, fo->n * sizeof(ino_t));
            ngx_free(fo->inodes);
        }

        fo->inodes = inodes;
        fo->n = n;
    }

    fo->inodes[i] = ngx_flowdash_curl_open_inode(fd);

    return NGX_OK;
}


static ino_t
ngx_flowdash_curl_open_inode(ngx_socket_t fd)
{
    struct stat  sb;

    return (fstat(fd, &sb) == 0 && S_ISSOCK(sb.st_mode)) ? sb.st_ino : 0;
}


const char *
ngx_flowdash_curl_open_error(ngx_err_t err)
{
    switch (err) {

    case NGX_EMFILE:
    case NGX_ENFILE:
        return "file descriptors are not enough";

    case NGX_ENOMEM:
        return "memory ran out for a socket";

    default:
        return NULL;
    }
}


void
ngx_flowdash_curl_open_forget(ngx_socket_t fd)
{
    if ((ngx_uint_t) fd < ngx_flowdash_curl_opens.n) {
        ngx_flowdash_curl_opens.inodes[fd] = 0;
    }
}


void
ngx_flowdash_curl_open_close_all(void)
{
    ngx_uint_t                  i;
    ngx_flowdash_curl_opens_t  *fo;

    fo = &ngx_flowdash_curl_opens;

    for (i = 0; i < fo->n; i++) {

        if (fo->inodes[i]
            && fo->inodes[i] == ngx_flowdash_curl_open_inode((int) i)
            && ngx_close_socket((int) i) == -1)
        {
            ngx_log_error(NGX_LOG_ERR, fo->log, ngx_socket_errno,
                          ngx_close_socket_n " %ui failed", i);
        }

        fo->inodes[i] = 0;
    }
}


void
ngx_flowdash_curl_open_exit(void)
{
    ngx_flowdash_curl_opens_t  *fo;

    fo = &ngx_flowdash_curl_opens;

    if (fo->inodes) {
        ngx_free(fo->inodes);
    }

    fo->inodes = NULL;
    fo->n = 0;
}
