<?php

// How PHP reads requests: a router of its server.  It answers with what
// Test::Flowdash::Parsers explains.

function plain($value)
{
    if (is_int($value) || is_float($value)) {
        return ['$number' => var_export($value, true)];
    }

    if (is_object($value)) {
        $members = new stdClass;
        foreach (get_object_vars($value) as $name => $member) {
            $members->{$name} = plain($member);
        }
        return $members;
    }

    if (!is_array($value)) {
        return $value;
    }

    if (array_is_list($value) && $value) {
        return array_map('plain', $value);
    }

    return (object) array_map('plain', $value);
}

// $_FILES has its levels the wrong way round

function files($name, $type, $size, $error)
{
    if (!is_array($name)) {
        return ['$file' => [$name, $type, $size, $error]];
    }

    $all = [];
    foreach ($name as $key => $one) {
        $all[$key] = files($one, $type[$key], $size[$key], $error[$key]);
    }
    return array_is_list($all) && $all ? $all : (object) $all;
}

$files = new stdClass;
foreach ($_FILES as $name => $file) {
    $files->{$name} = files($file['name'], $file['type'], $file['size'],
                            $file['error']);
}

$body = file_get_contents('php://input');
$json = json_decode($body);
$php = [['query', 'tree', plain((object) $_GET)]];

if (stripos($_SERVER['CONTENT_TYPE'] ?? '', 'json') !== false) {
    if ($json !== null) {
        $php[] = ['body', 'tree', plain($json)];
    }
} else {
    $php[] = ['body', 'tree', plain((object) $_POST)];
    $php[] = ['body', 'tree', $files];
    $php[] = ['merged', 'tree', plain((object) $_REQUEST)];
}

echo json_encode([
    'php' => $php,
    'php json' => $json === null ? null : [['json', 'tree', plain($json)]],
], JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE), "\n";
