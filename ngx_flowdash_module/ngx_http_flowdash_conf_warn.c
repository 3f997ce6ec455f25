
/*
 * Warnings of "nginx -t": what is legal, but will not do what was meant.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_compat.h>
#include <ngx_http_flowdash_conf_util.h>
#include <ngx_http_flowdash_retry.h>
#include <ngx_http_flowdash_url.h>
#include <ngx_http_flowdash_conf_report.h>
#include <ngx_http_flowdash_conf_private.h>
#include <ngx_http_flowdash_conf_warn_secret.h>
#include <ngx_http_flowdash_conf_warn.h>


/* a number of seconds that is rather one of milliseconds */

#define NGX_HTTP_FLOWDASH_MANY_SECONDS  1000


static void ngx_http_flowdash_conf_warn_times(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf);
static void ngx_http_flowdash_conf_warn_longer(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf, ngx_http_flowdash_place_t *place,
    const char *inner, ngx_msec_t time, const char *outer, ngx_msec_t limit);
static u_char *ngx_http_flowdash_conf_warn_time(u_char *p, u_char *last,
    ngx_msec_t ms);
static void ngx_http_flowdash_conf_warn_upstream(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf);
static ngx_uint_t ngx_http_flowdash_conf_warn_has_server(
    ngx_http_upstream_srv_conf_t *uscf);
static void ngx_http_flowdash_conf_warn_braces(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf);
static void ngx_http_flowdash_conf_warn_user(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf);
static ngx_uint_t ngx_http_flowdash_conf_warn_is_spelling(ngx_str_t *name,
    const char *member);
static ngx_uint_t ngx_http_flowdash_conf_warn_has_app(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf);
static ngx_uint_t ngx_http_flowdash_conf_warn_has_page(
    ngx_http_core_loc_conf_t *clcf);


void
ngx_http_flowdash_conf_warn_no_unit(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *value, ngx_str_t *time, ngx_http_flowdash_place_t *place)
{
    u_char     *p, reason[128];
    ngx_int_t   n;

    n = ngx_atoi(time->data, time->len);

    if (n < NGX_HTTP_FLOWDASH_MANY_SECONDS) {
        return;
    }

    p = ngx_snprintf(reason, sizeof(reason) - 1,
                     "this means %i seconds; write \"%ims\" for milliseconds, "
                     "or \"%is\" for seconds", n, n, n);
    *p = '\0';

    ngx_http_flowdash_conf_warn(cf, cmd, value, (char *) reason);

    place->warned = 1;
}


void
ngx_http_flowdash_conf_warn_step(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf)
{
    ngx_http_flowdash_conf_warn_times(cf, conf);

    if (conf->url) {
        ngx_http_flowdash_conf_warn_upstream(cf, conf);
        ngx_http_flowdash_conf_warn_secret(cf, conf);
        ngx_http_flowdash_conf_warn_secret_stored(cf, conf);
        ngx_http_flowdash_conf_warn_braces(cf, conf);
    }
}


/* a default may be longer than what is configured: that is meant */

static void
ngx_http_flowdash_conf_warn_times(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf)
{
    if (conf->step->kind == NGX_HTTP_FLOWDASH_KIND_STEP) {
        ngx_http_flowdash_conf_warn_longer(cf, conf, conf->places.timeout,
                                           "\"flowdash_timeout\"",
                                           conf->timeout, "flowdash_deadline",
                                           conf->deadline);
    }

    if (conf->url == NULL) {
        return;
    }

    ngx_http_flowdash_conf_warn_longer(cf, conf, conf->places.connect_timeout,
                                       "\"flowdash_connect_timeout\"",
                                       conf->connect_timeout,
                                       "flowdash_timeout", conf->timeout);

    if (conf->retry && conf->step->kind == NGX_HTTP_FLOWDASH_KIND_STEP) {
        ngx_http_flowdash_conf_warn_longer(cf, conf, conf->places.retry,
                                           "\"timeout=\" in "
                                           "\"flowdash_retry\"",
                                           conf->retry->timeout,
                                           "flowdash_timeout", conf->timeout);
    }
}


static void
ngx_http_flowdash_conf_warn_longer(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf, ngx_http_flowdash_place_t *place,
    const char *inner, ngx_msec_t time, const char *outer, ngx_msec_t limit)
{
    u_char  *p, *last;
    u_char   text[NGX_TIME_T_LEN * 2 + sizeof("ms of ms") + 256];

    if (place == NULL || time <= limit) {
        return;
    }

    last = text + sizeof(text);

    p = ngx_slprintf(text, last, "%s of ", inner);
    p = ngx_http_flowdash_conf_warn_time(p, last, time);
    p = ngx_slprintf(p, last, " is longer than \"%s\" of ", outer);
    p = ngx_http_flowdash_conf_warn_time(p, last, limit);

    ngx_http_flowdash_conf_report_warn(cf, conf, place,
                "%*s, which ends it first; a time without a unit is in "
                "seconds", p - text, text);
}


static u_char *
ngx_http_flowdash_conf_warn_time(u_char *p, u_char *last, ngx_msec_t ms)
{
    return (ms % 1000) ? ngx_slprintf(p, last, "%Mms", ms)
                       : ngx_slprintf(p, last, "%Ms", ms / 1000);
}


static void
ngx_http_flowdash_conf_warn_upstream(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf)
{
    ngx_str_t                       *host;
    ngx_uint_t                       i;
    ngx_http_upstream_srv_conf_t   **uscf;
    ngx_http_upstream_main_conf_t   *umcf;

    umcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_upstream_module);

    host = &conf->url->host;
    uscf = umcf->upstreams.elts;

    for (i = 0; i < umcf->upstreams.nelts; i++) {

        /* others were made by a "proxy_pass" to a host */

        if (!(uscf[i]->flags & NGX_HTTP_UPSTREAM_CREATE)
            || uscf[i]->host.len != host->len
            || ngx_strncasecmp(uscf[i]->host.data, host->data, host->len) != 0
            || ngx_http_flowdash_conf_warn_has_server(uscf[i]))
        {
            continue;
        }

        ngx_http_flowdash_conf_report_warn(cf, conf, conf->url->place,
                    "\"flowdash_call\" \"%V\" looks up the name of a host, "
                    "and does not use the upstream \"%V\"; "
                    "\"proxy_pass %s%V\" does",
                    &conf->url->shown, &uscf[i]->host,
                    conf->url->ssl ? "https://" : "http://", &uscf[i]->host);
        return;
    }
}


/* whether one of the servers is the host whose name the upstream has */

static ngx_uint_t
ngx_http_flowdash_conf_warn_has_server(ngx_http_upstream_srv_conf_t *uscf)
{
    ngx_str_t                    *host;
    ngx_uint_t                    i;
    ngx_http_upstream_server_t   *server;

    if (uscf->servers == NULL) {
        return 0;
    }

    host = &uscf->host;
    server = uscf->servers->elts;

    for (i = 0; i < uscf->servers->nelts; i++) {

        if (server[i].name.len >= host->len
            && ngx_strncasecmp(server[i].name.data, host->data, host->len) == 0
            && (server[i].name.len == host->len
                || server[i].name.data[host->len] == ':'))
        {
            return 1;
        }
    }

    return 0;
}


/* they are sent as they are */

static void
ngx_http_flowdash_conf_warn_braces(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf)
{
    u_char                        *last;
    ngx_uint_t                     i;
    ngx_http_flowdash_url_part_t  *part;

    part = conf->url->parts.elts;

    for (i = 0; i < conf->url->parts.nelts; i++) {

        if (part[i].value) {
            continue;
        }

        last = part[i].text.data + part[i].text.len;

        if (ngx_strlchr(part[i].text.data, last, '{')
            || ngx_strlchr(part[i].text.data, last, '}'))
        {
            ngx_http_flowdash_conf_report_warn(cf, conf, conf->url->place,
                        "a brace is not allowed in a URL, and some servers "
                        "refuse the one in \"flowdash_call\" \"%V\"; all of "
                        "them accept \"%%7B\" and "
                        "\"%%7D\"", &conf->url->shown);
            return;
        }
    }
}


void
ngx_http_flowdash_conf_warn_action(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf)
{
    ngx_http_flowdash_conf_warn_user(cf, conf);

    if (conf->places.action && !ngx_http_flowdash_conf_warn_has_app(cf, conf))
    {
        conf->no_app = ngx_http_conf_get_module_loc_conf(cf,
                                                       ngx_http_core_module);
    }
}


void
ngx_http_flowdash_conf_warn_handlers(ngx_conf_t *cf, ngx_array_t *actions)
{
    ngx_uint_t                      i;
    ngx_http_flowdash_loc_conf_t  **action;

    action = actions->elts;

    for (i = 0; i < actions->nelts; i++) {

        if (action[i]->no_app == NULL || action[i]->no_app->handler) {
            continue;
        }

        ngx_http_flowdash_conf_report_warn(cf, action[i],
                    action[i]->places.action,
                    "the location has no content handler for the app, such as "
                    "\"proxy_pass\": after the steps, nginx looks for a "
                    "file, and answers with 404 or 405");
    }
}


/* the members that endpoints always get, in another spelling */

static void
ngx_http_flowdash_conf_warn_user(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf)
{
    ngx_uint_t                  i, k, n;
    ngx_http_flowdash_param_t  *user;

    static const char  *members[] = {
        "id", "email", "first_name", "last_name", NULL
    };

    user = conf->user->elts;

    for (i = 0; members[i]; i++) {

        n = conf->user->nelts;

        for (k = 0; k < conf->user->nelts; k++) {

            if (user[k].name.len == ngx_strlen(members[i])
                && ngx_strncmp(user[k].name.data, members[i], user[k].name.len)
                   == 0)
            {
                break;
            }

            if (ngx_http_flowdash_conf_warn_is_spelling(&user[k].name,
                                                        members[i]))
            {
                n = k;
            }
        }

        if (k < conf->user->nelts || n == conf->user->nelts) {
            continue;
        }

        ngx_http_flowdash_conf_report_warn(cf, conf, user[n].place,
                    "\"%V\" in \"flowdash_user\" is a separate member, and "
                    "\"%s\" is null", &user[n].name, members[i]);
    }
}


/* whether a name differs in its case, and in hyphens and the like, only */

static ngx_uint_t
ngx_http_flowdash_conf_warn_is_spelling(ngx_str_t *name, const char *member)
{
    u_char  *p, *last;

    last = name->data + name->len;

    for (p = name->data; p < last; p++) {

        if (*p == '-' || *p == '_' || *p == ' ') {
            continue;
        }

        if (*member == '_') {
            member++;
        }

        if (ngx_tolower(*p) != *member) {
            return 0;
        }

        member++;
    }

    return *member == '\0';
}


/*
 * Whether a location can answer a request that changes something.  Locations
 * inside of it, which inherit the action, may do so instead.
 */

static ngx_uint_t
ngx_http_flowdash_conf_warn_has_app(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf)
{
    ngx_str_t                     *method;
    ngx_uint_t                     i;
    ngx_queue_t                   *q;
    ngx_http_core_loc_conf_t      *clcf, *lclcf;
    ngx_http_location_queue_t     *lq;
    ngx_http_flowdash_loc_conf_t  *lflcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->handler
        || ngx_http_flowdash_conf_warn_has_page(clcf)
        || ngx_http_flowdash_conf_private_rewrites(cf, clcf->loc_conf)
        || ngx_http_flowdash_conf_private_files(cf, clcf->loc_conf))
    {
        return 1;
    }

    if (clcf->locations) {

        for (q = ngx_queue_head(clcf->locations);
             q != ngx_queue_sentinel(clcf->locations);
             q = ngx_queue_next(q))
        {
            lq = (ngx_http_location_queue_t *) q;
            lclcf = ngx_http_flowdash_compat_location(lq);
            lflcf = lclcf->loc_conf[ngx_http_flowdash_module.ctx_index];

            if (lflcf->step == NULL && (!lclcf->noname || lclcf->handler)) {
                return 1;
            }
        }
    }

    if (conf->methods == NULL) {
        return 0;
    }

    method = conf->methods->elts;

    for (i = 0; i < conf->methods->nelts; i++) {
        if (!ngx_http_flowdash_text_is(&method[i], "GET")
            && !ngx_http_flowdash_text_is(&method[i], "HEAD"))
        {
            return 0;
        }
    }

    return 1;
}


/* whether "404" or "405" of nginx leads to a named location, as a POST */

static ngx_uint_t
ngx_http_flowdash_conf_warn_has_page(ngx_http_core_loc_conf_t *clcf)
{
    ngx_str_t            *value;
    ngx_uint_t            i;
    ngx_http_err_page_t  *page;

    if (clcf->error_pages == NULL) {
        return 0;
    }

    page = clcf->error_pages->elts;

    for (i = 0; i < clcf->error_pages->nelts; i++) {

        value = &page[i].value.value;

        if ((page[i].status == NGX_HTTP_NOT_FOUND
             || page[i].status == NGX_HTTP_NOT_ALLOWED)
            && ngx_strlchr(value->data, value->data + value->len, '@'))
        {
            return 1;
        }
    }

    return 0;
}
