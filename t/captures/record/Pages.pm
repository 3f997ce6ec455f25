package Pages;

# Pages that send a form by themselves: as a form, by fetch(), by
# XMLHttpRequest, by jQuery, by htmx.  A file is chosen by a DataTransfer,
# which a form sends as if a person had chosen it.

use v5.36;

use JSON::PP;

use Scenarios;

my %scripts = (
    jquery => 'jquery/dist/jquery.js',
    htmx => 'htmx.org/dist/htmx.js',
);

sub script ($name) { return $scripts{$name} // die "no script $name\n" }

sub all (@names) {
    return '<!DOCTYPE html>' . join '', map {
        qq(<iframe src="/page/$_"></iframe>)
    } @names;
}

sub made ($name, $clients) {
    my ($how) = $name =~ /^(\w+)/;
    my %made = (form => 'a form', fetch => 'fetch()', xhr => 'XMLHttpRequest');
    return "record/Pages.pm, $made{$how}" if $made{$how};

    my ($package) = $scripts{$how} =~ /^([^\/]+)/;
    open my $file, '<', "$clients/node_modules/$package/package.json" or die;
    local $/;
    return "record/Pages.pm, $package "
        . decode_json(readline $file)->{version};
}

sub escaped ($text) {
    my %entity = ('<' => '&lt;', '&' => '&amp;', '"' => '&quot;');
    return $text =~ s/[<&"]/$entity{$&}/gr;
}

sub input ($name, $value) {
    $name = escaped($name);

    return qq(<input type="file" name="$name">) if !defined $value;
    return qq(<input type="file" name="$name" data-name=")
        . escaped($value->[0]) . '" data-content="'
        . escaped($value->[1] =~ s/\r/&#13;/r) =~ s/&amp;#13;/&#13;/r . '">'
        if ref $value eq 'ARRAY';
    return qq(<input type="$$value" name="$name">) if ref $value;
    return qq(<textarea name="$name">\n) . escaped($value) . '</textarea>'
        if $value =~ /\n/;
    return qq(<input name="$name" value=") . escaped($value) . '">';
}

my %send = (
    form => 'form.requestSubmit(form.querySelector("[type=image]"));',
    fetch => <<'END',
        if (what === 'query')
            fetch(url + '?' + new URLSearchParams(new FormData(form)),
                { method: 'POST' });
        else if (what === 'json')
            fetch(url, { method: 'POST', body: JSON.stringify(data),
                headers: { 'Content-Type': 'application/json' } });
        else if (what === 'urlencoded')
            fetch(url, { method: 'POST',
                body: new URLSearchParams(new FormData(form)) });
        else
            fetch(url, { method: 'POST', body: new FormData(form) });
END
    xhr => <<'END',
        const request = new XMLHttpRequest();
        request.open('POST', url);
        request.send(new FormData(form));
END
    jquery => <<'END',
        if (what === 'object')
            $.post(url, data);
        else if (what === 'serialize')
            $.ajax(url, { method: 'PUT', data: $(form).serialize() });
        else if (what === 'get')
            $.get(url, $(form).serializeArray());
        else
            $.post(url, $(form).serializeArray());
END
    htmx => "htmx.trigger(form, 'submit');",
);

sub page ($name) {
    my ($how, $what) = $name =~ /^(\w+)-(\w+)/;
    my %scenario = Scenarios::scenario('chromium', $name);
    my @fields = @{ $scenario{arguments} };
    my $data = @fields == 1 ? shift @fields : 'null';
    my $has_file = $name =~ /multipart/
        || grep { ref eq 'ARRAY' || !defined } @fields;
    my $multipart = $has_file && $name !~ /urlencoded/;
    my $method = $what eq 'get' ? 'get' : 'post';
    my $form = $how eq 'htmx'
        ? qq(<form hx-post="/$name")
            . ($multipart ? ' hx-encoding="multipart/form-data"' : '') . '>'
        : qq(<form action="/$name" method="$method")
            . ($multipart ? ' enctype="multipart/form-data"' : '') . '>';
    my $inputs = '';

    while (@fields) {
        my ($field, $value) = splice @fields, 0, 2;
        $inputs .= input($field, $value) . "\n";
    }

    my $script = $scripts{$how}
        ? qq(<script src="/script/$how"></script>) : '';

    return <<"END";
<!DOCTYPE html>
<html><head><meta charset="utf-8">$script</head><body>
$form
$inputs</form>
<script>
    const url = '/$name', what = '$what', data = $data;
    const form = document.querySelector('form');

    for (const input of form.querySelectorAll('[data-name]')) {
        const chosen = new DataTransfer();
        chosen.items.add(new File([ input.dataset.content ],
            input.dataset.name, { type: 'text/plain' }));
        input.files = chosen.files;
    }

    addEventListener('load', () => setTimeout(() => {
        $send{$how}
    }, 100));
</script>
</body></html>
END
}

1;
