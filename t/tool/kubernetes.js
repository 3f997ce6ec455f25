// Reads manifests of Kubernetes (YAML) on standard input, compares each with the
// schema of its kind, and prints, as JSON, the documents and what is wrong.
// Members that the schema does not have are refused, as kubectl --validate does.
//
//     NODE_PATH=build/npm/node_modules node t/tool/kubernetes.js <FILE

'use strict';

const fs = require('fs');
const path = require('path');
const yaml = require('js-yaml');

const models = path.join(require.resolve('kubernetes-models/v1'), '../..');
const ajv = require(path.join(models,
                              '../@kubernetes-models/validate/dist/ajv.js'));

const register = ajv.register;
ajv.register = (id, schema) => register(id, strict(schema));

function strict(schema) {
    if (schema === null || typeof schema !== 'object') {
        return schema;
    }
    for (const member of Object.values(schema)) {
        strict(member);
    }
    // "properties" may be the name of a property: that one has no type
    if (schema.type === 'object' && schema.properties
        && schema.additionalProperties === undefined)
    {
        schema.additionalProperties = false;
    }
    return schema;
}

function check(object) {
    const name = `${object.kind} ${object.metadata.name}`;
    let model;

    try {
        const file = path.join(models, object.apiVersion, `${object.kind}.js`);
        model = require(file)[object.kind];
    } catch (error) {
        return [`${name}: there is no ${object.apiVersion} ${object.kind}`];
    }

    try {
        new model(object).validate();
    } catch (error) {
        return [`${name}: ${error.message}`];
    }
    return [];
}

const documents = yaml.loadAll(fs.readFileSync(0, 'utf8'));
const errors = documents.flatMap(check);

console.log(JSON.stringify({ documents, errors }));
