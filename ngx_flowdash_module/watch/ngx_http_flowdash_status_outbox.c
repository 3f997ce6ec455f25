
/*
 * The undos and after-steps that wait, as "flowdash_status" shows them.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_metrics.h>
#include <ngx_http_flowdash_output.h>
#include <ngx_http_flowdash_status_page_text.h>
#include <ngx_http_flowdash_status_outbox.h>


static time_t ngx_http_flowdash_status_outbox_age(
    ngx_http_flowdash_zone_t *zone);
static ngx_atomic_uint_t ngx_http_flowdash_status_outbox_size(
    ngx_http_flowdash_zone_t *zone);
static void ngx_http_flowdash_status_outbox_problem(
    ngx_http_flowdash_output_t *out, ngx_atomic_uint_t n, const char *what);


void
ngx_http_flowdash_status_outbox_json(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_zone_t *zone)
{
    ngx_http_flowdash_output(out, "\"outbox\":{\"waiting\":%uA,"
                             "\"unknown\":%uA,\"dead\":%uA,"
                             "\"oldest_seconds\":%T,\"size\":%uA,"
                             "\"delivered\":%uA,\"failed\":%uA,"
                             "\"broken\":%uA},\n",
                             zone->outbox.waiting, zone->outbox.unknown,
                             zone->outbox.dead,
                             ngx_http_flowdash_status_outbox_age(zone),
                             ngx_http_flowdash_status_outbox_size(zone),
                             zone->outbox.delivered, zone->outbox.failed,
                             zone->outbox.broken);
}


void
ngx_http_flowdash_status_outbox_prometheus(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_zone_t *zone)
{
    ngx_http_flowdash_output(out,
        "# HELP flowdash_outbox_waiting Records that wait for an endpoint.\n"
        "# TYPE flowdash_outbox_waiting gauge\n"
        "flowdash_outbox_waiting %uA\n"
        "# HELP flowdash_outbox_unknown Records that wait for a person: "
        "whether the app has acted is unknown.\n"
        "# TYPE flowdash_outbox_unknown gauge\n"
        "flowdash_outbox_unknown %uA\n"
        "# HELP flowdash_outbox_dead Records that are not sent any longer.\n"
        "# TYPE flowdash_outbox_dead gauge\n"
        "flowdash_outbox_dead %uA\n"
        "# HELP flowdash_outbox_oldest_seconds Age of the oldest record that "
        "waits for an endpoint.\n"
        "# TYPE flowdash_outbox_oldest_seconds gauge\n"
        "flowdash_outbox_oldest_seconds %T\n"
        "# HELP flowdash_outbox_size_bytes Size of all records.\n"
        "# TYPE flowdash_outbox_size_bytes gauge\n"
        "flowdash_outbox_size_bytes %uA\n"
        "# HELP flowdash_outbox_delivered_total Undos and after-steps that "
        "were delivered.\n"
        "# TYPE flowdash_outbox_delivered_total counter\n"
        "flowdash_outbox_delivered_total %uA\n"
        "# HELP flowdash_outbox_failed_total Tries of an undo or an "
        "after-step that have failed.\n"
        "# TYPE flowdash_outbox_failed_total counter\n"
        "flowdash_outbox_failed_total %uA\n"
        "# HELP flowdash_outbox_broken_total Records that could not be "
        "written.\n"
        "# TYPE flowdash_outbox_broken_total counter\n"
        "flowdash_outbox_broken_total %uA\n",
        zone->outbox.waiting, zone->outbox.unknown, zone->outbox.dead,
        ngx_http_flowdash_status_outbox_age(zone),
        ngx_http_flowdash_status_outbox_size(zone), zone->outbox.delivered,
        zone->outbox.failed, zone->outbox.broken);
}


void
ngx_http_flowdash_status_outbox_page(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_zone_t *zone)
{
    ngx_http_flowdash_outbox_counters_t  *outbox;

    outbox = &zone->outbox;

    if (outbox->scanned == 0 && outbox->delivered == 0 && outbox->failed == 0
        && outbox->broken == 0 && outbox->waiting == 0)
    {
        return;
    }

    ngx_http_flowdash_output(out, "<section class=\"outbox\">\n"
                             "<h2>Undos and after-steps</h2>\n");

    ngx_http_flowdash_status_outbox_problem(out, outbox->unknown,
                                 "unknown: a person has to decide");
    ngx_http_flowdash_status_outbox_problem(out, outbox->dead,
                                 "dead: nothing is sent any longer");
    ngx_http_flowdash_status_outbox_problem(out, outbox->broken,
                                 "could not be written to the outbox");

    ngx_http_flowdash_output(out, "<p>%uA delivered, %uA failed tries, "
                             "%uA waiting",
                             outbox->delivered, outbox->failed,
                             outbox->waiting);

    if (outbox->oldest) {
        ngx_http_flowdash_output(out, ", the oldest since ");
        ngx_http_flowdash_status_page_date(out, outbox->oldest);
        ngx_http_flowdash_output(out, "<span class=\"utc\"> UTC</span>");
    }

    ngx_http_flowdash_output(out, "</p>\n</section>\n");
}


static void
ngx_http_flowdash_status_outbox_problem(ngx_http_flowdash_output_t *out,
    ngx_atomic_uint_t n, const char *what)
{
    if (n) {
        ngx_http_flowdash_output(out, "<p class=\"stop\">%uA %s</p>\n", n,
                                 what);
    }
}


/* in seconds */

static time_t
ngx_http_flowdash_status_outbox_age(ngx_http_flowdash_zone_t *zone)
{
    time_t  oldest;

    oldest = zone->outbox.oldest;

    return (oldest && oldest < ngx_time()) ? ngx_time() - oldest : 0;
}


/* what was removed since the last scan may not have been in it */

static ngx_atomic_uint_t
ngx_http_flowdash_status_outbox_size(ngx_http_flowdash_zone_t *zone)
{
    return ngx_max((ngx_atomic_int_t) zone->outbox.size, 0);
}
