package Test::Flowdash::App;

=head1 NAME

Test::Flowdash::App - a task app with an edit form, as the usual ones are

=head1 SYNOPSIS

    require Test::Flowdash::App;

    $t->server(app => \&Test::Flowdash::App::serve);

=head1 DESCRIPTION

A Mojolicious app.  What it is sent is read by Mojolicious' own parser, so that
the module's is checked by another one.  GET /issues/1 is the form, multipart
or, by ?enctype=application/x-www-form-urlencoded, urlencoded.  POST or PUT
stores its fields and answers a page that shows them; each is recorded, for
$t->requests('app'), with these members besides:

    params    the last value of each name, the query's if it has one
    fields    [name, value] of each field of the body, in order
    uploads   { name, filename, type, size, sha256 } of each file, in order
    order     the names of a multipart body's parts, in order

Their strings are characters, not bytes.  There is no body: it may be large.

=cut

use v5.36;
use utf8;

use Digest::SHA;
use Mojo::IOLoop;
use Mojo::Reactor::Poll;
use Mojo::Server::Daemon;
use Mojo::Util qw(decode);
use Mojolicious;

use Test::Flowdash::HTTP;

use constant TOKEN => 'kq3/Xb+7w==';        # against forged requests

# Serves a listening socket, in a process of its own, and never returns.

sub serve ($listen, $record) {
    my $daemon = Mojo::Server::Daemon->new(
        app => _app($record), silent => 1, inactivity_timeout => 0,
        ioloop => Mojo::IOLoop->new(reactor => Mojo::Reactor::Poll->new),
        listen => [ 'http://127.0.0.1?fd=' . fileno $listen ]);

    $daemon->start;
    $daemon->ioloop->start;
}

sub _app ($record) {
    my $app = Mojolicious->new;
    my %issue;                  # by id: its fields' values, by their names

    $app->secrets([ 'not used' ]);
    $app->log->level('error')->handle(\*STDERR);
    $app->max_request_size(0);

    $app->routes->get('/issues/:id' => sub ($c) {
        $c->render(inline => _form(), token => TOKEN,
                   enctype => $c->param('enctype') // 'multipart/form-data',
                   issue => $issue{$c->stash('id')} // {});
    });

    $app->routes->any([ 'POST', 'PUT' ] => '/issues/:id' => sub ($c) {
        my $got = _got($c->req);
        my $params = $got->{params};

        return $c->render(text => "Forged?\n", status => 403)
            if ($params->{authenticity_token} // '') ne TOKEN;

        $issue{$c->stash('id')} = $params;
        $record->($got);
        $c->render(inline => _stored(), got => $got);
    });

    return $app;
}

sub _got ($req) {
    my $params = $req->params;
    my $body = $req->body_params->pairs;
    my $content = $req->content;

    my %got = (
        method => $req->method, target => $req->url->to_string,
        version => $req->version, body => '', order => [],
        headers => [ map { [ split /: /, $_, 2 ] }
                         split /\r\n/, $req->headers->to_string ],
        params => { map { $_ => $params->param($_) } @{ $params->names } },
        uploads => [ map { _upload($_) } @{ $req->uploads } ],
    );

    while (my ($name, $value) = splice @$body, 0, 2) {
        push @{ $got{fields} }, [ $name, $value ];
    }

    for my $part ($content->is_multipart ? @{ $content->parts } : ()) {
        my ($name) = $part->headers->content_disposition =~ / name="([^"]*)"/;
        push @{ $got{order} }, decode('UTF-8', $name);
    }

    return bless \%got, 'Test::Flowdash::Message';
}

sub _upload ($upload) {
    my $asset = $upload->asset;
    my $sha = Digest::SHA->new(256);

    for (my $at = 0; $at < $asset->size; ) {
        my $chunk = $asset->get_chunk($at, 1 << 18);
        $sha->add($chunk);
        $at += length $chunk;
    }

    return { name => $upload->name, filename => $upload->filename,
             type => $upload->headers->content_type,
             size => $asset->size, sha256 => $sha->hexdigest };
}

sub _form { return <<'END' }
% my $value = sub { $issue->{"issue[$_[0]]"} // '' };
<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Edit</title></head>
<body>
<h1>Edit issue <%= $id %></h1>
<form method="post" enctype="<%= $enctype %>" action="/issues/<%= $id %>"
      accept-charset="UTF-8">
  <input type="hidden" name="utf8" value="✓">
  <input type="hidden" name="_method" value="patch">
  <input type="hidden" name="authenticity_token" value="<%= $token %>">
  <label>Subject <input name="issue[subject]" id="subject"
                        value="<%= $value->('subject') %>"></label>
  <label>Status <select name="issue[status_id]" id="status">
% for my $status ([ 1, 'New' ], [ 2, 'Open' ], [ 5, 'Closed' ]) {
    <option value="<%= $status->[0] %>"
%   if ($status->[0] eq $value->('status_id')) {
            selected
%   }
            ><%= $status->[1] %></option>
% }
  </select></label>
  <label>Due <input name="issue[due_date]" id="due"
                    value="<%= $value->('due_date') %>"></label>
  <input type="hidden" name="issue[lock_version]" value="3">
  <input type="hidden" name="issue[is_private]" value="0">
  <label><input type="checkbox" name="issue[is_private]" id="private"
                value="1"> Private</label>
  <label>Customer <input name="issue[custom_field_values][1]" id="custom"
                value="<%= $value->('custom_field_values][1') %>"></label>
  <label>Plan <input type="file" name="issue[plan]" id="plan"></label>
  <label>Notes <textarea name="issue[notes]" id="notes"></textarea></label>
  <label>File <input type="file" name="attachments[1][file]"
                     id="file"></label>
  <input name="attachments[1][description]" id="description">
  <button name="commit" value="Submit" id="submit">Submit</button>
</form>
</body>
</html>
END

sub _stored { return <<'END' }
<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Stored</title></head>
<body>
<h1>Issue <%= $id %> is stored</h1>
<table>
% for my $name (sort keys %{ $got->{params} }) {
  <tr data-name="<%= $name %>"><th><%= $name %></th>
      <td><%= $got->{params}{$name} %></td></tr>
% }
% for my $file (@{ $got->{uploads} }) {
  <tr data-name="<%= $file->{name} %>"><th><%= $file->{filename} %></th>
      <td><%= $file->{sha256} %></td></tr>
% }
</table>
</body>
</html>
END

1;
