<?php

// A task app as frameworks of PHP make them: one script for all URLs, a session,
// and forms with a token and a password inside the task.

$file = getenv('TASKS');
$tasks = json_decode(file_get_contents($file), true);
$path = rawurldecode(explode('?', $_SERVER['REQUEST_URI'])[0]);
$method = $_SERVER['REQUEST_METHOD'];

if ($method == 'POST' && isset($_POST['_method'])) {
    $method = strtoupper($_POST['_method']);
}

session_start();

if ($path == '/login') {
    if ($method == 'POST' && ($_POST['password'] ?? '') == 'ada-secret') {
        $_SESSION['user'] = ['id' => 'ada', 'email' => 'ada@example.com'];
        $_SESSION['token'] = bin2hex(random_bytes(8));
        header('Location: /tasks/1', true, 303);
    } else {
        echo '<form method="post"><input name="password" type="password">'
            . '<button>Log in</button></form>';
    }
    exit;
}

$user = $_SESSION['user'] ?? null;

if ($path == '/me') {
    http_response_code($user ? 200 : 401);
    header('Content-Type: application/json');
    echo json_encode($user);
    exit;
}

// an old name of the same page, which somebody forgot
$path = preg_replace('~^/(?:index\.php/)?(?:old/)?(?=tasks)~i', '/', $path);

if (!preg_match('~^/tasks/(\d+)/*$~i', $path, $match)
    || !isset($tasks[$id = (int) $match[1]]))
{
    http_response_code(404);
    exit('There is no such page.');
}

if ($method == 'GET') {
    $task = $tasks[$id];
    $token = $_SESSION['token'] ?? '';
    echo "<!DOCTYPE html><title>Task</title><p id=status>$task[status]</p>"
        . "<p id=due>$task[due]</p><form method=post>"
        . '<input type=hidden name=_method value=PATCH>'
        . "<input type=hidden name='task[_token]' value='$token'>"
        . "<input id=title name='task[title]' value='$task[title]'>"
        . "<input id=due-date name='task[due]' value='$task[due]'>"
        . "<select id=new-status name='task[status]'>"
        . '<option value=open>open<option value=done>done</select>'
        . "<input id=password name='task[password]' type=password>"
        . '<button id=save>Save</button></form>';
    exit;
}

$change = $_REQUEST['task'] ?? [];

if (!$user || !hash_equals($_SESSION['token'], $change['_token'] ?? '')
    || ($change['password'] ?? '') != 'ada-secret')
{
    http_response_code(403);
    exit('No.');
}

foreach (['title', 'status', 'due'] as $name) {
    $tasks[$id][$name] = $change[$name] ?? $tasks[$id][$name];
}

file_put_contents($file, json_encode($tasks));
header("Location: /tasks/$id", true, 303);
