<?php

// Stands in for Kanboard, of which neither Debian nor npm has a package: its
// routes, its user by REVERSE_PROXY_AUTH, and the request of its board when a
// card is dragged, which it refuses unless it is as Kanboard's own.

$file = getenv('TASKS');
$board = json_decode(file_get_contents($file), true);
$user = $_SERVER['REMOTE_USER'] ?? '';

// as Kanboard's router does: any case of a method is the method
$controller = ucfirst($_GET['controller'] ?? 'BoardViewController');
$action = strtolower($_GET['action'] ?? 'show');

function move($task, $column)
{
    global $board, $file;
    $board['columns'][$task] = (int) $column;
    file_put_contents($file, json_encode($board));
}

function render()
{
    global $board;
    $html = '<table id="board" data-project-id="1" data-save-url="?controller='
        . 'BoardAjaxController&amp;action=save&amp;project_id=1&amp;'
        . 'csrf_token=token-of-ada"><tr>';

    foreach ([1 => 'Backlog', 2 => 'Ready', 3 => 'Work in progress', 4 => 'Done']
             as $id => $name) {
        $html .= "<td class=board-task-list data-column-id=$id><h2>$name</h2>";
        foreach ($board['columns'] as $task => $column) {
            if ($column == $id) {
                $html .= "<div class=task-board draggable=true id=task-$task "
                    . "data-task-id=$task data-column-id=$id>#$task "
                    . htmlspecialchars($board['titles'][$task]) . '</div>';
            }
        }
        $html .= '</td>';
    }

    return $html . '</tr></table>';
}

if ($_SERVER['SCRIPT_NAME'] == '/jsonrpc.php') {
    $call = json_decode(file_get_contents('php://input'), true);
    if (($call['method'] ?? '') == 'moveTaskPosition') {
        move($call['params']['task_id'], $call['params']['column_id']);
    }
    exit('{"jsonrpc":"2.0","id":1,"result":true}');
}

if ($user == '') {
    http_response_code(403);
    exit('Access forbidden');
}

switch ("$controller:$action") {
case 'BoardViewController:show':
    header("Content-Security-Policy: default-src 'self'; "
           . "style-src 'self' 'unsafe-inline'");
    echo '<!DOCTYPE html><html lang="en"><head><title>Board</title>'
        . '<link rel="stylesheet" href="/assets/board.css">'
        . '<script src="/assets/board.js" defer></script></head>'
        . '<body><header>' . htmlspecialchars($user) . '</header>'
        . '<div id="board-container">' . render() . '</div></body></html>';
    break;

case 'BoardAjaxController:save':
    $values = json_decode(file_get_contents('php://input'), true);
    $names = array_keys($values ?? []);
    sort($names);
    if (($_SERVER['HTTP_X_REQUESTED_WITH'] ?? '') != 'XMLHttpRequest'
        || ($_GET['csrf_token'] ?? '') != 'token-of-ada'
        || ($_GET['project_id'] ?? '') != '1'
        || array_diff(['task_id', 'src_column_id', 'dst_column_id',
                       'swimlane_id', 'position'], $names))
    {
        http_response_code(403);
        exit('Access forbidden');
    }
    move($values['task_id'], $values['dst_column_id']);
    $board['position'] = $values['position'];
    file_put_contents($file, json_encode($board));
    http_response_code(201);
    echo render();
    break;

case 'TaskMovePositionController:save':
    $values = json_decode(file_get_contents('php://input'), true);
    move($values['task_id'], $values['column_id']);
    break;

case 'TaskBulkMoveColumnController:save':
    foreach (explode(',', $_POST['task_ids']) as $task) {
        move($task, $_POST['column_id']);
    }
    break;

case 'CommentController:save':
    header('Location: /', true, 303);
    break;

default:
    http_response_code(404);
}
