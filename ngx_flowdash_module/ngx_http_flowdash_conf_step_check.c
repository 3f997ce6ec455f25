
/*
 * Checks a step, undo or after-step as soon as its block has been read.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_compat.h>
#include <ngx_http_flowdash_secret.h>
#include <ngx_http_flowdash_conf_util.h>
#include <ngx_http_flowdash_call_step.h>
#include <ngx_http_flowdash_conf_report.h>
#include <ngx_http_flowdash_conf_block.h>
#include <ngx_http_flowdash_conf_private.h>
#include <ngx_http_flowdash_conf_step_directives.h>
#include <ngx_http_flowdash_conf_step_check.h>


typedef struct {
    const char                     *name;
    const char                     *reason;
} ngx_http_flowdash_idle_t;


static char *ngx_http_flowdash_conf_step_check_locations(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step);
static char *ngx_http_flowdash_conf_step_check_handler(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step);
static char *ngx_http_flowdash_conf_step_check_delivery(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step);
static char *ngx_http_flowdash_conf_step_check_idle(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step, ngx_http_flowdash_conf_block_t *block);
static ngx_uint_t ngx_http_flowdash_conf_step_check_is_idle(ngx_str_t *name);
static void ngx_http_flowdash_conf_step_check_secret(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step, ngx_http_flowdash_conf_block_t *block,
    ngx_str_t *name, ngx_http_flowdash_place_t *place);
static ngx_uint_t ngx_http_flowdash_conf_step_check_passes(ngx_str_t *name);


static const char  ngx_http_flowdash_idle_access[] =
    "has no effect in a step, which is not a client's request: write it in "
    "the action's location to limit who may perform the action; "
    "\"flowdash_allow\" and \"flowdash_deny\" limit where calls may go";


static const char  ngx_http_flowdash_idle_limit[] =
    "has no effect in a step, which is not a client's request: write it in "
    "the action's location";


/* directives of nginx that have no effect in a step, and what helps instead */

static ngx_http_flowdash_idle_t  ngx_http_flowdash_idle_directives[] = {

    { "allow", ngx_http_flowdash_idle_access },
    { "deny", ngx_http_flowdash_idle_access },
    { "auth_basic", ngx_http_flowdash_idle_access },
    { "auth_basic_user_file", ngx_http_flowdash_idle_access },
    { "auth_request", ngx_http_flowdash_idle_access },
    { "auth_jwt", ngx_http_flowdash_idle_access },
    { "satisfy", ngx_http_flowdash_idle_access },
    { "limit_req", ngx_http_flowdash_idle_limit },

    { "error_page",
      "has no effect in a step: a step's error fails the step, and is not "
      "replaced by a page; write it in the action's location, for the page of "
      "a failed action" },

    { NULL, NULL }
};


char *
ngx_http_flowdash_conf_step_only(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_flowdash_loc_conf_t *flcf)
{
    if (flcf->step) {
        return NGX_CONF_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"%V\" is allowed in \"flowdash_step\" only",
                       &cmd->name);

    return NGX_CONF_ERROR;
}


char *
ngx_http_flowdash_conf_step_check(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step, ngx_http_flowdash_conf_block_t *block)
{
    char  *rv;

    rv = ngx_http_flowdash_conf_step_check_locations(cf, step);

    if (rv == NGX_CONF_OK) {
        rv = ngx_http_flowdash_conf_step_directives(cf, step, block);
    }

    if (rv == NGX_CONF_OK) {
        rv = ngx_http_flowdash_conf_step_check_handler(cf, step);
    }

    if (rv == NGX_CONF_OK) {
        rv = ngx_http_flowdash_conf_step_check_idle(cf, step, block);
    }

    return rv;
}


static char *
ngx_http_flowdash_conf_step_check_locations(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step)
{
    ngx_queue_t                *q;
    ngx_http_core_loc_conf_t   *clcf, *lclcf;
    ngx_http_location_queue_t  *lq;
    u_char                     *p, text[NGX_MAX_CONF_ERRSTR];

    clcf = step->loc_conf[ngx_http_core_module.ctx_index];

    if (clcf->locations == NULL) {
        return NGX_CONF_OK;
    }

    for (q = ngx_queue_head(clcf->locations);
         q != ngx_queue_sentinel(clcf->locations);
         q = ngx_queue_next(q))
    {
        lq = (ngx_http_location_queue_t *) q;
        lclcf = ngx_http_flowdash_compat_location(lq);

        /* "if" makes locations without a name */

        if (!lclcf->noname) {
            p = ngx_http_flowdash_conf_report_name(text, text + sizeof(text),
                                                   step);

            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "location \"%V\" in %*s: a step has no "
                               "locations; is a \"}\" missing before it?",
                               &lclcf->name, p - text, text);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_flowdash_conf_step_check_handler(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step)
{
    ngx_http_core_loc_conf_t      *clcf;
    ngx_http_flowdash_loc_conf_t  *flcf;
    u_char                        *p, text[NGX_MAX_CONF_ERRSTR];

    clcf = step->loc_conf[ngx_http_core_module.ctx_index];
    flcf = step->loc_conf[ngx_http_flowdash_module.ctx_index];

    if (flcf->url && clcf->handler != ngx_http_flowdash_call_step_handler) {

        p = ngx_http_flowdash_conf_report_name(text, text + sizeof(text),
                                               step);

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"flowdash_call\" in %*s: the step has another "
                           "content handler as well; is a \"}\" missing "
                           "before it?", p - text, text);
        return NGX_CONF_ERROR;
    }

    if (step->kind != NGX_HTTP_FLOWDASH_KIND_STEP) {
        return ngx_http_flowdash_conf_step_check_delivery(cf, step);
    }

    if (clcf->handler == NULL
        && !ngx_http_flowdash_conf_private_rewrites(cf, step->loc_conf))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"flowdash_step\" \"%V\" has no content handler, "
                           "such as \"flowdash_call\" or \"proxy_pass\"",
                           &step->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* an undo or after-step is no request of nginx: only flowdash_call makes it */

static char *
ngx_http_flowdash_conf_step_check_delivery(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step)
{
    ngx_http_core_loc_conf_t      *clcf;
    ngx_http_flowdash_loc_conf_t  *flcf;

    clcf = step->loc_conf[ngx_http_core_module.ctx_index];
    flcf = step->loc_conf[ngx_http_flowdash_module.ctx_index];

    if (ngx_http_flowdash_conf_private_has_codes(cf, step->loc_conf)) {
        return ngx_http_flowdash_conf_report_refuse(cf, flcf,
                    flcf->places.step,
                    "\"if\", \"set\", \"return\" and \"rewrite\" are not "
                    "executed here: a \"map\" in the http block can set a "
                    "variable, and \"flowdash_if\" decides whether the call "
                    "is made");
    }

    if (flcf->url == NULL) {
        return ngx_http_flowdash_conf_report_refuse(cf, flcf,
                    flcf->places.step,
                    clcf->handler
                    ? "no other content handler can be used here: "
                      "\"flowdash_call\" is expected"
                    : "\"flowdash_call\" is missing");
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_flowdash_conf_step_check_idle(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step, ngx_http_flowdash_conf_block_t *block)
{
    ngx_int_t                      rc;
    ngx_str_t                      name;
    ngx_http_flowdash_idle_t      *idle;
    ngx_http_flowdash_place_t      place;
    ngx_http_flowdash_loc_conf_t  *flcf;

    rc = ngx_http_flowdash_conf_block_read(cf, block);

    if (rc != NGX_OK) {
        return (rc == NGX_ERROR) ? NGX_CONF_ERROR : NGX_CONF_OK;
    }

    flcf = step->loc_conf[ngx_http_flowdash_module.ctx_index];

    place.file = block->file;
    place.warned = 0;

    while (ngx_http_flowdash_conf_block_next(block, &name, &place.line)
           == NGX_OK)
    {
        for (idle = ngx_http_flowdash_idle_directives;
             idle->name && step->kind == NGX_HTTP_FLOWDASH_KIND_STEP;
             idle++)
        {
            if (ngx_strlen(idle->name) == name.len
                && ngx_strncmp(idle->name, name.data, name.len) == 0)
            {
                ngx_http_flowdash_conf_report_warn(cf, flcf, &place,
                                                   "\"%V\" %s", &name,
                                                   idle->reason);
                place.warned = 0;
            }
        }

        if (step->kind != NGX_HTTP_FLOWDASH_KIND_STEP
            && ngx_http_flowdash_conf_step_check_is_idle(&name))
        {
            ngx_http_flowdash_conf_report_warn(cf, flcf, &place,
                        "\"%V\" has no effect here, where nginx makes no "
                        "request of its own", &name);
            place.warned = 0;
        }

        ngx_http_flowdash_conf_step_check_secret(cf, step, block, &name,
                                                 &place);
    }

    return NGX_CONF_OK;
}


/* whether flowdash_call makes no use of a directive */

static ngx_uint_t
ngx_http_flowdash_conf_step_check_is_idle(ngx_str_t *name)
{
    return (name->len < 9 || ngx_strncmp(name->data, "flowdash_", 9) != 0)
           && !ngx_http_flowdash_text_is(name, "resolver")
           && !ngx_http_flowdash_text_is(name, "resolver_timeout")
           && !ngx_http_flowdash_text_is(name, "include");
}


/* of nginx's directives: our own warn as they are read */

static void
ngx_http_flowdash_conf_step_check_secret(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step, ngx_http_flowdash_conf_block_t *block,
    ngx_str_t *name, ngx_http_flowdash_place_t *place)
{
    ngx_str_t                       value;
    ngx_http_flowdash_secret_t     *secret;
    ngx_http_flowdash_main_conf_t  *fmcf;

    fmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_flowdash_module);

    if (fmcf->secrets == NULL
        || (name->len > 9 && ngx_strncmp(name->data, "flowdash_", 9) == 0))
    {
        return;
    }

    while (ngx_http_flowdash_conf_block_value(block, &value) == NGX_OK) {

        secret = ngx_http_flowdash_secret_in(fmcf->secrets, &value);

        if (secret) {
            ngx_http_flowdash_conf_report_warn(cf,
                        step->loc_conf[ngx_http_flowdash_module.ctx_index],
                        place, "the secret \"$%V\" is empty in \"%V\": only "
                        "\"flowdash_set_header\", \"flowdash_set_body\" and "
                        "\"flowdash_call\" can send it", &secret->name,
                        name);
            place->warned = 0;
        }
    }
}


/*
 * If the "}" of a step is missing, it has directives that are for its action:
 * nginx has said which of them it refuses, but not why it is there.
 */

void
ngx_http_flowdash_conf_step_check_end(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step, ngx_http_flowdash_conf_block_t *block)
{
    ngx_str_t                      name, handler;
    ngx_uint_t                     line;
    ngx_http_flowdash_loc_conf_t  *flcf;

    if (ngx_http_flowdash_conf_block_read(cf, block) != NGX_OK) {
        return;
    }

    flcf = step->loc_conf[ngx_http_flowdash_module.ctx_index];
    ngx_str_null(&handler);

    while (ngx_http_flowdash_conf_block_next(block, &name, &line) == NGX_OK) {

        if (!ngx_http_flowdash_conf_step_check_passes(&name)) {
            continue;
        }

        if (ngx_http_flowdash_text_equal(&name, &handler)) {
            (void) ngx_http_flowdash_conf_report_refuse(cf, flcf,
                         flcf->places.step, "\"%V\" is in the step twice; is "
                                            "a \"}\" missing between "
                                            "them?", &name);
            return;
        }

        handler = name;
    }

    if (cf->conf_file->file.offset >= ngx_file_size(&cf->conf_file->file.info)
        && cf->conf_file->buffer->pos >= cf->conf_file->buffer->last)
    {
        (void) ngx_http_flowdash_conf_report_refuse(cf, flcf,
                         flcf->places.step,
                         "the \"}\" of the step is missing");
    }
}


/* whether a directive is one of nginx's that pass requests on */

static ngx_uint_t
ngx_http_flowdash_conf_step_check_passes(ngx_str_t *name)
{
    return name->len > sizeof("_pass") - 1
           && ngx_strncmp(name->data + name->len - (sizeof("_pass") - 1),
                          "_pass", sizeof("_pass") - 1)
              == 0;
}
