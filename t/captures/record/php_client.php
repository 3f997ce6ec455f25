<?php

// PHP: CLIENT KIND URL [NAME VALUE | NAME @FILE] ...
// CLIENT is guzzle or symfony (Debian's packages), curl (the extension) or
// stream (file_get_contents() with http_build_query()).

[, $client, $kind, $url] = $argv;
$rest = array_slice($argv, 4);
$fields = $kind === 'json' ? [] : array_chunk($rest, 2);

// name[a][]=b becomes ['name' => ['a' => ['b']]], as PHP's users write it
$tree = [];
foreach ($fields as [$name, $value]) {
    $keys = explode('[', str_replace(']', '', $name));
    $at = &$tree;
    foreach ($keys as $key) {
        if ($key === '') {
            $at = &$at[];
        } else {
            $at = &$at[$key];
        }
    }
    $at = $value;
    unset($at);
}

function guzzle($kind, $url, $rest, $fields, $tree)
{
    require 'GuzzleHttp/autoload.php';

    $parts = array_map(fn($field) => [
        'name' => $field[0],
        'contents' => str_starts_with($field[1], '@')
            ? fopen(substr($field[1], 1), 'r') : $field[1],
    ], $fields);

    $options = match ($kind) {
        'json' => ['json' => json_decode($rest[0])],
        'urlencoded' => ['form_params' => $tree],
        'query' => ['query' => $tree],
        'multipart' => ['multipart' => $parts],
    };
    (new GuzzleHttp\Client())->post($url, $options);
}

function symfony($kind, $url, $rest, $fields, $tree)
{
    require 'Symfony/Component/HttpClient/autoload.php';
    require 'Symfony/Component/Mime/autoload.php';

    $parts = array_map(fn($field) => [
        $field[0] => str_starts_with($field[1], '@')
            ? Symfony\Component\Mime\Part\DataPart::fromPath(
                substr($field[1], 1))
            : $field[1],
    ], $fields);

    $options = match ($kind) {
        'json' => ['json' => json_decode($rest[0])],
        'urlencoded' => ['body' => $tree],
        'query' => ['query' => $tree],
        'multipart' => null,
    };
    if ($kind === 'multipart') {
        $form = new Symfony\Component\Mime\Part\Multipart\FormDataPart($parts);
        $options = ['headers' => $form->getPreparedHeaders()->toArray(),
                    'body' => $form->bodyToString()];
    }
    $client = Symfony\Component\HttpClient\HttpClient::create();
    $client->request('POST', $url, $options)->getContent();
}

function curl($kind, $url, $rest, $fields, $tree)
{
    $curl = curl_init($url);
    curl_setopt($curl, CURLOPT_RETURNTRANSFER, true);
    curl_setopt($curl, CURLOPT_POSTFIELDS, match ($kind) {
        'json' => json_encode(json_decode($rest[0])),
        'urlencoded' => http_build_query($tree),
        'multipart' => array_combine(
            array_column($fields, 0),
            array_map(fn($field) => str_starts_with($field[1], '@')
                ? new CURLFile(substr($field[1], 1), 'text/plain',
                               basename($field[1]))
                : $field[1], $fields)),
    });
    if ($kind === 'json') {
        curl_setopt($curl, CURLOPT_HTTPHEADER,
                    ['Content-Type: application/json']);
    }
    curl_exec($curl);
}

function stream($kind, $url, $rest, $fields, $tree)
{
    [$type, $content] = $kind === 'json'
        ? ['application/json', json_encode(json_decode($rest[0]))]
        : ['application/x-www-form-urlencoded', http_build_query($tree)];

    file_get_contents($url, false, stream_context_create(['http' => [
        'method' => 'POST',
        'header' => "Content-Type: $type\r\n",
        'content' => $content,
    ]]));
}

$client($kind, $url, $rest, $fields, $tree);
