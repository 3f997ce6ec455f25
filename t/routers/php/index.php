<?php

// A front controller that takes PATH_INFO apart, as many small apps do.  What
// all programs in this directory have in common is said in
// t/lib/Test/Flowdash/Routers.pm.

$path = $_SERVER['PATH_INFO']
    ?? rawurldecode(strtok($_SERVER['REQUEST_URI'], '?'));
$path = explode('/', trim($path, '/'));
$id = '';
$name = 'none';

if ($path[0] === 'login') {
    $name = 'login';

} elseif ($path[0] === 'tasks' && isset($path[1])) {
    $id = (string) (int) $path[1];
    $name = ($path[2] ?? '') === 'finish' ? 'finish' : 'save';

} elseif ($path[0] === 'issues' && isset($path[1])) {
    $id = (string) (int) $path[1];
    $name = $path[1] === 'bulk_update' ? 'bulk_update'
        : (in_array($path[2] ?? '', ['edit', 'edit.js']) ? 'preview'
           : 'update');
}

header("X-Handler: $name");
header("X-Task: $id");
header('X-Method: ' . $_SERVER['REQUEST_METHOD']);
