// What Kanboard's board does when a card is dragged: on success, it shows the
// board that comes back, and on an error, nothing.

let dragged;

function listen() {
    for (const card of document.querySelectorAll('.task-board')) {
        card.addEventListener('dragstart', () => { dragged = card; });
    }

    for (const column of document.querySelectorAll('.board-task-list')) {
        column.addEventListener('dragover', event => event.preventDefault());
        column.addEventListener('drop', event => {
            event.preventDefault();
            column.append(dragged);
            dragged.classList.add('task-board-saving-state');
            save(dragged, column);
        });
    }
}

function save(card, column) {
    const request = new XMLHttpRequest();

    request.open('POST', document.querySelector('#board').dataset.saveUrl);
    request.setRequestHeader('Content-Type', 'application/json');
    request.setRequestHeader('X-Requested-With', 'XMLHttpRequest');
    request.onload = () => {
        if (request.status == 201) {
            document.querySelector('#board-container').innerHTML =
                request.responseText;
            listen();
        }
    };
    request.send(JSON.stringify({
        task_id: card.dataset.taskId,
        src_column_id: card.dataset.columnId,
        dst_column_id: column.dataset.columnId,
        swimlane_id: '1',
        position: column.querySelectorAll('.task-board').length,
    }));
}

listen();
