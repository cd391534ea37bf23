'use strict';
// Shows /openapi.json. Everything is made with DOM calls: no text of the document is ever taken for HTML.
(() => {
  const words = {
    en: {
      search: 'Search', hint: 'Search (press /)', skip: 'Skip to the content', loading: 'Loading…',
      guide: 'Guide', problems: 'Problems', parameters: 'Parameters', body: 'Body', answers: 'Answers',
      example: 'Example', schema: 'Members', name: 'Name', where: 'In', meaning: 'Meaning', required: 'required',
      optional: 'optional', absent: 'may be absent', scope: 'scope', open: 'no key needed', copy: 'Copy', copied: 'Copied', headers: 'Headers',
      status: 'Status', retry: 'Retry', advice: 'What to do', yes: 'yes', no: 'no', after: 'yes, after {0} s',
      found: '{0} found', failed: 'The document could not be loaded: ', of: 'list of', any: 'one of', default: 'default',
      nothing: 'No content.', values: 'values', problemsIntro: 'Every answer of 400 and above is one of these.',
    },
    zh: {
      search: '搜索', hint: '搜索（按 /）', skip: '跳到正文', loading: '加载中…',
      guide: '使用说明', problems: '错误类型', parameters: '参数', body: '请求体', answers: '应答',
      example: '示例', schema: '字段', name: '名称', where: '位置', meaning: '说明', required: '必填',
      optional: '可选', absent: '可能没有', scope: '权限', open: '无需密钥', copy: '复制', copied: '已复制', headers: '响应头',
      status: '状态码', retry: '重试', advice: '处理办法', yes: '是', no: '否', after: '是，{0} 秒后',
      found: '找到 {0} 项', failed: '文档加载失败：', of: '列表：', any: '以下之一', default: '默认',
      nothing: '无内容。', values: '取值', problemsIntro: '状态码 400 及以上的应答均为下列类型之一。',
    },
  };
  const methods = ['get', 'post', 'put', 'patch', 'delete'];
  let language = (navigator.language || '').startsWith('zh') ? 'zh' : 'en';
  try { language = localStorage.getItem('cc-docs-language') || language; } catch { /* not allowed: no matter */ }
  let api = null;
  let problems = [];

  const word = (key, value) => words[language][key].replace('{0}', value);
  const byId = (id) => document.getElementById(id);

  /** element('p.type', child, …): children are texts or nodes; nothing and false are left out. */
  function element(kind, ...children) {
    const [tag, ...classes] = kind.split('.');
    const node = document.createElement(tag);
    if (classes.length) node.className = classes.join(' ');
    for (const child of children.flat()) if (child || child === 0) node.append(child);
    return node;
  }
  function link(target, ...children) {
    const node = element('a', ...children);
    node.href = target;
    return node;
  }

  // ---- the Markdown that the document uses: paragraphs, ## headings, lists, fences, `code`, *stress*
  function inline(text) {
    return text.split(/(`[^`]+`|\*[^*\s][^*]*\*)/).map((part) => {
      if (/^`.+`$/.test(part)) return element('code', part.slice(1, -1));
      if (/^\*.+\*$/.test(part)) return element('em', part.slice(1, -1));
      return part;
    });
  }
  function markdown(text) {
    const nodes = [];
    for (const block of (text || '').split(/(```[\s\S]*?```)|\n\s*\n/).filter((part) => part && part.trim())) {
      if (block.startsWith('```')) {
        nodes.push(code(block.slice(3, -3).replace(/^\w*\n/, '').trimEnd()));
        continue;
      }
      let list = null, paragraph = [];
      const flush = () => {
        if (paragraph.length) nodes.push(element('p', inline(paragraph.join(' '))));
        paragraph = [];
      };
      for (const line of block.trim().split('\n')) {
        const heading = /^#+ (.*)/.exec(line);
        const item = /^- (.*)/.exec(line);
        if (heading) {
          flush();
          const node = element('h2', heading[1]);
          node.id = 'guide-' + heading[1].toLowerCase().replace(/[^a-z]+/g, '-');
          nodes.push(node);
        } else if (item) {
          flush();
          if (!list) nodes.push(list = element('ul'));
          list.append(element('li', inline(item[1])));
        } else {
          paragraph.push(line.trim());
        }
      }
      flush();
    }
    return nodes;
  }

  function code(text) {
    const button = element('button', word('copy'));
    button.type = 'button';
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(text);
      button.textContent = word('copied');
      setTimeout(() => { button.textContent = word('copy'); }, 1500);
    });
    const pre = element('pre', element('code', text));
    pre.tabIndex = 0;  // so that keys can scroll it
    return element('div.copy', pre, navigator.clipboard && button);
  }

  // ---- schemas
  function resolve(thing) {
    if (!thing || !thing.$ref) return thing;
    let target = api;
    for (const key of thing.$ref.slice(2).split('/')) target = target[key.replace(/~1/g, '/').replace(/~0/g, '~')];
    const { $ref, ...own } = thing;
    return { ...target, ...own };
  }
  /** Members of an object, those of allOf joined. */
  function merged(schema) {
    const whole = resolve(schema);
    if (!whole || !whole.allOf) return whole;
    const result = { ...whole, properties: {}, required: [] };
    for (const part of [...whole.allOf.map(merged), whole]) {
      for (const [name, member] of Object.entries(part.properties || {})) {
        result.properties[name] = { ...resolve(result.properties[name]), ...resolve(member) };
      }
      result.required.push(...(part.required || []));
      if (part.type) result.type = part.type;
      if (!result.description) result.description = part.description;
    }
    delete result.allOf;
    return result;
  }
  function typeOf(given) {
    const schema = merged(given);
    if (!schema) return '';
    const either = schema.oneOf || schema.anyOf;
    if (either) return either.map(typeOf).join(' | ');
    let type = [].concat(schema.type || (schema.properties ? 'object' : 'any')).join(' | ');
    if (type.startsWith('array')) type = type.replace('array', word('of') + ' ' + typeOf(schema.items));
    const bounds = [];
    if (schema.format) bounds.push(schema.format);
    if (schema.minimum !== undefined || schema.maximum !== undefined) {
      bounds.push((schema.minimum ?? '') + '…' + (schema.maximum ?? ''));
    }
    if (schema.minLength !== undefined || schema.maxLength !== undefined) {
      bounds.push((schema.minLength ?? 0) + '–' + (schema.maxLength ?? '') + ' chars');
    }
    if (schema.maxItems !== undefined) bounds.push((schema.minItems ?? 0) + '–' + schema.maxItems);
    if (schema.default !== undefined) bounds.push(word('default') + ' ' + JSON.stringify(schema.default));
    return type + (bounds.length ? ' (' + bounds.join(', ') + ')' : '');
  }
  function notes(schema) {
    const nodes = markdown(schema.description);
    const values = (schema.enum || (schema.const !== undefined ? [schema.const] : [])).filter((v) => v !== null);
    if (values.length) {
      nodes.push(element('p.type', word('values') + ': ', values.flatMap((value, i) => [i ? ' ' : '', element('code', String(value))])));
    }
    const pattern = schema.pattern && !schema.enum && schema.pattern.length < 60 && !schema.pattern.includes('\\u');
    if (pattern) nodes.push(element('p.type', element('code', schema.pattern)));
    return nodes;
  }
  /** `told`: they are in an answer, where it is worth saying which may be absent. */
  function members(given, told) {
    const schema = merged(given);
    if (!schema) return null;
    const either = schema.oneOf || schema.anyOf;
    if (either) {
      const parts = either.map((part) => members(part, told)).filter(Boolean);
      return parts.length ? element('div', parts) : null;
    }
    if (schema.items) return members(schema.items, told);
    if (!schema.properties) return null;
    const list = element('ul.members');
    for (const [name, member] of Object.entries(schema.properties)) {
      const whole = merged(member);
      list.append(element('li',
        element('code', name), ' ', element('span.type', typeOf(member)), ' ',
        (schema.required || []).includes(name)
          ? !told && element('span.must', word('required')) : told && element('span.tag', word('absent')),
        notes(whole), members(member, told)));
    }
    return list;
  }
  function sample(given, depth = 0) {
    const schema = merged(given);
    if (!schema || depth > 6) return null;
    if (schema.example !== undefined) return schema.example;
    if (schema.const !== undefined) return schema.const;
    if (schema.enum) return schema.enum[0];
    const either = schema.oneOf || schema.anyOf;
    if (either) return sample(either[0], depth + 1);
    const type = [].concat(schema.type || 'object')[0];
    if (type === 'object') {
      const object = {};
      for (const [name, member] of Object.entries(schema.properties || {})) {
        if ((schema.required || []).includes(name)) object[name] = sample(member, depth + 1);
      }
      return object;
    }
    if (type === 'array') return [sample(schema.items, depth + 1)];
    if ([].concat(schema.type).includes('null')) return null;
    if (type === 'integer' || type === 'number') return schema.minimum ?? 0;
    return type === 'boolean' ? false : 'text';
  }

  // ---- operations
  const parametersOf = (operation) => [...(operation.item.parameters || []), ...(operation.parameters || [])].map(resolve);
  const quoted = (text) => "'" + text.replace(/'/g, "'\\''") + "'";

  function curl(operation, body, number) {
    let path = operation.path;
    for (const parameter of parametersOf(operation)) {
      const value = parameter.example ?? resolve(parameter.schema).example ?? 'x';
      if (parameter.in === 'path') path = path.replace('{' + parameter.name + '}', encodeURIComponent(value));
    }
    const lines = ['curl' + (operation.method === 'get' ? '' : ' -X ' + operation.method.toUpperCase()) + ' ' + quoted(location.origin + path)];
    if (operation.scopes) lines.push('-H "Authorization: Bearer $CC_KEY"');
    if (operation.operationId === 'createCall') lines.push('-H ' + quoted('Idempotency-Key: order-8731-' + number));
    if (body !== undefined) lines.push('-H ' + quoted('Content-Type: application/json'), '-d ' + quoted(JSON.stringify(body)));
    return lines.join(' \\\n  ');
  }
  function bodyExamples(operation) {
    const content = operation.requestBody && resolve(operation.requestBody).content['application/json'];
    if (!content) return [{ value: undefined }];
    if (content.examples) return Object.values(content.examples).map(resolve);
    return [{ value: content.example ?? sample(content.schema) }];
  }
  function parameterTable(parameters) {
    const rows = parameters.map((parameter) => element('tr',
      element('td', element('code', parameter.name), parameter.required && [element('br'), element('span.must', word('required'))]),
      element('td', parameter.in),
      element('td', element('span.type', typeOf(parameter.schema)), markdown(parameter.description),
        notes({ ...merged(parameter.schema), description: undefined }))));
    return element('div.scroll', element('table',
      element('thead', element('tr', [word('name'), word('where'), word('meaning')].map((text) => element('th', text)))),
      element('tbody', rows)));
  }
  function answer(status, given) {
    const response = resolve(given);
    const lines = (response.description || '').split('\n- ');
    const title = problemsOf(response).map((name) => element('code', name)).flatMap((node, i) => [i ? ' ' : '', node]);
    const node = element('details',
      element('summary', element('span.code.' + (status < 400 ? 'good' : 'bad'), status), ' ', title.length ? title : inline(lines[0])));
    if (title.length) node.append(...markdown(response.description));
    const headers = Object.entries(response.headers || {}).map(([name, header]) => ({ name, header: resolve(header) }));
    if (headers.length) {
      node.append(element('h4', word('headers')), element('ul.members', headers.map(({ name, header }) => element('li',
        element('code', name), ' ', !header.required && element('span.tag', word('absent')), markdown(header.description)))));
    }
    for (const [type, content] of Object.entries(response.content || {})) {
      node.append(element('p.type', element('code', type)));
      const list = members(content.schema, true);
      if (list && status < 400) node.append(list);
      const value = content.example ?? (content.examples ? resolve(Object.values(content.examples)[0]).value : sample(content.schema));
      if (type.includes('json') && value !== null) node.append(code(JSON.stringify(value, null, 2)));
    }
    if (!response.content) node.append(element('p.type', word('nothing')));
    return node;
  }
  function problemsOf(response) {
    const content = (response.content || {})['application/problem+json'];
    const narrowed = content && content.schema.allOf && content.schema.allOf[1].properties.type.enum;
    return (narrowed || []).map((type) => type.replace('/problems/', ''));
  }
  const summaryOf = (operation) => (language === 'zh' && operation['x-summary-zh']) || operation.summary;

  function show(operation) {
    const node = element('section.operation');
    node.id = operation.operationId;
    const badge = element('span.method.' + operation.method, operation.method.toUpperCase());
    node.append(element('h3', link('#' + operation.operationId, summaryOf(operation))),
      element('p.path', badge, element('code', operation.path)),
      element('ul.tags', operation.scopes
        ? operation.scopes.map((scope) => element('li.tag', word('scope') + ' ' + scope))
        : element('li.tag', word('open'))),
      ...markdown(operation.description));
    const parameters = parametersOf(operation);
    if (parameters.length) node.append(element('h4', word('parameters')), parameterTable(parameters));
    if (operation.requestBody) {
      const body = resolve(operation.requestBody);
      const list = element('details', element('summary', word('schema')), members(body.content['application/json'].schema));
      list.open = true;
      node.append(element('h4', word('body') + ' (' + word(body.required ? 'required' : 'optional') + ')'), list);
    }
    node.append(element('h4', word('example')));
    for (const [index, example] of bodyExamples(operation).entries()) {
      if (example.summary) node.append(element('p.type', example.summary));
      node.append(code(curl(operation, example.value, index + 1)));
    }
    node.append(element('h4', word('answers')));
    for (const [status, response] of Object.entries(operation.responses)) node.append(answer(status, response));
    return node;
  }

  function operationsOf(tag) {
    const list = [];
    for (const [path, item] of Object.entries(api.paths)) {
      for (const method of methods) {
        const operation = item[method];
        if (!operation || !operation.tags.includes(tag)) continue;
        const scopes = operation.security && operation.security.length ? Object.values(operation.security[0])[0] : null;
        list.push({ ...operation, path, method, item, scopes });
      }
    }
    return list;
  }

  function problemTable() {
    const rows = problems.map((problem) => {
      const row = element('tr',
        element('td', problem.status),
        element('td', link('problems/' + problem.name, problem.name)),
        element('td', language === 'zh' ? problem.titleZh : problem.title),
        element('td', !problem.retryable ? word('no') : problem.retryAfter ? word('after', problem.retryAfter) : word('yes')),
        element('td', inline(language === 'zh' ? problem.adviceZh : problem.advice)));
      row.dataset.text = JSON.stringify(problem).toLowerCase();
      return row;
    });
    return element('div.scroll', element('table',
      element('thead', element('tr', ['status', 'name', 'meaning', 'retry', 'advice'].map((key) => element('th', word(key))))),
      element('tbody', rows)));
  }

  // ---- the page
  function contents(title, entries) {
    return element('div', element('h2', title), element('ul', entries.map(({ target, text, method }) => {
      const node = element('li', link('#' + target, method && element('span.method.' + method, method.toUpperCase()), text));
      node.dataset.target = target;
      return node;
    })));
  }
  function build() {
    document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
    for (const node of document.querySelectorAll('[data-word]')) node.textContent = word(node.dataset.word);
    byId('search').placeholder = word('hint');
    byId('language').textContent = language === 'zh' ? 'English' : '中文';
    byId('language').lang = language === 'zh' ? 'en' : 'zh-CN';
    if (!api) return;
    byId('version').textContent = api.info.version;
    document.title = api.info.title + ' API';
    const guide = element('section', element('h1', api.info.title), ...markdown(api.info.description));
    guide.id = 'guide';
    const main = [guide];
    const nav = [contents(word('guide'), [...guide.querySelectorAll('h2')].map((h) => ({ target: h.id, text: h.textContent })))];
    for (const tag of api.tags) {
      const operations = operationsOf(tag.name);
      if (!operations.length) continue;
      const title = (language === 'zh' && tag['x-name-zh']) || tag.name[0].toUpperCase() + tag.name.slice(1);
      const section = element('section', element('h2', title), ...markdown(tag.description), operations.map((operation) => {
        const node = show(operation);
        node.dataset.text = JSON.stringify([operation.path, operation.operationId, operation.summary,
          operation['x-summary-zh'], operation.description, operation.parameters]).toLowerCase();
        return node;
      }));
      section.id = 'tag-' + tag.name.replace(/ /g, '-');
      main.push(section);
      nav.push(contents(title, operations.map((o) => ({ target: o.operationId, text: summaryOf(o), method: o.method }))));
    }
    const list = element('section', element('h2', word('problems')), element('p', word('problemsIntro')), problemTable());
    list.id = 'problems';
    main.push(list);
    nav.push(contents(word('problems'), [{ target: 'problems', text: word('problems') }]));
    byId('main').replaceChildren(...main);
    byId('contents').replaceChildren(...nav);
    filter();
    mark();
  }
  /** Hides what has not every word of the search in it. */
  function filter() {
    const wanted = byId('search').value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const node of document.querySelectorAll('.operation, #problems tr[data-text]')) {
      node.hidden = !wanted.every((part) => node.dataset.text.includes(part));
      if (!node.hidden) ++found;
    }
    for (const section of document.querySelectorAll('main > section')) {
      const items = [...section.querySelectorAll('.operation, tr[data-text]')];
      section.hidden = items.length ? items.every((item) => item.hidden)
        : !wanted.every((part) => section.textContent.toLowerCase().includes(part));
    }
    for (const item of document.querySelectorAll('nav li')) {
      const target = byId(item.dataset.target);
      item.hidden = !target || target.hidden || !!target.closest('section[hidden]');
    }
    for (const group of document.querySelectorAll('nav > div')) group.hidden = !group.querySelector('li:not([hidden])');
    byId('found').textContent = wanted.length ? word('found', found) : '';
  }
  function mark() {
    for (const item of document.querySelectorAll('nav a')) {
      if (item.hash === location.hash) item.setAttribute('aria-current', 'true');
      else item.removeAttribute('aria-current');
    }
  }

  byId('search').addEventListener('input', filter);
  byId('language').addEventListener('click', () => {
    language = language === 'zh' ? 'en' : 'zh';
    try { localStorage.setItem('cc-docs-language', language); } catch { /* not allowed: no matter */ }
    build();
  });
  addEventListener('hashchange', mark);
  addEventListener('keydown', (event) => {
    if (event.key !== '/' || event.target.matches('input, textarea')) return;
    event.preventDefault();
    byId('search').focus();
  });

  build();
  Promise.all(['openapi.json', 'problems'].map(async (path) => {
    const response = await fetch(path, { headers: { Accept: 'application/json' } });
    if (!response.ok) throw new Error(path + ': ' + response.status);
    return response.json();
  })).then(([document_, catalogue]) => {
    api = document_;
    problems = catalogue.items;
    build();
    if (location.hash) byId(location.hash.slice(1))?.scrollIntoView();
  }).catch((error) => byId('main').replaceChildren(element('p', word('failed') + error.message)));
})();
