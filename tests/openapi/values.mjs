// Values by schema, right and wrong ones, from one seed.

/** mulberry32: the same seed, the same numbers. */
export class Dice {
  constructor(seed) { this.state = seed >>> 0; }

  next() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }
  chance(p) { return this.next() < p; }
  between(least, most) { return least + Math.floor(this.next() * (most - least + 1)); }
  pick(list) { return list[this.between(0, list.length - 1)]; }
}

const letters = ['a', 'Z', '7', ' ', '-', '_', '/', '?', '&', '"', "'", '\\', '<', '%', 'é', '汉', '字', '😀', '\u202e', '=', '+', ';'];

export class Values {
  /** `pool`: what answers have told so far, by member's name. */
  constructor(dice, pool) {
    this.dice = dice;
    this.pool = pool;
    this.nulls = 0.15;  // how often what may be null is
  }

  text(length) {
    let text = '';
    for (let i = 0; i < length; ++i) text += this.dice.pick(letters);
    return text;
  }

  phone() {
    const { dice } = this;
    const number = dice.pick(['138', '139', '150', '186']) + String(dice.between(0, 99999999)).padStart(8, '0');
    return dice.pick([number, number, number, `+86 ${number}`, `010-${String(dice.between(60000000, 69999999))}`, '+1 415 555 0' + dice.between(100, 199)]);
  }

  /** Something that was told under this name, or nothing. */
  known(name) {
    const list = this.pool.get(name === 'cursor' ? 'next' : name);
    return list && list.length > 0 && this.dice.chance(0.7) ? this.dice.pick(list) : undefined;
  }

  /** One that the schema allows, as far as it can be made; `name` of the member or parameter. */
  right(schema, name = '') {
    const { dice } = this;
    if (schema.const !== undefined) return schema.const;
    if (schema.enum) return dice.pick(schema.enum);
    const either = schema.oneOf ?? schema.anyOf;
    if (either) return this.right(dice.pick(either), name);
    const types = [].concat(schema.type ?? 'object');
    const type = types.includes('null') && dice.chance(this.nulls) ? 'null' : types[0];
    if (type === 'null') return null;
    if (type === 'boolean') return dice.chance(0.5);
    if (type === 'integer' || type === 'number') return this.number(schema);
    if (type === 'array') {
      const most = Math.min(schema.maxItems ?? 4, 4);
      return Array.from({ length: dice.between(schema.minItems ?? 0, most) }, () => this.right(schema.items, name.replace(/s$/, '')));
    }
    if (type === 'object') {
      const object = {};
      for (const [key, member] of Object.entries(schema.properties ?? {})) {
        if ((schema.required ?? []).includes(key) || dice.chance(0.35)) object[key] = this.right(member, key);
      }
      return object;
    }
    return this.string(schema, name);
  }

  number(schema) {
    const least = schema.minimum ?? 0, most = schema.maximum ?? 1000;
    return this.dice.chance(0.8) ? Math.min(most, least + this.dice.between(0, 2)) : this.dice.pick([least, Math.min(most, Number.MAX_SAFE_INTEGER)]);
  }

  string(schema, name) {
    const { dice } = this;
    const known = this.known(name) ?? (name === 'id' ? this.known('callId') : undefined);
    if (typeof known === 'string') return known;
    if (schema['x-form'] === 'phone') return this.phone();
    if (schema.format === 'date') return `2026-${String(dice.between(1, 12)).padStart(2, '0')}-${dice.between(10, 28)}`;
    if (schema.example !== undefined && dice.chance(0.75)) return schema.example;
    const classes = /^\^\[([^\]]+)\]\{(\d+),(\d+)\}\$$/.exec(schema.pattern ?? '');
    if (classes) return 'x9'.repeat(Number(classes[3])).slice(0, dice.between(Number(classes[2]) || 1, Number(classes[3]))).replace(/x/g, /a-z/i.test(classes[1]) ? 'x' : '1');
    if (schema.pattern && schema.example !== undefined) return schema.example;
    return this.text(dice.between(schema.minLength ?? 1, Math.min(schema.maxLength ?? 20, 20)));
  }

  /** Something that most schemas forbid. */
  wrong() {
    const { dice } = this;
    return dice.pick([
      () => null, () => true, () => -1, () => 0, () => 1e308, () => 9007199254740993, () => 0.5, () => '', () => [], () => ({}),
      () => [[[[]]]], () => ({ callId: 7 }), () => ({ '': null }), () => this.text(300), () => 'x'.repeat(dice.between(65, 5000)), () => '\u0000',
      () => 'a\u0000b', () => '\ud800', () => '\u007f', () => 'true', () => '１３８００', () => "'; DROP TABLE call_record; --", () => '-1',
      () => '99999999999999999999', () => '../../etc', () => '%00', () => '\r\nX-Injected: 1', () => this.phone(), () => '0x10', () => '1e3',
    ])();
  }
}
