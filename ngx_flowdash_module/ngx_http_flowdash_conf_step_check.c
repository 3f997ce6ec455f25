
/*
 * Checks a flowdash_step as soon as its block has been read.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_compat.h>
#include <ngx_http_flowdash_secret.h>
#include <ngx_http_flowdash_conf_util.h>
#include <ngx_http_flowdash_egress.h>
#include <ngx_http_flowdash_call_step.h>
#include <ngx_http_flowdash_conf_report.h>
#include <ngx_http_flowdash_conf_block.h>
#include <ngx_http_flowdash_conf_private.h>
#include <ngx_http_flowdash_conf_step_check.h>


/* a directive whose value in the configuration is as wide as a pointer */

typedef struct {
    const char                     *name;
    size_t                          offset;
    intptr_t                        unset;     /* as long as it is not given */
    const char                     *proxied;   /* its like for proxy_pass */
} ngx_http_flowdash_directive_t;


typedef struct {
    const char                     *name;
    const char                     *reason;
} ngx_http_flowdash_idle_t;


static char *ngx_http_flowdash_conf_step_check_locations(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step);
static char *ngx_http_flowdash_conf_step_check_directives(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step, ngx_http_flowdash_conf_block_t *block);
static const char *ngx_http_flowdash_conf_step_check_place(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *flcf, ngx_http_flowdash_conf_block_t *block,
    ngx_http_flowdash_directive_t *d, ngx_http_flowdash_place_t *place);
static ngx_http_flowdash_directive_t *ngx_http_flowdash_conf_step_check_find(
    ngx_http_flowdash_loc_conf_t *flcf, ngx_http_flowdash_directive_t *d);
static char *ngx_http_flowdash_conf_step_check_handler(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step);
static char *ngx_http_flowdash_conf_step_check_idle(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step, ngx_http_flowdash_conf_block_t *block);
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


/* directives that are for the whole action, not for a step */

static ngx_http_flowdash_directive_t  ngx_http_flowdash_action_directives[] = {

    { "flowdash_task",
      offsetof(ngx_http_flowdash_loc_conf_t, pointer), NGX_CONF_UNSET, NULL },

    { "flowdash_task_from",
      offsetof(ngx_http_flowdash_loc_conf_t, task_from), NGX_CONF_UNSET,
      NULL },

    { "flowdash_user_from",
      offsetof(ngx_http_flowdash_loc_conf_t, user_from), NGX_CONF_UNSET,
      NULL },

    { "flowdash_require_user",
      offsetof(ngx_http_flowdash_loc_conf_t, require_user), NGX_CONF_UNSET,
      NULL },

    { "flowdash_extract",
      offsetof(ngx_http_flowdash_loc_conf_t, extracts), NGX_CONF_UNSET, NULL },

    { "flowdash_set",
      offsetof(ngx_http_flowdash_loc_conf_t, set), NGX_CONF_UNSET, NULL },

    { "flowdash_methods",
      offsetof(ngx_http_flowdash_loc_conf_t, methods), NGX_CONF_UNSET, NULL },

    { "flowdash_guard",
      offsetof(ngx_http_flowdash_loc_conf_t, guard), NGX_CONF_UNSET, NULL },

    { "flowdash_types",
      offsetof(ngx_http_flowdash_loc_conf_t, types), NGX_CONF_UNSET, NULL },

    { "flowdash_strict",
      offsetof(ngx_http_flowdash_loc_conf_t, strict), NGX_CONF_UNSET, NULL },

    { "flowdash_languages",
      offsetof(ngx_http_flowdash_loc_conf_t, languages), NGX_CONF_UNSET,
      NULL },

    { "flowdash_deadline",
      offsetof(ngx_http_flowdash_loc_conf_t, deadline), NGX_CONF_UNSET, NULL },

    { "flowdash_max_fields_size",
      offsetof(ngx_http_flowdash_loc_conf_t, max_fields_size),
      NGX_CONF_UNSET, NULL },

    { "flowdash_max_fields",
      offsetof(ngx_http_flowdash_loc_conf_t, max_fields), NGX_CONF_UNSET,
      NULL },

    { "flowdash_decode",
      offsetof(ngx_http_flowdash_loc_conf_t, decode), NGX_CONF_UNSET, NULL },

    { "flowdash_dry_run",
      offsetof(ngx_http_flowdash_loc_conf_t, dry_run), NGX_CONF_UNSET, NULL },

    { "flowdash_outcome",
      offsetof(ngx_http_flowdash_loc_conf_t, outcome), NGX_CONF_UNSET, NULL },

    { "flowdash_success",
      offsetof(ngx_http_flowdash_loc_conf_t, success), NGX_CONF_UNSET, NULL },

    { "flowdash_once",
      offsetof(ngx_http_flowdash_loc_conf_t, once), NGX_CONF_UNSET, NULL },

    { NULL, 0, 0, NULL }
};


/* directives that mean nothing without flowdash_call */

static ngx_http_flowdash_directive_t  ngx_http_flowdash_call_directives[] = {

    { "flowdash_retry",
      offsetof(ngx_http_flowdash_loc_conf_t, retry), NGX_CONF_UNSET,
      "proxy_next_upstream" },

    { "flowdash_resend",
      offsetof(ngx_http_flowdash_loc_conf_t, resend), NGX_CONF_UNSET, NULL },

    { "flowdash_allow\" and \"flowdash_deny",
      offsetof(ngx_http_flowdash_loc_conf_t, rules), NGX_CONF_UNSET, NULL },

    { "flowdash_proxy",
      offsetof(ngx_http_flowdash_loc_conf_t, proxy), NGX_CONF_UNSET, NULL },

    { "flowdash_http_version",
      offsetof(ngx_http_flowdash_loc_conf_t, http_version), NGX_CONF_UNSET,
      "proxy_http_version" },

    { "flowdash_connect_timeout",
      offsetof(ngx_http_flowdash_loc_conf_t, connect_timeout),
      NGX_CONF_UNSET, "proxy_connect_timeout" },

    { "flowdash_ssl_verify",
      offsetof(ngx_http_flowdash_loc_conf_t, ssl_verify), NGX_CONF_UNSET,
      "proxy_ssl_verify" },

    { "flowdash_ssl_protocols",
      offsetof(ngx_http_flowdash_loc_conf_t, ssl_protocols), 0,
      "proxy_ssl_protocols" },

    { "flowdash_ssl_trusted_certificate",
      offsetof(ngx_http_flowdash_loc_conf_t,
               ssl_trusted_certificate.name.data), 0,
      "proxy_ssl_trusted_certificate" },

    { "flowdash_ssl_certificate",
      offsetof(ngx_http_flowdash_loc_conf_t, ssl_certificate.name.data), 0,
      "proxy_ssl_certificate" },

    { "flowdash_ssl_certificate_key",
      offsetof(ngx_http_flowdash_loc_conf_t, ssl_certificate_key.name.data),
      0, "proxy_ssl_certificate_key" },

    { "flowdash_ssl_pinned_key",
      offsetof(ngx_http_flowdash_loc_conf_t, ssl_pinned_key.data), 0, NULL },

    { NULL, 0, 0, NULL }
};


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
        rv = ngx_http_flowdash_conf_step_check_directives(cf, step, block);
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
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "location \"%V\" in \"flowdash_step\" "
                               "\"%V\": a step has no locations; "
                               "is a \"}\" missing before it?",
                               &lclcf->name, &step->name);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_flowdash_conf_step_check_directives(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step, ngx_http_flowdash_conf_block_t *block)
{
    const char                     *name;
    ngx_http_flowdash_place_t       place;
    ngx_http_flowdash_loc_conf_t   *flcf;
    ngx_http_flowdash_directive_t  *set;

    flcf = step->loc_conf[ngx_http_flowdash_module.ctx_index];

    set = ngx_http_flowdash_conf_step_check_find(flcf,
                                         ngx_http_flowdash_action_directives);
    if (set) {
        name = ngx_http_flowdash_conf_step_check_place(cf, flcf, block, set,
                                                       &place);

        return ngx_http_flowdash_conf_report_refuse(cf, flcf, &place,
                    "\"%s\" is for the whole action, not for a step: write it "
                    "outside the step, in the action's location", name);
    }

    if (flcf->url) {
        return NGX_CONF_OK;
    }

    set = ngx_http_flowdash_conf_step_check_find(flcf,
                                         ngx_http_flowdash_call_directives);
    if (set == NULL) {
        return NGX_CONF_OK;
    }

    name = ngx_http_flowdash_conf_step_check_place(cf, flcf, block, set,
                                                   &place);

    if (set->proxied) {
        return ngx_http_flowdash_conf_report_refuse(cf, flcf, &place,
                    "\"%s\" is for \"flowdash_call\" only: with "
                    "\"proxy_pass\", write \"%s\"", name, set->proxied);
    }

    return ngx_http_flowdash_conf_report_refuse(cf, flcf, &place,
                    "\"%s\" is for \"flowdash_call\" only: other content "
                    "handlers have no equivalent", name);
}


/* returns the name: two directives may share a value */

static const char *
ngx_http_flowdash_conf_step_check_place(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *flcf, ngx_http_flowdash_conf_block_t *block,
    ngx_http_flowdash_directive_t *d, ngx_http_flowdash_place_t *place)
{
    ngx_http_flowdash_rule_t   *rule;
    ngx_http_flowdash_param_t  *param;

    if (d->offset == offsetof(ngx_http_flowdash_loc_conf_t, set)) {
        param = flcf->set->elts;
        *place = *param->place;
        return param->json ? "flowdash_set_json" : d->name;
    }

    if (d->offset == offsetof(ngx_http_flowdash_loc_conf_t, rules)) {
        rule = flcf->rules->elts;
        *place = *rule->place;
        return d->name;
    }

    place->file = cf->conf_file->file.name;
    place->line = cf->conf_file->line;

    if (ngx_http_flowdash_conf_block_read(cf, block) == NGX_OK) {
        place->line = ngx_http_flowdash_conf_block_line(block, d->name);
    }

    return d->name;
}


/* returns the first directive of a table that the step has, or NULL */

static ngx_http_flowdash_directive_t *
ngx_http_flowdash_conf_step_check_find(ngx_http_flowdash_loc_conf_t *flcf,
    ngx_http_flowdash_directive_t *d)
{
    intptr_t  value;

    for ( /* void */ ; d->name; d++) {

        ngx_memcpy(&value, (u_char *) flcf + d->offset, sizeof(intptr_t));

        if (value != d->unset) {
            return d;
        }
    }

    return NULL;
}


static char *
ngx_http_flowdash_conf_step_check_handler(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step)
{
    ngx_http_core_loc_conf_t      *clcf;
    ngx_http_flowdash_loc_conf_t  *flcf;

    clcf = step->loc_conf[ngx_http_core_module.ctx_index];
    flcf = step->loc_conf[ngx_http_flowdash_module.ctx_index];

    if (flcf->url && clcf->handler != ngx_http_flowdash_call_step_handler) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"flowdash_call\" in \"flowdash_step\" \"%V\": "
                           "the step has another content handler as well; is "
                           "a \"}\" missing before it?", &step->name);
        return NGX_CONF_ERROR;
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
        for (idle = ngx_http_flowdash_idle_directives; idle->name; idle++) {

            if (ngx_strlen(idle->name) == name.len
                && ngx_strncmp(idle->name, name.data, name.len) == 0)
            {
                ngx_http_flowdash_conf_report_warn(cf, flcf, &place,
                                                   "\"%V\" %s", &name,
                                                   idle->reason);
                place.warned = 0;
            }
        }

        ngx_http_flowdash_conf_step_check_secret(cf, step, block, &name,
                                                 &place);
    }

    return NGX_CONF_OK;
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
