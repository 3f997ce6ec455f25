
/*
 * The TLS records that libcurl reads.  On a kept connection octets may come
 * that are none of an answer: an alert by which TLS ends, or a new ticket.
 * OpenSSL tells of each record, but libcurl does not.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_flowdash_curl_tls.h>

#include <openssl/ssl.h>


static ngx_uint_t ngx_flowdash_curl_tls_is_same(void);
static CURLcode ngx_flowdash_curl_tls_context(CURL *easy, void *context,
    void *data);
static void ngx_flowdash_curl_tls_message(int sent, int version, int type,
    const void *buf, size_t len, SSL *ssl, void *data);
static void ngx_flowdash_curl_tls_record(ngx_flowdash_curl_tls_t *tls,
    const u_char *header);
static ngx_flowdash_curl_tls_t *ngx_flowdash_curl_tls_find(void *ssl);


static ngx_rbtree_t       ngx_flowdash_curl_tls_tree;
static ngx_rbtree_node_t  ngx_flowdash_curl_tls_sentinel;


void
ngx_flowdash_curl_tls_init(void)
{
    ngx_rbtree_init(&ngx_flowdash_curl_tls_tree,
                    &ngx_flowdash_curl_tls_sentinel, ngx_rbtree_insert_value);
}


void
ngx_flowdash_curl_tls_setup(CURL *easy)
{
    if (ngx_flowdash_curl_tls_is_same()) {
        (void) curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION,
                                ngx_flowdash_curl_tls_context);
    }
}


/*
 * An nginx with an OpenSSL of its own could not read what libcurl's has made.
 * libcurl says "OpenSSL/3.0.19", and OpenSSL "OpenSSL 3.0.19 27 Jan 2026".
 */

static ngx_uint_t
ngx_flowdash_curl_tls_is_same(void)
{
    size_t       len;
    const char  *theirs, *own;

    theirs = curl_version_info(CURLVERSION_NOW)->ssl_version;
    own = OpenSSL_version(OPENSSL_VERSION);

    if (theirs == NULL
        || ngx_strncmp(theirs, "OpenSSL/", 8) != 0
        || ngx_strncmp(own, "OpenSSL ", 8) != 0)
    {
        return 0;
    }

    theirs += 8;
    own += 8;
    len = strcspn(own, " ");

    return ngx_strncmp(theirs, own, len) == 0
           && (theirs[len] == '\0' || theirs[len] == ' ');
}


static CURLcode
ngx_flowdash_curl_tls_context(CURL *easy, void *context, void *data)
{
    SSL_CTX *ctx = context;

    /* two libraries of one version have their methods in two places */

    if (SSL_CTX_get_ssl_method(ctx) == TLS_client_method()) {
        SSL_CTX_set_msg_callback(ctx, ngx_flowdash_curl_tls_message);
    }

    return CURLE_OK;
}


/*
 * TLS 1.3 hides what a record has: its header says data.  The type within is
 * told when the whole record was read.
 */

static void
ngx_flowdash_curl_tls_message(int sent, int version, int type,
    const void *buf, size_t len, SSL *ssl, void *data)
{
    const u_char *p = buf;

    ngx_flowdash_curl_tls_t  *tls;

    if (sent
        || (type != SSL3_RT_HEADER && type != SSL3_RT_INNER_CONTENT_TYPE))
    {
        return;
    }

    tls = ngx_flowdash_curl_tls_find(ssl);

    if (tls == NULL) {
        return;
    }

    if (type == SSL3_RT_HEADER && len == SSL3_RT_HEADER_LENGTH) {
        ngx_flowdash_curl_tls_record(tls, p);
        return;
    }

    if (type == SSL3_RT_INNER_CONTENT_TYPE && len == 1
        && *p != SSL3_RT_APPLICATION_DATA)
    {
        tls->pending = 0;
    }
}


static void
ngx_flowdash_curl_tls_record(ngx_flowdash_curl_tls_t *tls,
    const u_char *header)
{
    tls->octets += SSL3_RT_HEADER_LENGTH + (header[3] << 8 | header[4]);
    tls->data |= tls->pending;

    switch (header[0]) {

    case SSL3_RT_CHANGE_CIPHER_SPEC:
    case SSL3_RT_ALERT:
    case SSL3_RT_HANDSHAKE:
        tls->pending = 0;
        break;

    default:
        tls->pending = 1;
        break;
    }
}


/* The SSL may be gone: it is only compared. */

static ngx_flowdash_curl_tls_t *
ngx_flowdash_curl_tls_find(void *ssl)
{
    ngx_rbtree_key_t    key;
    ngx_rbtree_node_t  *node;

    key = (ngx_rbtree_key_t) ssl;
    node = ngx_flowdash_curl_tls_tree.root;

    while (node != &ngx_flowdash_curl_tls_sentinel) {

        if (key == node->key) {
            return ngx_rbtree_data(node, ngx_flowdash_curl_tls_t, node);
        }

        node = (key < node->key) ? node->left : node->right;
    }

    return NULL;
}


void
ngx_flowdash_curl_tls_begin(ngx_flowdash_curl_tls_t *tls, CURL *easy)
{
    struct curl_tlssessioninfo  *info;

    tls->octets = 0;
    tls->data = 0;
    tls->pending = 0;

    if (curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &info) != CURLE_OK
        || info->backend != CURLSSLBACKEND_OPENSSL
        || info->internals == NULL)
    {
        return;
    }

    tls->watched = 1;
    tls->node.key = (ngx_rbtree_key_t) info->internals;
    ngx_rbtree_insert(&ngx_flowdash_curl_tls_tree, &tls->node);
}


void
ngx_flowdash_curl_tls_end(ngx_flowdash_curl_tls_t *tls)
{
    if (tls->watched) {
        tls->watched = 0;
        ngx_rbtree_delete(&ngx_flowdash_curl_tls_tree, &tls->node);
    }
}


ngx_uint_t
ngx_flowdash_curl_tls_has_data(ngx_flowdash_curl_tls_t *tls)
{
    return tls->data || tls->pending;
}
