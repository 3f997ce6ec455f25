// Express, in its default settings.  What all programs in this directory have
// in common is said in t/lib/Test/Flowdash/Routers.pm.

const express = require('express');

const app = express();
app.disable('x-powered-by');

const handler = (name) => (req, res) => {
    res.set({
        'X-Handler': name,
        'X-Task': encodeURIComponent(req.params.id ?? ''),
        'X-Method': req.method,
    }).end();
};

app.get('/tasks/:id', handler('show'));
app.post('/tasks/:id/finish', handler('finish'));
app.route('/tasks/:id').post(handler('save')).put(handler('save'))
    .patch(handler('save')).delete(handler('destroy'));

const issues = express.Router();
app.use('/issues', issues);
issues.post('/bulk_update', handler('bulk_update'));
issues.patch('/:id/edit', handler('preview'));
issues.post('/:id/edit', handler('preview'));
issues.get('/:id', handler('show'));
issues.route('/:id').post(handler('update')).put(handler('update'))
    .patch(handler('update')).delete(handler('destroy'));

app.post('/login', handler('login'));
app.all('/{*any}', handler('none'));

app.listen(Number(process.argv[2]), '127.0.0.1');
