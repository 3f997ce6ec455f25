# Mojolicious, in its default settings.  What all programs in this directory
# have in common is said in t/lib/Test/Flowdash/Routers.pm.

use v5.36;

use Mojo::Reactor::Poll;
use Mojo::Server::Daemon;
use Mojo::Util qw(url_escape);
use Mojolicious;

my $app = Mojolicious->new;
$app->secrets([ 'not used' ]);
$app->log->level('fatal');

sub handler ($name) {
    return sub ($c) {
        my $headers = $c->res->headers;
        $headers->header('X-Handler' => $name);
        my $id = $c->stash('id') // '';
        utf8::encode($id);
        $headers->header('X-Task' => url_escape($id));
        $headers->header('X-Method' => $c->req->method);
        $c->render(data => '');
    };
}

my $r = $app->routes;
$r->get('/tasks/:id' => handler('show'));
$r->any('/tasks/:id/finish' => handler('finish'));
$r->any('/tasks/:id' => [ format => [ 'json', 'html' ] ]
        => { format => undef } => handler('save'));
$r->any('/issues/bulk_update' => handler('bulk_update'));
$r->any('/issues/:id/edit' => [ format => [ 'js' ] ] => { format => undef }
        => handler('preview'));
$r->any('/issues/:id' => [ format => [ 'json', 'html' ] ]
        => { format => undef } => handler('update'));
$r->post('/login' => handler('login'));
$r->any('/*any' => { any => '' } => handler('none'));

Mojo::Server::Daemon->new(
    app => $app, silent => 1, inactivity_timeout => 0,
    ioloop => Mojo::IOLoop->new(reactor => Mojo::Reactor::Poll->new),
    listen => [ "http://127.0.0.1:$ARGV[0]" ])->run;
