// The OpenAPI document as a judge: which operation is it, is the request as documented, is the answer?
import { createRequire } from 'node:module';
import { join } from 'node:path';

// The packages lie in the build tree (see `run`), where an import would not look for them.
export const tools = createRequire(join(process.env.CC_OPENAPI_TOOLS ?? '.', 'package.json'));
const Ajv = tools('ajv/dist/2020').default;
const addFormats = tools('ajv-formats').default;

export const methods = ['get', 'post', 'put', 'patch', 'delete'];
// What HTTP itself has, and no document tells of.
const transport = new Set(['date', 'server', 'content-type', 'content-length', 'connection', 'transfer-encoding', 'keep-alive']);

const typesOf = (schema) => [].concat(schema.type ?? []);

export class Document {
  constructor(json) {
    this.json = json;
    this.ajv = new Ajv({ allErrors: true, strict: true, strictRequired: false, allowUnionTypes: true, strictTypes: false });
    addFormats(this.ajv);
    this.ajv.addVocabulary(['example', 'x-form']);
    this.validators = new Map();
    this.operations = [];
    for (const [path, item] of Object.entries(json.paths)) {
      const segments = path.slice(1).split('/');
      for (const method of methods) {
        if (!item[method]) continue;
        const operation = this.inline(item[method]);
        operation.parameters = [...this.inline(item.parameters ?? []), ...(operation.parameters ?? [])];
        this.operations.push({ ...operation, method, path, segments });
      }
    }
    this.unmatched = this.inline(json['x-unmatched']);
  }

  /** A copy in which no $ref is left; the document has no recursive ones. Members beside a $ref stay. */
  inline(value) {
    if (Array.isArray(value)) return value.map((item) => this.inline(item));
    if (value === null || typeof value !== 'object') return value;
    const { $ref, ...own } = value;
    let target = {};
    if ($ref !== undefined) {
      let found = this.json;
      for (const key of $ref.slice(2).split('/')) found = found[key.replaceAll('~1', '/').replaceAll('~0', '~')];
      target = this.inline(found);
    }
    for (const [name, member] of Object.entries(own)) target[name] = this.inline(member);
    return target;
  }

  /** The operations whose path fits, those without braces first. */
  at(path) {
    const segments = path.slice(1).split('/');
    const fits = this.operations.filter((operation) => operation.segments.length === segments.length &&
      operation.segments.every((segment, i) => segment.startsWith('{') ? segments[i] !== '' : segment === segments[i]));
    const braces = (operation) => operation.segments.filter((segment) => segment.startsWith('{')).length;
    return fits.sort((a, b) => braces(a) - braces(b));
  }

  find(method, path) {
    const wanted = method === 'HEAD' ? 'GET' : method;  // case counts
    return this.at(path).find((operation) => operation.method.toUpperCase() === wanted);
  }

  /**
   * What is wrong with a value, or null. `closed`: members that the schema does not know are wrong too, as they
   * are in an answer: applications shall ignore them, but the document shall know them.
   */
  wrong(schema, value, closed = false) {
    const key = JSON.stringify([schema, closed]);
    if (!this.validators.has(key)) this.validators.set(key, this.ajv.compile(closed ? close(schema) : schema));
    const validate = this.validators.get(key);
    if (validate(value)) return null;
    const found = validate.errors.map(({ instancePath, message, params }) =>
      `${instancePath} ${message} ${params.unevaluatedProperty ?? params.additionalProperty ?? params.allowedValues ?? ''}`.trim());
    return [...new Set(found)].join(', ');
  }

  /** What is wrong with an answer: a list of sentences. `headers`: names in lower case. */
  checkAnswer({ method, path, status, headers, body }) {
    const operation = this.find(method, path);
    if (!operation && method === 'OPTIONS' && status === 204) return headers.allow ? [] : ['OPTIONS without Allow'];
    const responses = operation ? operation.responses : this.unmatched;
    const response = responses[status];
    if (!response) return [`status ${status} is not documented: ${String(body).slice(0, 300)}`];
    const found = this.checkHeaders(response.headers ?? {}, headers);
    if (method === 'HEAD' || status === 304 || !response.content) {
      if (body) found.push(`there is a body: ${body.slice(0, 100)}`);
      return found;
    }
    const type = (headers['content-type'] ?? '').split(';')[0].trim();
    const content = response.content[type];
    if (!content) return [...found, `content type "${type}" is not documented`];
    if (!type.endsWith('json')) return found;
    let value;
    try {
      value = JSON.parse(body);
    } catch (error) {
      return [...found, `the body is no JSON: ${error.message}`];
    }
    const wrong = this.wrong(content.schema, value, true);
    if (wrong) found.push(`${wrong} in ${body.slice(0, 400)}`);
    return found;
  }

  checkHeaders(documented, headers) {
    const found = [];
    const known = Object.fromEntries(Object.entries(documented).map(([name, header]) => [name.toLowerCase(), header]));
    for (const [name, value] of Object.entries(headers)) {
      if (transport.has(name)) continue;
      if (!known[name]) found.push(`header ${name} is not documented`);
      else if (this.wrong(known[name].schema, value)) found.push(`header ${name}: "${value}" is not as documented`);
    }
    for (const [name, header] of Object.entries(known)) {
      if (header.required && headers[name] === undefined) found.push(`header ${name} is missing`);
    }
    return found;
  }

  /** What is wrong with a request that was accepted: a list of sentences. */
  checkRequest({ method, path, query, headers, body }) {
    const operation = this.find(method, path);
    if (!operation) return method === 'OPTIONS' ? [] : ['no such operation'];
    const found = [];
    const segments = path.slice(1).split('/');
    const given = { path: {}, query: {}, header: headers };
    operation.segments.forEach((segment, i) => {
      if (segment.startsWith('{')) given.path[segment.slice(1, -1)] = decodeURIComponent(segments[i]);
    });
    for (const [name, value] of new URLSearchParams(query)) given.query[name] = value;
    const parameters = { path: {}, query: {}, header: {} };
    for (const parameter of operation.parameters) parameters[parameter.in][parameter.name] = parameter;
    for (const name of Object.keys(given.query)) {
      // /docs and the like take anything there; below /v1 what is unknown is refused.
      if (!parameters.query[name] && path.startsWith('/v1/')) found.push(`query ${name} is not documented`);
    }
    for (const parameter of operation.parameters) {
      const text = given[parameter.in][parameter.in === 'header' ? parameter.name.toLowerCase() : parameter.name];
      if (text === undefined) {
        if (parameter.required) found.push(`${parameter.in} ${parameter.name} is missing`);
        continue;
      }
      // One that does not fit is replaced, and so it is documented.
      if (parameter.name === 'Request-Id') continue;
      const wrong = this.wrong(parameter.schema, valueOf(parameter.schema, text));
      if (wrong) found.push(`${parameter.in} ${parameter.name}: ${wrong}`);
    }
    return [...found, ...this.checkBody(operation, body)];
  }

  checkBody(operation, body) {
    if (!operation.requestBody) return [];  // nobody reads it then
    if (!body) return operation.requestBody.required ? ['the body is missing'] : [];
    try {
      const wrong = this.wrong(operation.requestBody.content['application/json'].schema, JSON.parse(body));
      return wrong ? [`body: ${wrong} in ${body.slice(0, 300)}`] : [];
    } catch (error) {
      return [`the body is no JSON: ${error.message}`];
    }
  }
}

/** What a parameter's text means by its schema. */
function valueOf(schema, text) {
  const types = typesOf(schema);
  if (types.includes('array')) return text.split(',');
  if (types.includes('integer') && /^-?[0-9]+$/.test(text)) return Number(text);
  if (types.includes('boolean') && /^(true|false)$/.test(text)) return text === 'true';
  return text;
}

/** A copy of a schema in which objects have no members but those that it names, at every depth. */
function close(schema, joined = false) {
  if (schema === null || typeof schema !== 'object') return schema;
  if (Array.isArray(schema)) return schema.map((item) => close(item));
  const result = { ...schema };
  for (const key of ['items', 'contains']) if (result[key]) result[key] = close(result[key]);
  for (const key of ['oneOf', 'anyOf']) if (result[key]) result[key] = result[key].map((part) => close(part));
  if (result.allOf) result.allOf = result.allOf.map((part) => close(part, true));
  if (result.properties) {
    result.properties = Object.fromEntries(Object.entries(result.properties).map(([name, member]) => [name, close(member)]));
  }
  const names = result.properties || result.allOf;
  if (names && !joined && result.additionalProperties === undefined) result.unevaluatedProperties = false;
  return result;
}
